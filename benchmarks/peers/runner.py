"""Serves a peer written in Python: `python -m benchmarks.peers.runner MODULE`.

The module has `version() -> str` and `optimizer(quality, workers)`, a context manager whose value
turns the bytes of one image into an `Output` and may be called from `workers` threads at once.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol, cast

from benchmarks.peers.output import Output

Optimizer = Callable[[bytes], Output]


class Module(Protocol):
    """What a peer's module offers."""

    def version(self) -> str: ...

    def optimizer(self, quality: float, workers: int) -> AbstractContextManager[Optimizer]: ...


def serve(module: Module) -> None:
    """Answer the lines of standard input; see `benchmarks.peers`."""
    job = json.loads(sys.stdin.readline())
    images = [Path(path).read_bytes() for path in job["images"]]
    workers = job["workers"]
    with (
        module.optimizer(job["quality"], workers) as optimize,
        ThreadPoolExecutor(workers) as threads,
    ):
        if job["warm_up"]:
            list(threads.map(optimize, images[:1] * workers))
        _answer({"version": module.version()})
        for _ in sys.stdin:
            started = time.perf_counter()
            outputs = list(threads.map(lambda image: _timed(optimize, image), images))
            _answer({"seconds": time.perf_counter() - started, "images": outputs})


def _timed(optimize: Optimizer, image: bytes) -> dict[str, Any]:
    started = time.perf_counter()
    output = optimize(image)
    return {
        "bytes": output.bytes,
        "method": output.method,
        "seconds": time.perf_counter() - started,
    }


def _answer(message: dict[str, Any]) -> None:
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    serve(cast(Module, importlib.import_module(f"benchmarks.peers.{sys.argv[1]}")))
