"""Small photograph-like pictures for tests of the benchmarks, and their encoding by Pillow."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image


def picture(shift: int = 0, side: int = 128) -> Image.Image:
    y, x = np.mgrid[:side, :side]
    waves = [128 + 90 * np.sin((x + shift) / (5 + band) + y / 9) for band in range(3)]
    noise = np.random.default_rng(shift).normal(0, 6, (side, side, 3))
    return Image.fromarray(np.clip(np.stack(waves, -1) + noise, 0, 255).astype(np.uint8))


def saved(image: Image.Image, image_format: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, image_format, **options)
    return stream.getvalue()
