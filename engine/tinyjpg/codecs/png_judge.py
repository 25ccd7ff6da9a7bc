"""Whether fewer colours still show the same picture."""

from __future__ import annotations

import functools
from typing import Final

import numpy as np
import numpy.typing as npt

from tinyjpg.backends.vips import Pixels
from tinyjpg.calibration import Curve
from tinyjpg.verify import Verifier

TOLERANCE: Final = 0.5
"""Points that a result may lie below the quality."""

# The score is a mean, so the plain areas of a logo hide what happens to its edges: with smoothing
# gone and shades merged, some still score 90. Hence no more pixels may be off by more than so many
# levels (for a quality) than this share of those on edges: on 24 logos and 8 screenshots that keeps
# edges smooth, and costs 9 % and 2 % of the bytes at 80, 2 % and none at 60.
_SHARE_OFF: Final = 0.02
_LEVELS_OFF: Final = Curve(((1, 255), (40, 96), (60, 64), (80, 32), (90, 24), (99, 12)))
# Difference from the neighbour on the left or above, in levels, that makes an edge.
_EDGE: Final = 16

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
        off = sum(
            int(np.count_nonzero(_difference(self._pixels[rows], other[rows]) > self._levels))
            for rows in self._strips
        )
        return off <= int(self._edge_pixels * _SHARE_OFF)

    @functools.cached_property
    def _edge_pixels(self) -> int:
        return sum(
            _count_edges(
                self._pixels[max(0, rows.start - 1) : rows.stop], skips_first_row=rows.start > 0
            )
            for rows in self._strips
        )

    @property
    def _strips(self) -> list[slice]:
        """Rows of about a million pixels at a time, because differences take much memory."""
        height, width = self._pixels.shape[:2]
        rows = max(1, _STRIP_PIXELS // width)
        return [slice(top, top + rows) for top in range(0, height, rows)]


def _count_edges(pixels: Pixels, *, skips_first_row: bool) -> int:
    """Pixels of an edge; the first row may be there only to compare the second with."""
    edges = np.zeros(pixels.shape[:2], dtype=np.bool_)
    for background in _backgrounds(pixels):
        shown = _over(pixels, background)
        edges[:, 1:] |= np.abs(np.diff(shown, axis=1)).max(axis=2) > _EDGE
        edges[1:] |= np.abs(np.diff(shown, axis=0)).max(axis=2) > _EDGE
    return int(np.count_nonzero(edges[int(skips_first_row) :]))


def _difference(one: Pixels, other: Pixels) -> npt.NDArray[np.int16]:
    """The largest difference of a channel, on black or on white, for every pixel."""
    per_background = [
        np.abs(_over(one, background) - _over(other, background)).max(axis=2)
        for background in _backgrounds(one, other)
    ]
    worst: npt.NDArray[np.int16] = np.stack(per_background).max(axis=0)
    return worst


def _backgrounds(*images: Pixels) -> tuple[int, ...]:
    return (0, 255) if any(image.shape[2] == 4 for image in images) else (0,)


def _over(pixels: Pixels, background: int) -> npt.NDArray[np.int16]:
    if pixels.shape[2] == 3:
        return pixels.astype(np.int16)
    alpha = pixels[..., 3:].astype(np.uint16)
    blended = pixels[..., :3] * alpha + np.uint16(background) * (255 - alpha) + 127
    return (blended // 255).astype(np.int16)
