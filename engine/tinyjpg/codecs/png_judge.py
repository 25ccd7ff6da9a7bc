"""How well fewer colours show the same picture: the score, and what a mean cannot see."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from tinyjpg.backends.vips import Pixels
from tinyjpg.calibration import Curve
from tinyjpg.colour_loss import PATCH, keeps_colours, sums_of_patches
from tinyjpg.search import REFUSED
from tinyjpg.source import Request
from tinyjpg.verify import Verifier

# The score is a mean, so plain areas hide what happens to little things: a red dot in a screenshot
# may turn grey, the edges of a small logo jagged and its glow a set of rings, at 84. Hence three
# limits, in levels by quality, set where crops of logos and screenshots began to look wrong; and
# colours have to be kept.
# By how much the mean colour of a patch may change:
_PATCH_LEVELS: Final = Curve(((1, 128), (40, 64), (60, 40), (80, 20), (90, 12), (99, 6)))
# By how much pixels may be off, but for a few:
_LEVELS_OFF: Final = Curve(((1, 255), (40, 96), (60, 64), (80, 32), (90, 24), (99, 12)))
# By how much more pixels may differ from a neighbour that they hardly differed from, but for a few:
_CONTOUR_LEVELS: Final = Curve(((1, 255), (40, 60), (60, 28), (80, 14), (90, 10), (99, 6)))
_PLAIN: Final = 6
# A few are this share of those on edges.
_SHARE: Final = 0.05
# Difference from the neighbour on the left or above, in levels, that makes an edge.
_EDGE: Final = 16

_STRIP_PIXELS: Final = 1_000_000


class Judge:
    """Compares reduced images with one original.

    Args:
        pixels: height x width x 3 or 4.
        request: whose quality is 1 to 99.
    """

    def __init__(self, pixels: Pixels, request: Request) -> None:
        self._pixels = pixels
        self._request = request
        self._patch_levels = _PATCH_LEVELS.at(request.quality)
        self._levels = _LEVELS_OFF.at(request.quality)
        self._contour_levels = _CONTOUR_LEVELS.at(request.quality)
        self._verifier = Verifier(pixels)

    def score(self, other: Pixels) -> float:
        """The SSIMULACRA2 of `other`, less where it does not show the same picture for all that.

        Args:
            other: of the original's height and width, x 3 or 4.
        """
        score = self._verifier.score(other)
        if self._request.accepts(score) and not self._shows_the_same(other):
            return self._request.quality - REFUSED
        return score

    def _shows_the_same(self, other: Pixels) -> bool:
        off = 0
        for rows in self._strips:
            worst = np.zeros(other[rows].shape[:2], dtype=np.int16)
            for before, after in _shown(self._pixels[rows], other[rows]):
                shifts = sums_of_patches(after) - sums_of_patches(before)
                if np.abs(shifts).max() > self._patch_levels * PATCH**2:
                    return False
                if not keeps_colours(before, after, self._request.quality):
                    return False
                for channel in np.moveaxis(np.abs(after - before), 2, 0):
                    np.maximum(worst, channel, out=worst)
            off += int(np.count_nonzero(worst > self._levels))
        few = int(self._edge_pixels * _SHARE)
        return off <= few and self._contours(other) <= few

    def _contours(self, other: Pixels) -> int:
        """Pixels that stand out from a neighbour which they were like."""
        return sum(
            _count_contours(self._pixels[rows], other[rows], self._contour_levels, skips)
            for rows, skips in self._overlapping
        )

    @functools.cached_property
    def _edge_pixels(self) -> int:
        return sum(_count_edges(self._pixels[rows], skips) for rows, skips in self._overlapping)

    @property
    def _overlapping(self) -> list[tuple[slice, bool]]:
        """The strips, each with the row above it to compare with; and whether it has one."""
        return [(slice(max(0, rows.start - 1), rows.stop), rows.start > 0) for rows in self._strips]

    @property
    def _strips(self) -> list[slice]:
        """Rows of about a million pixels at a time, because differences take much memory."""
        height, width = self._pixels.shape[:2]
        rows = max(1, _STRIP_PIXELS // width // PATCH) * PATCH
        return [slice(top, top + rows) for top in range(0, height, rows)]


def _count_edges(pixels: Pixels, skips_first_row: bool) -> int:
    """Pixels of an edge; the first row may be there only to compare the second with."""
    edges = np.zeros(pixels.shape[:2], dtype=np.bool_)
    for background in _backgrounds(pixels):
        shown = _over(pixels, background)
        for axis, place in _NEIGHBOURS:
            edges[place] |= _steps(shown, axis) > _EDGE
    return int(np.count_nonzero(edges[int(skips_first_row) :]))


def _count_contours(one: Pixels, other: Pixels, levels: float, skips_first_row: bool) -> int:
    """Pixels of `other` that differ from a neighbour by `levels` more than plain ones of `one`."""
    contours = np.zeros(one.shape[:2], dtype=np.bool_)
    for background in _backgrounds(one, other):
        before, after = _over(one, background), _over(other, background)
        for axis, place in _NEIGHBOURS:
            steps = _steps(before, axis)
            contours[place] |= _is_plain(steps, axis) & (_steps(after, axis) - steps >= levels)
    return int(np.count_nonzero(contours[int(skips_first_row) :]))


def _is_plain(steps: npt.NDArray[np.int16], axis: int) -> npt.NDArray[np.bool_]:
    """Where a step and those before and behind it are small: not by chance, as in grain."""
    small = np.moveaxis(steps <= _PLAIN, axis, 0)
    plain = small.copy()
    plain[1:] &= small[:-1]
    plain[:-1] &= small[1:]
    return np.moveaxis(plain, 0, axis)


# The axis along which the neighbour lies, and the pixels that have one there.
_NEIGHBOURS: Final = ((1, np.s_[:, 1:]), (0, np.s_[1:]))


def _steps(shown: npt.NDArray[np.int16], axis: int) -> npt.NDArray[np.int16]:
    """The largest difference of a channel from the neighbour before."""
    largest: npt.NDArray[np.int16] = np.abs(np.diff(shown[..., 0], axis=axis))
    for channel in range(1, shown.shape[2]):
        np.maximum(largest, np.abs(np.diff(shown[..., channel], axis=axis)), out=largest)
    return largest


def _shown(
    one: Pixels, other: Pixels
) -> Iterator[tuple[npt.NDArray[np.int16], npt.NDArray[np.int16]]]:
    """What is shown of both, on black and on white."""
    for background in _backgrounds(one, other):
        yield _over(one, background), _over(other, background)


def _backgrounds(*images: Pixels) -> tuple[int, ...]:
    return (0, 255) if any(image.shape[2] == 4 for image in images) else (0,)


def _over(pixels: Pixels, background: int) -> npt.NDArray[np.int16]:
    if pixels.shape[2] == 3:
        return pixels.astype(np.int16)
    alpha = pixels[..., 3:].astype(np.uint16)
    blended = pixels[..., :3] * alpha + np.uint16(background) * (255 - alpha) + 127
    return (blended // 255).astype(np.int16)
