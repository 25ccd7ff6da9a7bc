"""The libwebp quality that reaches a score: seeded by the measured curve, at most three probes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from tinyjpg.calibration import WEBP_LOSSY, Curve
from tinyjpg.containers.webp_header import Bitstream
from tinyjpg.source import Request

T = TypeVar("T")

TOLERANCE: Final = 0.5
"""How far a score may lie below the quality asked for."""

_PROBES: Final = 3
_CLOSE: Final = 1.0
_HIGHEST: Final = 100
# What reading the quality back from the quantisers may be off by.
_READING_ERROR: Final = 1.0


@dataclass(frozen=True, slots=True)
class Attempt(Generic[T]):
    """What came of encoding at one setting: the result, its bytes and its score."""

    quality: int
    result: T
    size: int
    score: float


def lossy_quality(quality: float) -> int:
    """The libwebp quality, 0 to 100, that reaches the score `quality` on the median photograph."""
    return round(WEBP_LOSSY.at(quality))


def is_settled(bitstream: Bitstream, quality: int) -> bool:
    """Whether a VP8 frame is at or below `quality` already, by its quantisers."""
    found = bitstream.quality
    return found is not None and found <= lossy_quality(quality) + _READING_ERROR


def is_coarser(bitstream: Bitstream, lossy_quality: int) -> bool:
    """Whether a VP8 frame was encoded at or below libwebp's `lossy_quality`."""
    found = bitstream.quality
    return found is not None and found <= lossy_quality + _READING_ERROR


def passes(score: float, request: Request) -> bool:
    """Whether `score` keeps the promise of the quality asked for."""
    return score >= request.quality - TOLERANCE


def search(request: Request, attempt: Callable[[int], Attempt[T]]) -> Attempt[T] | None:
    """The smallest of at most three attempts that reaches the quality asked for, or None."""
    failed: list[Attempt[T]] = []
    passed: list[Attempt[T]] = []
    quality = lossy_quality(request.quality)
    for _ in range(_PROBES):
        made = attempt(quality)
        reached = passes(made.score, request)
        (passed if reached else failed).append(made)
        if request.deadline.passed or (reached and made.score - request.quality < _CLOSE):
            break
        low = max((one.quality for one in failed), default=-1)
        high = min((one.quality for one in passed), default=_HIGHEST + 1)
        if high - low <= 1:
            break
        quality = min(max(_next(failed, passed, request.quality), low + 1), high - 1)
    return min(passed, key=lambda one: one.size, default=None)


_EXPECTED: Final = Curve(tuple((setting, score) for score, setting in WEBP_LOSSY.points))


def _next(failed: list[Attempt[T]], passed: list[Attempt[T]], quality: int) -> int:
    """The setting to try after these attempts, the last of which is the one nearest to it."""
    if failed and passed:
        return _between(failed[-1], passed[-1], quality)
    latest = (failed or passed)[-1]
    by_curve = lossy_quality(quality - (latest.score - _EXPECTED.at(latest.quality)))
    if len(failed) < 2:
        return by_curve
    # Where the curve fell short once, the picture is less grateful for bytes than it expects.
    return max(by_curve, _between(failed[-2], failed[-1], quality))


def _between(one: Attempt[T], other: Attempt[T], quality: int) -> int:
    """Where the straight line through two attempts meets `quality`; the highest if it does not."""
    rise = other.score - one.score
    if rise <= 0:
        return _HIGHEST
    fraction = (quality - one.score) / rise
    return round(min(one.quality + fraction * (other.quality - one.quality), _HIGHEST))
