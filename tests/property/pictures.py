"""Pictures for property tests: any size, several kinds of content."""

from __future__ import annotations

import io
from typing import Any, Final

import numpy as np
from hypothesis import strategies as st
from PIL import Image

from tests.images import Pixels, photo

PATTERNS: Final = ("photo", "noise", "flat", "gradient", "checks", "few colours")


@st.composite
def pixels(draw: st.DrawFn, largest: int = 40) -> Pixels:
    """Height x width x 3, up to `largest` each way."""
    width, height = draw(st.integers(1, largest)), draw(st.integers(1, largest))
    return paint(draw(st.sampled_from(PATTERNS)), width, height, draw(st.integers(0, 2**16)))


@st.composite
def pictures(draw: st.DrawFn, modes: tuple[str, ...], largest: int = 40) -> Image.Image:
    """A picture of up to `largest` pixels each way in one of Pillow's `modes`."""
    width, height = draw(st.integers(1, largest)), draw(st.integers(1, largest))
    seed = draw(st.integers(0, 2**16))
    image = Image.fromarray(paint(draw(st.sampled_from(PATTERNS)), width, height, seed))
    mode = draw(st.sampled_from(modes))
    if mode in ("RGBA", "LA"):
        alpha = np.random.default_rng(seed).choice([0, 1, 128, 254, 255], (height, width))
        image.putalpha(Image.fromarray(alpha.astype(np.uint8)))
    return image.convert(mode)


def paint(pattern: str, width: int, height: int, seed: int) -> Pixels:
    """One of `PATTERNS`, height x width x 3."""
    random = np.random.default_rng(seed)
    down, across = np.mgrid[0:height, 0:width]
    if pattern == "photo":
        return photo(width, height, seed % 7)
    if pattern == "noise":
        return random.integers(0, 256, (height, width, 3), np.uint8)
    if pattern == "flat":
        return np.full((height, width, 3), random.integers(0, 256, 3), np.uint8)
    if pattern == "gradient":
        ramp = (across * 255 // max(1, width - 1)).astype(np.uint8)
        return np.stack([ramp, ramp[:, ::-1], ramp // 2], axis=-1)
    if pattern == "checks":
        return np.repeat((((down + across) % 2) * 255).astype(np.uint8)[..., None], 3, axis=2)
    palette = random.integers(0, 256, (5, 3), np.uint8)
    return palette[random.integers(0, 5, (height, width))]


def saved(image: Image.Image, format: str, **options: Any) -> bytes:
    """`image` as a file, by Pillow."""
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()
