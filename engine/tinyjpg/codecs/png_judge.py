"""Whether fewer colours still show the same picture."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from tinyjpg.backends.vips import Pixels
from tinyjpg.calibration import Curve
from tinyjpg.verify import Verifier

TOLERANCE: Final = 0.5
"""Points that a result may lie below the quality."""

# The score is a mean, so the plain areas of a logo hide what happens to its edges: with smoothing
# gone and shades merged, some still score 90. Hence no more than this share of the pixels may be
# off by more than so many levels (for a quality): on 24 logos and 8 screenshots that keeps edges
# smooth, and costs 10 % and 2 % of the bytes at 80.
_SHARE_OFF: Final = 0.001
_LEVELS_OFF: Final = Curve(((1, 255), (40, 96), (60, 64), (80, 32), (90, 24), (99, 12)))

_STRIP_PIXELS: Final = 1_000_000


class Judge:
    """Compares reduced images with one original.

    Args:
        pixels: height x width x 3 or 4.
        quality: 1 to 99, what is asked for.
    """

    def __init__(self, pixels: Pixels, quality: int) -> None:
        self.target: Final = quality - TOLERANCE
        self._pixels = pixels
        self._levels = _LEVELS_OFF.at(quality)
        self._verifier = Verifier(pixels)

    def score(self, other: Pixels) -> float:
        """The SSIMULACRA2 of `other`, of the same height and width, x 3 or 4."""
        return self._verifier.score(other)

    def accepts(self, other: Pixels, score: float) -> bool:
        """Whether `other`, whose score is `score`, shows the same picture, edges included."""
        if score < self.target:
            return False
        height, width = other.shape[:2]
        off = sum(
            int(np.count_nonzero(_difference(self._pixels[rows], other[rows]) > self._levels))
            for rows in _strips(height, width)
        )
        return off <= int(height * width * _SHARE_OFF)


def _strips(height: int, width: int) -> Iterator[slice]:
    rows = max(1, _STRIP_PIXELS // width)
    return (slice(top, top + rows) for top in range(0, height, rows))


def _difference(one: Pixels, other: Pixels) -> npt.NDArray[np.int16]:
    """The largest difference of a channel, on black or on white, for every pixel."""
    per_background = [
        np.abs(_over(one, background) - _over(other, background)).max(axis=2)
        for background in ((0, 255) if 4 in (one.shape[2], other.shape[2]) else (0,))
    ]
    worst: npt.NDArray[np.int16] = np.stack(per_background).max(axis=0)
    return worst


def _over(pixels: Pixels, background: int) -> npt.NDArray[np.int16]:
    if pixels.shape[2] == 3:
        return pixels.astype(np.int16)
    alpha = pixels[..., 3:].astype(np.uint16)
    blended = pixels[..., :3] * alpha + np.uint16(background) * (255 - alpha) + 127
    return (blended // 255).astype(np.int16)
