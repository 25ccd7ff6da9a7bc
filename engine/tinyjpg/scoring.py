"""Scoring images as they are shown: once, or many against one original."""

from __future__ import annotations

from typing import Final

import numpy as np

from tinyjpg import metric
from tinyjpg.errors import InvalidOptionError
from tinyjpg.limits import Deadline, Limits
from tinyjpg.metric import Pixels, has_alpha
from tinyjpg.moments import moments
from tinyjpg.shown import Frames, Shown, look
from tinyjpg.similarity import Similarity

# The greys that the reference program blends alpha over.
_BACKGROUNDS: Final = (0.1, 0.9)
_OPAQUE: Final = (0.0,)

# How much of a still is decoded at a time.
_STRIP_PIXELS: Final = 1 << 18


def compare(reference: object, distorted: object, limits: Limits) -> Similarity:
    """See `tinyjpg.compare`."""
    deadline = Deadline.after(limits.deadline)
    return _compare(look(reference, limits), look(distorted, limits), deadline)


class Original:
    """What stands behind `tinyjpg.Reference`.

    A still is decoded and prepared once. An animation is decoded anew for each comparison, for its
    frames would not fit into memory.
    """

    def __init__(self, image: object, limits: Limits) -> None:
        self._limits: Final = limits
        self._shown: Final = look(image, limits)
        self._picture: Final = self._prepared(Deadline.after(limits.deadline))

    def _prepared(self, deadline: Deadline) -> _Picture | None:
        if len(self._shown.delays) > 1:
            return None
        (pixels,) = self._shown.frames(deadline)
        return _Picture(pixels)

    def compare(self, image: object) -> Similarity:
        """See `tinyjpg.Reference.compare`."""
        deadline = Deadline.after(self._limits.deadline)
        other = look(image, self._limits)
        if self._picture is None or len(other.delays) > 1:
            return _compare(self._shown, other, deadline)
        _check_same_size(self._shown, other)
        (pixels,) = other.frames(deadline)
        score = self._picture.score(pixels)
        return Similarity((score,), score)


class _Picture:
    """A still original and what the metric derives from it, for every background that is needed."""

    def __init__(self, pixels: Pixels) -> None:
        # An array is the caller's, who may change it.
        self._pixels: Final = pixels.copy()
        self._translucent: Final = has_alpha(pixels)
        self._prepared: dict[float, metric.Reference] = {}
        for grey in _BACKGROUNDS if self._translucent else _OPAQUE:
            self._over(grey)

    def score(self, other: Pixels) -> float:
        backgrounds = _BACKGROUNDS if self._translucent or has_alpha(other) else _OPAQUE
        return min(self._over(grey).score(other) for grey in backgrounds)

    def _over(self, grey: float) -> metric.Reference:
        if grey not in self._prepared:
            self._prepared[grey] = metric.Reference(self._pixels, background=grey)
        return self._prepared[grey]


def _compare(one: Shown, other: Shown, deadline: Deadline) -> Similarity:
    _check_same_size(one, other)
    if one.strips is not None and other.strips is not None:
        rows = max(1, _STRIP_PIXELS // one.width)
        score = _streamed(one, one.strips(deadline, rows), other.strips(deadline, rows))
        return Similarity((score,), score)
    together = moments(one.delays, other.delays)
    left, right = _Cursor(one.frames(deadline)), _Cursor(other.frames(deadline))
    lowest = [100.0] * len(one.delays)
    total = weight = 0.0
    for moment in together:
        deadline.check("all frames were compared")
        before, after = left.move_to(moment.first), right.move_to(moment.second)
        points = _score(before, after)
        lowest[moment.first] = min(lowest[moment.first], points)
        # A still takes no time.
        total += points * (moment.duration or 1.0)
        weight += moment.duration or 1.0
    return Similarity(tuple(lowest), total / weight)


def _streamed(size: Shown, before: Frames, after: Frames) -> float:
    pairs = zip(before, after, strict=True)
    left, right = next(pairs)
    # Whether all of the alpha is opaque is known at the end only.
    backgrounds = _BACKGROUNDS if {left.shape[2], right.shape[2]} & {2, 4} else _OPAQUE
    comparison = metric.Comparison(size.width, size.height, backgrounds=backgrounds)
    comparison.push(left, right)
    for left, right in pairs:
        comparison.push(left, right)
    return comparison.finish()


class _Cursor:
    """Goes through frames, and stays at one while it is needed."""

    def __init__(self, frames: Frames) -> None:
        self._frames = frames
        self._at = -1
        self._pixels: Pixels

    def move_to(self, number: int) -> Pixels:
        while self._at < number:
            self._pixels = next(self._frames)
            self._at += 1
        return self._pixels


def _score(before: Pixels, after: Pixels) -> float:
    # Most frames of many animations are identical, and this is much quicker.
    return 100.0 if np.array_equal(before, after) else metric.ssimulacra2(before, after)


def _check_same_size(one: Shown, other: Shown) -> None:
    if (one.width, one.height) != (other.width, other.height):
        raise InvalidOptionError(
            f"the images have {one.width} x {one.height} and {other.width} x {other.height} pixels "
            "as shown; only images of equal size can be compared"
        )
