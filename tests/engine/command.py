"""Running the command: in this process with a quick stand-in for the engine, or as a real one."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.images import encode, photo
from tinyjpg import Options, Outcome, Result, TinyJPGError
from tinyjpg.cli import app, stream, work
from tinyjpg.formats import sniff

COMMAND = [sys.executable, "-m", "tinyjpg.cli"]
PATIENCE = 120.0
# Whether Python buffers its output decides how it fails to write it.
BUFFERED = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
UNBUFFERED = {**os.environ, "PYTHONUNBUFFERED": "1"}

JPEG = encode(photo(), "JPEG", quality=97)
PNG = encode(photo(), "PNG")
GIF = encode(photo(48, 32), "GIF")
WEBP = encode(photo(48, 32), "WEBP", quality=95)


@dataclass
class Report:
    """How a run ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The JSON objects on standard output, the summary not among them."""
        return [line for line in self._objects() if "summary" not in line]

    @property
    def summary(self) -> dict[str, Any]:
        """What the last line of standard output holds."""
        summary: dict[str, Any] = self._objects()[-1]["summary"]
        return summary

    def by_name(self) -> dict[str, dict[str, Any]]:
        """The JSON objects by the last part of their paths."""
        return {Path(line["path"]).name: line for line in self.lines}

    def _objects(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass
class Engine:
    """Stands in for the pool: keeps a share of each file's bytes and notes what it was asked.

    A file cut once is recognised, and already optimal.
    """

    share: float = 0.5
    pools: list[tuple[object, ...]] = field(default_factory=list)
    calls: list[tuple[int, Options]] = field(default_factory=list)
    seen: list[object] = field(default_factory=list)
    on_image: Callable[[Any], None] = lambda _: None

    def optimize_many(
        self, images: Iterable[tuple[Any, Any]], quality: int, *, options: Options, pool: object
    ) -> Iterator[Outcome[Any]]:
        assert pool is not None
        self.calls.append((quality, options))
        for key, image in images:
            self.seen.append(image)
            try:
                data = image if isinstance(image, bytes) else image.read_bytes()
                self.on_image(image)
                yield Outcome(key, result=self.optimize(data, options))
            except (TinyJPGError, OSError) as error:
                yield Outcome(key, error=error)

    def optimize(self, data: bytes, options: Options) -> Result:
        options.limits.check_size(len(data))
        image_format = sniff(data)
        cut = data if data.endswith(b"cut") else data[: int(len(data) * self.share) - 3] + b"cut"
        return Result(
            data=cut,
            format=image_format,
            width=4,
            height=3,
            frames=1,
            input_size=len(data),
            method="cut",
            score=81.25,
            probes=3,
            elapsed=0.5,
        )

    @contextlib.contextmanager
    def pool(self, *arguments: object) -> Iterator[object]:
        self.pools.append(arguments)
        yield object()


class Command:
    """Runs command lines in this process, on an Engine that stands in."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
        self.engine = Engine()
        self._capfd = capfd
        for module in (work, stream):
            monkeypatch.setattr(module, "optimize_many", self.engine.optimize_many)
            monkeypatch.setattr(module, "Pool", self.engine.pool)

    def __call__(self, *arguments: str | Path) -> Report:
        self._capfd.readouterr()
        code = app.run(list(map(str, arguments)))
        out, err = self._capfd.readouterr()
        return Report(code, out, err)


def execute(*arguments: str | Path, **options: Any) -> Report:
    """Run the real command to its end."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        timeout=PATIENCE,
        check=False,
        **options,
    )
    return Report(done.returncode, done.stdout.decode(), done.stderr.decode())


def contents(folder: Path) -> dict[str, bytes]:
    """All files below `folder` by their names relative to it."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write `files`, and the folders they lie in, below `folder`."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
