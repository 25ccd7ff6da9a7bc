"""libvips and its mozjpeg alone, with the settings tinyjpg uses: the floor for its memory."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pyvips

from benchmarks.peers.output import Output
from benchmarks.peers.runner import Optimizer


def version() -> str:
    """The version of libvips."""
    return f"libvips {pyvips.version(0)}.{pyvips.version(1)}.{pyvips.version(2)}"


@contextlib.contextmanager
def optimizer(quality: float, workers: int) -> Iterator[Optimizer]:  # noqa: ARG001
    """See `benchmarks.peers.runner`; quality is mozjpeg's own."""

    def one(image: bytes) -> Output:
        jpeg = pyvips.Image.jpegload_buffer(image, access="sequential").jpegsave_buffer(
            Q=int(quality),
            interlace=True,
            optimize_coding=True,
            trellis_quant=True,
            overshoot_deringing=True,
            quant_table=3,
            keep="none",
        )
        return Output(len(jpeg), "mozjpeg")

    yield one
