"""Which frames of two animations are seen at the same time.

Encoders merge frames that look the same, so frames are paired by the time they are shown at and
not by their number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from tinyjpg.errors import InvalidOptionError

# The clock of GIF ticks every 10 ms, that of WebP every 1 ms, and APNG has fractions: the same
# animation cannot have the same times in all of them.
_TICK: Final = 10.0


class Moment(NamedTuple):
    """A stretch of time during which neither animation changes.

    Attributes:
        first, second: the frame of each that is shown, from 0.
        duration: milliseconds.
    """

    first: int
    second: int
    duration: float


def moments(first: Sequence[float], second: Sequence[float]) -> Iterator[Moment]:
    """Go through two animations together, in order; every frame of both has a moment.

    As many frames with the same delays, give or take 10 ms each, are taken one by one. Otherwise
    the clock decides, and changes less than 5 ms apart are the same.

    Args:
        first, second: milliseconds that each frame is shown, above 10; of two stills any.

    Raises:
        InvalidOptionError: one is a still image and the other is not, or one lasts longer.
    """
    if len(first) == len(second) and all(map(_agree, first, second)):
        return (Moment(number, number, delay) for number, delay in enumerate(first))
    if min(len(first), len(second)) == 1:
        raise InvalidOptionError(
            f"the images have {len(first):,} and {len(second):,} frames; a still image and an "
            "animation cannot be compared"
        )
    if not _agree(sum(first), sum(second)):
        raise InvalidOptionError(
            f"the animations have {len(first):,} frames of {sum(first) / 1000:g} s and "
            f"{len(second):,} of {sum(second) / 1000:g} s; only animations that take the same time "
            "can be compared"
        )
    return _by_time(first, second)


def _agree(one: float, other: float) -> bool:
    return abs(one - other) <= _TICK


def _by_time(first: Sequence[float], second: Sequence[float]) -> Iterator[Moment]:
    at, now = [0, 0], 0.0
    ends = [first[0], second[0]]
    while at[0] < len(first) and at[1] < len(second):
        then = min(ends)
        yield Moment(at[0], at[1], then - now)
        now = then
        for side, delays in enumerate((first, second)):
            if ends[side] - then < _TICK / 2:
                at[side] += 1
                ends[side] += delays[at[side]] if at[side] < len(delays) else 0.0
