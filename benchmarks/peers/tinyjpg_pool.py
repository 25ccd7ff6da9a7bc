"""`tinyjpg.Pool`: worker processes."""

from __future__ import annotations

import contextlib
import importlib.metadata
from collections.abc import Iterator

from benchmarks.peers.output import Output
from benchmarks.peers.runner import Optimizer
from tinyjpg import Pool


def version() -> str:
    """The version of tinyjpg."""
    return f"tinyjpg {importlib.metadata.version('tinyjpg')}"


@contextlib.contextmanager
def optimizer(quality: float, workers: int) -> Iterator[Optimizer]:
    """See `benchmarks.peers.runner`."""
    with Pool(workers) as pool:

        def one(image: bytes) -> Output:
            result = pool.optimize(image, int(quality))
            return Output(result.output_size, result.method)

        yield one
