"""The other end of the protocol: starts a peer's process and asks it for rounds."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks.peers.output import Output

_ROOT = Path(__file__).resolve().parents[2]


class PeerMissingError(Exception):
    """A peer cannot be measured on this machine; the message says why and what to do."""


class PeerFailedError(Exception):
    """A peer's process ended before it answered."""


@dataclass(frozen=True, slots=True)
class Round:
    """One pass over all images.

    Attributes:
        seconds: wall clock for all of them.
        outputs: in the order of the images.
        image_seconds: wall clock of each image on its own.
    """

    seconds: float
    outputs: tuple[Output, ...]
    image_seconds: tuple[float, ...]

    @property
    def bytes(self) -> int:
        """Bytes of all outputs."""
        return sum(output.bytes for output in self.outputs)


class Session:
    """One process of a peer, ready to run rounds; a context manager.

    Args:
        command: of the process.
        images: files to work on.
        quality: what the peer understands by it.
        workers: images at a time.
        warm_up: whether to optimise the first image before the first round.

    Raises:
        PeerFailedError: the process ended early; what it said is on standard error.
    """

    def __init__(
        self,
        command: Sequence[str],
        images: Sequence[Path],
        quality: float,
        workers: int = 1,
        *,
        warm_up: bool = True,
    ) -> None:
        self._command = command
        self._process = subprocess.Popen(
            command,
            cwd=_ROOT,
            # One thread per image, for everything built on libvips.
            env={**os.environ, "VIPS_CONCURRENCY": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.peak = 0
        job = {
            "images": [str(path.resolve()) for path in images],
            "quality": quality,
            "workers": workers,
            "warm_up": warm_up,
        }
        self.version: str = self._ask(json.dumps(job))["version"]

    def round(self) -> Round:
        """Optimise all images once.

        Raises:
            PeerFailedError: the process ended early.
        """
        answer = self._ask("round")
        return Round(
            seconds=answer["seconds"],
            outputs=tuple(Output(one["bytes"], one["method"]) for one in answer["images"]),
            image_seconds=tuple(one["seconds"] for one in answer["images"]),
        )

    def close(self) -> None:
        """End the process; afterwards `peak` is the most memory it used, in bytes."""
        if self._process.returncode is not None:
            return
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
        _, status, usage = os.wait4(self._process.pid, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        # Kibibytes, but bytes on macOS.
        self.peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)

    def _ask(self, line: str) -> dict[str, Any]:
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise PeerFailedError(f"{self._command[-1]} has no pipes")
        # A process that is gone shows in the answer it does not give.
        with contextlib.suppress(BrokenPipeError):
            stdin.write(line + "\n")
            stdin.flush()
        answer = stdout.readline()
        if not answer:
            self.close()
            raise PeerFailedError(
                f"{Path(self._command[-1]).name} ended with status {self._process.returncode}; "
                "what it said is above"
            )
        message: dict[str, Any] = json.loads(answer)
        return message

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
