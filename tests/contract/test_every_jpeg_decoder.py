"""The encoder's files in every decoder: no complaint, and the pixels that were promised."""

from __future__ import annotations

import functools
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.contract.jpeg_decoders import DECODERS, ComplaintError, Decoder, Pixels
from tests.engine import jpeg_oracle as oracle
from tests.images import encode, photo
from tinyjpg import CorruptImageError, optimize
from tinyjpg.backends.jpeg import LARGEST_SIDE, Coefficients, Subsampling

# What a sample may differ from that of the exact inverse DCT (IEEE 1180-1990, 3.2). The standard's
# bounds of means are for its own random blocks; samples of ffmpeg are 0.02 too low on average in
# photographs, whoever wrote the file.
LARGEST_ERROR = 1


@dataclass(frozen=True, slots=True)
class Encoded:
    """A file, and what it should show: height x width x 1 or 3."""

    name: str
    jpeg: bytes
    promised: Pixels


def encoded(
    name: str, pixels: Pixels, scale: int, kinds: tuple[Subsampling, ...] = tuple(Subsampling)
) -> Iterator[Encoded]:
    """A picture with every subsampling, in scans and in one."""
    for subsampling in kinds:
        bands = 1 if subsampling is Subsampling.GREY else 3
        made = Coefficients(pixels.shape[1], pixels.shape[0], subsampling)
        made.push(np.ascontiguousarray(pixels[..., :bands]))
        made.plan(scale)
        for progressive in (True, False):
            label = f"{name} {subsampling.name} {'progressive' if progressive else 'sequential'}"
            yield Encoded(label, made.write(progressive=progressive), made.show())


def odd_sizes() -> Iterator[Encoded]:
    for width in range(1, 34, 2):
        height = 34 - width
        yield from encoded(f"{width} x {height}", photo(width, height, seed=width), 1100)
    for width, height in ((1, 1), (1, 150), (150, 1), (2, 33), (33, 2), (17, 16), (16, 17)):
        yield from encoded(f"{width} x {height}", photo(width, height), 700)


def extremes() -> Iterator[Encoded]:
    """Flat, as much detail as can be, and colours at the edge of what there is."""
    random = np.random.default_rng(5)
    down, across = np.mgrid[0:43, 0:61]
    checks = ((down + across) % 2 * 255).astype(np.uint8)
    stripes = (across // 3 % 2 * 255).astype(np.uint8)
    pictures = {
        "black": np.zeros((43, 61, 3), np.uint8),
        "white": np.full((43, 61, 3), 255, np.uint8),
        "noise": random.integers(0, 256, (43, 61, 3), np.uint8),
        "red and blue": np.stack([checks, 0 * checks, 255 - checks], axis=-1),
        "green and magenta": np.stack([stripes, 255 - stripes, stripes], axis=-1),
        "pure red": np.stack([0 * checks + 255, 0 * checks, 0 * checks], axis=-1),
    }
    for name, pixels in pictures.items():
        for scale in (64, 1100, 6000):
            yield from encoded(f"{name} at {scale}", pixels, scale)


def the_longest() -> Iterator[Encoded]:
    flat = np.full((3, LARGEST_SIDE, 3), (200, 120, 40), np.uint8)
    flat[:, 30_000:30_100] = photo(100, 3)
    for name, pixels in (("widest", flat), ("tallest", flat.swapaxes(0, 1))):
        yield from encoded(name, pixels, 1500, (Subsampling.GREY, Subsampling.CHROMA_420))


def optimised() -> Iterator[Encoded]:
    """Whole results, with the metadata that they have."""
    for quality in (30, 60, 80):
        for subsampling in (0, 1, 2):
            pixels = photo(150 + subsampling, 117)
            source = encode(pixels, "JPEG", quality=97, subsampling=subsampling)
            result = optimize(source, quality)
            assert result.method.startswith("encoded at")
            jpeg = result.data
            shown = np.asarray(Image.open(io.BytesIO(jpeg)))
            yield Encoded(f"optimised to {quality}, {subsampling}", jpeg, shown)


@functools.cache
def pictures() -> tuple[Encoded, ...]:
    """All of them: starting a browser takes longer than decoding."""
    return (*odd_sizes(), *extremes(), *the_longest(), *optimised())


def available(name: str) -> Decoder:
    decoder = DECODERS[name]
    if decoder.missing:
        pytest.skip(decoder.missing)
    return decoder


@pytest.mark.parametrize("name", DECODERS)
def test_shows_what_was_promised(name: str, tmp_path: Path) -> None:
    decoder = available(name)
    shown = decoder.decode([one.jpeg for one in pictures()], tmp_path)
    for one, found in zip(pictures(), shown, strict=True):
        if not decoder.in_planes:
            assert np.array_equal(found[0], one.promised), one.name
            continue
        ideal = oracle.ideal_planes(oracle.decode(one.jpeg))
        for plane, exact in zip(found, ideal, strict=True):
            assert plane.shape == exact.shape, one.name
            errors = np.abs(plane.astype(np.int16) - exact)
            assert errors.max() <= LARGEST_ERROR, one.name


@pytest.mark.parametrize("name", DECODERS)
def test_damage_does_not_pass_in_silence(name: str, tmp_path: Path) -> None:
    """What the suite is worth: of scans with bytes missing each decoder says or shows so."""
    decoder = available(name)
    one = next(encoded("damaged", photo(120, 90), 700, (Subsampling.CHROMA_420,)))
    (whole,) = decoder.decode([one.jpeg], tmp_path)
    at = 2 * len(one.jpeg) // 3
    try:
        (damaged,) = decoder.decode([one.jpeg[:at] + one.jpeg[at + 40 :]], tmp_path)
    except (ComplaintError, CorruptImageError):
        return
    assert not all(map(np.array_equal, damaged, whole))
