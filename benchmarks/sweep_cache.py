"""What was measured before, kept from run to run: sweeping encoders is slow.

Lines of JSON in a git-ignored folder. A result is known by the encoder's version, the source's
bytes and the setting, its score by the bytes of source and result and the version of the metric;
so nothing is ever out of date, and a run that was broken off goes on where it stopped.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.images import ROOT

FILE = ROOT / ".benchmarks" / "peers.jsonl"


@dataclass(frozen=True, slots=True)
class Known:
    """One result: bytes, and score of the worst and the mean frame."""

    bytes: int
    worst: float
    mean: float


class SweepCache:
    """Results by key, appended to `file` as they come.

    Args:
        file: created where it does not exist.
        fresh: whether to forget what is in it.
    """

    def __init__(self, file: Path, *, fresh: bool = False) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._known: dict[str, Known] = {}
        if file.is_file() and not fresh:
            for line in file.read_text("utf-8").splitlines():
                # That of a run that was killed may be half written.
                with contextlib.suppress(json.JSONDecodeError):
                    key, *values = json.loads(line)
                    self._known[key] = Known(*values)
        self._stream = file.open("w" if fresh else "a", encoding="utf-8")

    def get(self, key: str) -> Known | None:
        """What is known under a key."""
        return self._known.get(key)

    def put(self, key: str, known: Known) -> None:
        """Remember a result."""
        self._known[key] = known
        line = json.dumps([key, known.bytes, known.worst, known.mean])
        # The line end goes first: a half-written line before spoils no other.
        self._stream.write(f"\n{line}")
        self._stream.flush()

    def close(self) -> None:
        """Close the file."""
        self._stream.close()


def key(encoder: str, source: str, setting: int) -> str:
    """The key of a result; `encoder` with its version, `source` the digest of its bytes."""
    whole = json.dumps([encoder, source, setting, _judge_fingerprint()])
    return hashlib.sha256(whole.encode()).hexdigest()[:32]


@functools.cache
def engine_fingerprint() -> str:
    """A digest of the engine's code, Python and C."""
    return _digest([*(ROOT / "engine").rglob("*.py"), *_native()])


@functools.cache
def encoders_fingerprint() -> str:
    """A digest of the peers' modules: options are in them."""
    return _digest((ROOT / "benchmarks" / "peers" / "encoders").glob("*.*"))


@functools.cache
def _judge_fingerprint() -> str:
    metric = [ROOT / "engine" / "tinyjpg" / name for name in ("metric.py", "native.py")]
    return _digest([ROOT / "benchmarks" / "scoring.py", *metric, *_native()])


def _native() -> list[Path]:
    return [*(ROOT / "native" / "src").glob("*.[ch]"), ROOT / "native" / "cdef.h"]


def _digest(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]
