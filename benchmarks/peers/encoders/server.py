"""Serves a peer written in Python: `python -m benchmarks.peers.encoders.server MODULE`.

The module has `FAILURES`, the exceptions by which it refuses an image, `version() -> str`, and
`encode(source, output, setting)`, which writes `output` and returns what it has to say of it.
Nothing else is imported here: the memory of the process is measured.
"""

from __future__ import annotations

import importlib
import json
import resource
import sys
from pathlib import Path
from typing import Any, Protocol, cast


class Module(Protocol):
    """What a peer's module offers."""

    FAILURES: tuple[type[Exception], ...]

    def version(self) -> str: ...

    def encode(self, source: Path, output: Path, setting: int) -> dict[str, Any]: ...


def serve(module: Module) -> None:
    """Answer the lines of standard input; see `benchmarks.peers.encoders`."""
    _answer({"version": module.version()})
    for line in sys.stdin:
        request = json.loads(line)
        before = _cpu()
        try:
            said = module.encode(
                Path(request["source"]), Path(request["output"]), request["setting"]
            )
        except module.FAILURES as error:
            _answer({"error": f"{type(error).__name__}: {error}"})
        else:
            _answer({"cpu": _cpu() - before, "children_peak": _children_peak(), **said})


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _children_peak() -> int:
    # Kibibytes, but bytes on macOS.
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit


def _answer(message: dict[str, Any]) -> None:
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    serve(cast(Module, importlib.import_module(f"benchmarks.peers.encoders.{sys.argv[1]}")))
