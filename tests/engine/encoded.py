"""Pictures as the native JPEG encoder has them, for its tests."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from tests.images import photo
from tinyjpg.backends.jpeg import Averaging, Coefficients, Subsampling, Tables
from tinyjpg.containers.jpeg import Process, parse
from tinyjpg.metric import ssimulacra2

Pixels = npt.NDArray[np.uint8]

EVERY_SUBSAMPLING = pytest.mark.parametrize("subsampling", Subsampling, ids=lambda one: one.name)


def prepared(
    pixels: Pixels, subsampling: Subsampling, averaging: Averaging = Averaging.LINEAR_LIGHT
) -> Coefficients:
    if subsampling is Subsampling.GREY:
        pixels = pixels[..., :1]
    made = Coefficients(pixels.shape[1], pixels.shape[0], subsampling, averaging)
    made.push(np.ascontiguousarray(pixels))
    return made


def planned(
    pixels: Pixels,
    subsampling: Subsampling,
    scale: int = 1100,
    effort: int = 5,
    tables: Tables = Tables.PHOTOGRAPH,
    *,
    averaging: Averaging = Averaging.LINEAR_LIGHT,
) -> Coefficients:
    made = prepared(pixels, subsampling, averaging)
    made.plan(scale, effort=effort, tables=tables)
    if effort == 9:
        made.refine(rows_of(pixels, subsampling))
    return made


def rows_of(pixels: Pixels, subsampling: Subsampling) -> Pixels:
    bands = 1 if subsampling is Subsampling.GREY else 3
    return np.ascontiguousarray(pixels[..., :bands])


def by_pillow(jpeg: bytes) -> Pixels:
    image = Image.open(io.BytesIO(jpeg))
    pixels = np.asarray(image)
    return pixels[..., None] if pixels.ndim == 2 else pixels


def check(made: Coefficients, decode: Any = by_pillow) -> None:
    """Both kinds of file decode without complaint to the very pixels that were promised."""
    expected = made.show()
    for progressive in (True, False):
        jpeg = made.write(progressive=progressive)
        header = parse(jpeg)
        assert (header.width, header.height) == (made.width, made.height)
        assert header.process is (Process.PROGRESSIVE if progressive else Process.BASELINE)
        assert np.array_equal(decode(jpeg), expected)


# ---- What decoders make of it ----


def size_at(pixels: Pixels, score: float, effort: int) -> float:
    """Bytes at a score, between the two scales nearest to it."""
    made = prepared(pixels, Subsampling.CHROMA_420)
    points = []
    for octaves in np.arange(0.0, 4.6, 0.25):
        made.plan(round(256 * 2**octaves), effort=effort)
        if effort == 9:
            made.refine(pixels)
        points.append((ssimulacra2(pixels, made.show()), len(made.write())))
    scores, sizes = zip(*reversed(points), strict=True)
    return float(np.interp(score, scores, sizes))


def textured(width: int = 256, height: int = 192) -> Pixels:
    """Detail of all sizes, like in nature: noise with a falling spectrum on smooth colours."""
    random = np.random.default_rng(3)
    down, across = np.meshgrid(np.fft.fftfreq(height), np.fft.fftfreq(width), indexing="ij")
    falling = 1 / np.maximum(np.hypot(down, across), 1 / width) ** 1.3
    detail = np.fft.ifft2(falling * np.fft.fft2(random.normal(0, 1, (height, width)))).real
    pixels = photo(width, height) + 22 * (detail / detail.std())[..., None]
    made: Pixels = pixels.clip(0, 255).astype(np.uint8)
    return made
