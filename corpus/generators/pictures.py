"""Small deterministic pictures, as arrays."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]


def _bytes(values: npt.NDArray[np.float64]) -> Pixels:
    rounded: Pixels = values.round().clip(0, 255).astype(np.uint8)
    return rounded


def photo(width: int, height: int, seed: int = 0) -> Pixels:
    """A picture with gradients, texture and noise; height x width x 3, 8 bits.

    The four quarters differ in brightness and hue, so that a turned or mirrored copy is far from
    the original.
    """
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    across, down = x / max(width - 1, 1), y / max(height - 1, 1)
    texture = 14 * np.sin(x / 3.1 + seed) * np.cos(y / 4.3) + 9 * np.sin((x + 2 * y) / 7.7)
    noise = np.random.default_rng(seed).normal(0, 3, (height, width))
    red = 40 + 180 * across
    green = 30 + 190 * down
    blue = 210 - 90 * across - 80 * down
    planes = [plane + texture + noise for plane in (red, green, blue)]
    return _bytes(np.stack(planes, axis=-1))


def grey_photo(width: int, height: int, seed: int = 0) -> Pixels:
    """The brightness of such a picture; height x width."""
    weighted = photo(width, height, seed).astype(np.float64) * (0.299, 0.587, 0.114)
    return _bytes(weighted.sum(axis=-1))


def logo(width: int, height: int) -> Pixels:
    """Indices 0 to 3 of a drawing: a ground, a disc, a bar and a small square; height x width."""
    y, x = np.mgrid[0:height, 0:width]
    indices = np.zeros((height, width), np.uint8)
    centre_y, centre_x, radius = height // 2, width // 3, min(width, height) // 3
    indices[(y - centre_y) ** 2 + (x - centre_x) ** 2 <= radius**2] = 1
    indices[(x > width // 2) & (abs(y - centre_y) < max(height // 8, 1))] = 2
    indices[: max(height // 6, 1), : max(width // 6, 1)] = 3
    return indices


LOGO_COLOURS = ((250, 250, 245), (200, 30, 40), (20, 60, 160), (240, 190, 20))
"""Red, green and blue of the indices of `logo`."""


def logo_rgb(width: int, height: int) -> Pixels:
    """The drawing in colour; height x width x 3."""
    return np.array(LOGO_COLOURS, np.uint8)[logo(width, height)]


def soft_edge(width: int, height: int) -> Pixels:
    """An alpha channel: opaque in the middle, clear at the rim, graded between; height x width."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    distance = np.hypot((x - (width - 1) / 2) / width, (y - (height - 1) / 2) / height)
    return _bytes((0.5 - distance) * 4 * 255)


def with_alpha(pixels: Pixels, alpha: Pixels) -> Pixels:
    """`pixels` with `alpha` as one more channel."""
    colour = pixels[..., None] if pixels.ndim == 2 else pixels
    return np.concatenate([colour, alpha[..., None]], axis=-1)


def moving_square(frames: int, width: int, height: int) -> list[Pixels]:
    """Indices 0 and 1 of an animation: a square crosses the picture; each height x width."""
    side = max(min(width, height) // 3, 1)
    pictures = []
    for number in range(frames):
        picture = np.zeros((height, width), np.uint8)
        left = number * (width - side) // max(frames - 1, 1)
        picture[height // 3 : height // 3 + side, left : left + side] = 1
        pictures.append(picture)
    return pictures
