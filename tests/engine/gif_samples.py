"""Animations of a noisy, moving scene, for tests."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from corpus.generators.gif_structure import Frame, encode
from tinyjpg.limits import Deadline

NEVER = Deadline()
Indices = npt.NDArray[np.uint8]

PALETTE = [(n, (n * 3) % 256, 255 - n) for n in range(64)]
OTHER_PALETTE = [(255 - n, n * 2, n) for n in range(64)]


def scene(step: int = 0, size: tuple[int, int] = (64, 48), noise: int = 3) -> Indices:
    """A smooth picture with a little noise that moves from step to step; indices 0 to 63."""
    width, height = size
    down, across = np.mgrid[0:height, 0:width]
    level = 32 + 20 * np.sin((across + 2 * step) / 11) + 9 * np.cos(down / 7)
    level = level + np.random.default_rng(step).integers(-noise, noise + 1, level.shape)
    indices: Indices = np.clip(level, 0, 63).astype(np.uint8)
    return indices


def animation(count: int = 4, loops: int | None = 0, **frame: Any) -> bytes:
    options: dict[str, Any] = {"delay": 7} | frame
    frames = [Frame(indices=scene(step), **options) for step in range(count)]
    return encode(frames, PALETTE, loops=loops)
