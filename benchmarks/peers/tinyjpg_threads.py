"""`tinyjpg.optimize`, called from threads of one process."""

from __future__ import annotations

import contextlib
import importlib.metadata
from collections.abc import Iterator

from benchmarks.peers.output import Output
from benchmarks.peers.runner import Optimizer
from tinyjpg import optimize


def version() -> str:
    """The version of tinyjpg."""
    return f"tinyjpg {importlib.metadata.version('tinyjpg')}"


@contextlib.contextmanager
def optimizer(quality: float, workers: int) -> Iterator[Optimizer]:  # noqa: ARG001
    """See `benchmarks.peers.runner`."""

    def one(image: bytes) -> Output:
        result = optimize(image, int(quality))
        return Output(result.output_size, result.method)

    yield one
