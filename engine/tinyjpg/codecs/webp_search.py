"""The libwebp quality that reaches a score: seeded by the measured curve, at most three probes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from tinyjpg.calibration import Curve
from tinyjpg.containers.webp_header import Bitstream
from tinyjpg.source import Request

T = TypeVar("T")

# Median over 28 photographs of up to 1.4 megapixels of the score that libwebp reaches at effort 4
# with smart subsampling. Standard deviation: 2 points from 84 up, 4 at 60.
LOSSY: Final = Curve(
    (
        (1, 1), (16.6, 5), (25.7, 10), (38.9, 20), (47.5, 30), (54.7, 40), (60.7, 50), (65.2, 60),
        (68.6, 70), (70.0, 75), (74.6, 80), (78.1, 84), (81.4, 87), (84.5, 90), (86.3, 92),
        (87.8, 94), (89.6, 96), (90.8, 98), (91.3, 100),
    )
)  # fmt: skip

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
    return round(LOSSY.at(quality))


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
    best: Attempt[T] | None = None
    failed: Attempt[T] | None = None
    passed: Attempt[T] | None = None
    quality = lossy_quality(request.quality)
    for _ in range(_PROBES):
        made = attempt(quality)
        if passes(made.score, request):
            passed = made
            if best is None or made.size < best.size:
                best = made
            if made.score - request.quality < _CLOSE:
                break
        else:
            failed = made
        low = -1 if failed is None else failed.quality
        high = _HIGHEST + 1 if passed is None else passed.quality
        if high - low <= 1 or request.deadline.passed:
            break
        quality = min(max(_next(made, failed, passed, request.quality), low + 1), high - 1)
    return best


_EXPECTED: Final = Curve(tuple((setting, score) for score, setting in LOSSY.points))


def _next(
    made: Attempt[T], failed: Attempt[T] | None, passed: Attempt[T] | None, quality: int
) -> int:
    """Where the line between two attempts, or the curve moved through one, meets `quality`."""
    if failed is None or passed is None:
        return lossy_quality(quality - (made.score - _EXPECTED.at(made.quality)))
    fraction = (quality - failed.score) / (passed.score - failed.score)
    return round(failed.quality + fraction * (passed.quality - failed.quality))
