"""Bytes against score of one image by one encoder: which settings to try, and what lies between.

The score of an encoder's setting is only roughly known before, so a curve is measured where it is
asked about: around each wanted score, a setting below it and one above, close enough together that
the logarithm of the bytes is a straight line between them.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.peers.encoders.table import Scale

LOSSLESS = 100.0
"""The score of identical pixels, and only of those."""

CLOSE = 3.0
"""Points of score between two settings, within which the line between them is trusted."""

_MOST_POINTS = 10
# Positions that a point of score takes, before two results tell.
_FIRST_SLOPE = 1.5
# A rise of the score that tells nothing of the slope.
_FLAT = 0.5
# Around the score asked for: a promise has a tolerance, and no setting may be just above it.
_PROMISED_STEPS = (2, 5)


@dataclass(frozen=True, slots=True)
class Point:
    """One result: the position of its setting on the scale, its score, its size in bytes."""

    position: int
    score: float
    bytes: int


def bytes_at(points: Sequence[Point], score: float) -> float | None:
    """The bytes at which an encoder reaches `score`; None where it does not.

    Results that cost as much as a better one are left out. Between the two next to `score` the
    logarithm of the bytes is interpolated. Nothing lies between a lossy result and a lossless one:
    above the best lossy score the lossless result is what the encoder has to offer. Nor is
    anything known below the worst result, which is given as it is.
    """
    below: Point | None = None
    for point in _frontier(points):
        if point.score >= score:
            if below is None or point.score >= LOSSLESS:
                return point.bytes
            part = (score - below.score) / (point.score - below.score)
            logarithm = (1 - part) * math.log(below.bytes) + part * math.log(point.bytes)
            return math.exp(logarithm)
        below = point
    return None


def lossless_at(points: Sequence[Point], score: float) -> bool:
    """Whether `bytes_at` gives the bytes of a lossless result."""
    reaching = [point for point in _frontier(points) if point.score >= score]
    return bool(reaching) and reaching[0].score >= LOSSLESS


def sweep(
    measure: Callable[[int], Point], first: Point, scale: Scale, scores: Sequence[float]
) -> list[Point]:
    """Measure what `bytes_at` needs for all `scores`, beginning with `first`; at most 10 points."""
    points = {first.position: first}
    choose = _next_promised if scale.promised else _next_position
    for score in scores:
        while len(points) < _MOST_POINTS:
            position = choose([points[one] for one in sorted(points)], score, scale)
            if position is None:
                break
            points[position] = measure(position)
    return [points[one] for one in sorted(points)]


def _frontier(points: Sequence[Point]) -> list[Point]:
    """By ascending bytes, only those better than all that cost as much or less."""
    kept: list[Point] = []
    for point in sorted(points, key=lambda one: (one.bytes, -one.score)):
        if not kept or point.score > kept[-1].score:
            kept.append(point)
    return kept


def _next_promised(points: Sequence[Point], score: float, scale: Scale) -> int | None:
    """For a scale of scores: what is asked for, and as near to it one below and one above."""
    tried = {point.position: point for point in points}
    asked = scale.position(round(score))
    if asked not in tried:
        return asked
    if tried[asked].score >= LOSSLESS:
        return None
    direction = 1 if tried[asked].score < score else -1
    for steps in _PROMISED_STEPS:
        position = min(max(asked + direction * steps, 0), scale.last)
        if position not in tried:
            return position
        if (tried[position].score < score) != (direction > 0):
            return None
    return None


def _next_position(points: Sequence[Point], score: float, scale: Scale) -> int | None:
    """The next position to try on an encoder's own scale; `points` are by ascending position."""
    crossings = [
        (low, high) for low, high in itertools.pairwise(points) if low.score < score <= high.score
    ]
    if crossings:
        return _between(*crossings[0], score)
    if points[-1].score < score:
        return _beyond(points[-1], points[-2:-1], score + CLOSE / 2, scale)
    if points[0].score >= score:
        return _beyond(points[0], points[1:2], score - CLOSE / 2, scale)
    # Better at a worse setting: the frontier has it.
    return None


def _between(low: Point, high: Point, score: float) -> int | None:
    if high.position - low.position <= 1 or high.score - low.score <= CLOSE:
        return None
    if high.score >= LOSSLESS:
        return (low.position + high.position) // 2
    # To the farther side of the score, so that both sides come close to it.
    aim = score + CLOSE / 3 * (-1 if score - low.score > high.score - score else 1)
    part = (aim - low.score) / (high.score - low.score)
    position = low.position + round(part * (high.position - low.position))
    return min(max(position, low.position + 1), high.position - 1)


def _beyond(end: Point, beside: Sequence[Point], aim: float, scale: Scale) -> int | None:
    """Outward from the first or last point, by the slope there; None at the end of the scale."""
    upward = aim > end.score
    limit = scale.last if upward else 0
    if end.position == limit:
        return None
    slope = _FIRST_SLOPE
    if beside:
        rise = abs(beside[0].score - end.score)
        if rise < _FLAT:
            return limit
        slope = abs(beside[0].position - end.position) / rise
    steps = max(1, math.ceil(abs(aim - end.score) * slope))
    return min(end.position + steps, limit) if upward else max(end.position - steps, limit)
