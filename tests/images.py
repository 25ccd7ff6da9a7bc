"""Small synthetic pictures for tests, and an independent decoder (Pillow) to judge results by."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

Pixels = npt.NDArray[np.uint8]


def photo(width: int = 96, height: int = 64, seed: int = 0) -> Pixels:
    """Something like a photograph: smooth colour, edges, a little noise; height x width x 3."""
    random = np.random.default_rng(seed)
    down, across = np.mgrid[0:height, 0:width].astype(np.float64)
    base = np.stack(
        [
            127 + 90 * np.sin(across / 17 + seed) + 30 * np.cos(down / 9),
            120 + 80 * np.cos(across / 23 - down / 31),
            110 + 70 * np.sin((across + down) / 29),
        ],
        axis=-1,
    )
    base[height // 4 : height // 2, width // 3 : width // 2] += 60
    noisy = base + random.normal(0, 4, base.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)


def quadrants(width: int = 48, height: int = 32) -> Pixels:
    """Four flat colours, so that every turn and flip shows; height x width x 3."""
    picture = np.empty((height, width, 3), np.uint8)
    middle, centre = height // 2, width // 2
    picture[:middle, :centre] = (220, 40, 40)
    picture[:middle, centre:] = (40, 200, 60)
    picture[middle:, :centre] = (40, 60, 220)
    picture[middle:, centre:] = (230, 220, 60)
    return picture


def encode(pixels: Pixels, format: str, **options: object) -> bytes:
    """`pixels` as a file, by Pillow."""
    stream = io.BytesIO()
    squeezed = pixels[..., 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels
    Image.fromarray(squeezed).save(stream, format, **options)
    return stream.getvalue()


def shown(data: bytes) -> Image.Image:
    """What a viewer shows of a still image: decoded in full and upright."""
    image = Image.open(io.BytesIO(data))
    image.load()
    return ImageOps.exif_transpose(image)


def mean_error(first: Pixels, second: Pixels) -> float:
    """Mean absolute difference in code values."""
    assert first.shape == second.shape
    return float(np.abs(first.astype(np.int16) - second.astype(np.int16)).mean())
