"""The cheapest encoder setting that reaches a score; knows nothing of formats.

Settings are whole numbers on a scale where a higher one looks better and costs more bytes: an
encoder's quality, or an index into a table of levels. The measured curve of the encoder seeds the
search, every scored attempt bends it towards this image.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from tinyjpg.calibration import Curve
from tinyjpg.source import TOLERANCE, Request

T = TypeVar("T")

MOST_PROBES: Final = 7

CLOSE: Final = 1.25
"""Points above the least score accepted up to which a search ends.

What another probe might gain, 1 % of the bytes or so, is not worth its time.
"""

REFUSED: Final = 1.0
"""What an attempt that the score alone would accept is said to score below the quality."""

# From here on the bracket is halved where the curve's guess would leave most of it.
_HALVE_FROM: Final = 4


@dataclass(frozen=True, slots=True)
class Attempt(Generic[T]):
    """What came of encoding at one setting.

    Attributes:
        setting: where on the scale it lies.
        score: SSIMULACRA2 against the original.
        size: bytes.
        result: whatever the caller needs to make a candidate of it.
    """

    setting: int
    score: float
    size: int
    result: T


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """The outcome of a search.

    Attributes:
        best: the smallest attempt that reaches the quality, None where none did.
        attempts: all, in the order they were made.
        estimate: the setting at which the score is expected to be the quality, not rounded.
    """

    best: Attempt[T] | None
    attempts: tuple[Attempt[T], ...]
    estimate: float


class Search:
    """Asks for settings and is told their scores: the whole strategy, without an encoder.

    Args:
        quality: the score wanted.
        expected: the measured curve from quality to setting.
        settings: the scale, step 1, cheapest first.
        start: the first setting to try; the curve's where it is None.
        close: points above the least score accepted up to which an attempt ends the search.
    """

    def __init__(
        self,
        quality: float,
        expected: Curve,
        settings: range,
        *,
        start: float | None = None,
        close: float = CLOSE,
    ) -> None:
        self._quality = quality
        self._close = close
        self._settings = settings
        self._curve = expected
        self._scores_by_setting = expected.inverse()
        self._start = expected.at(quality) if start is None else start
        self._scores: dict[int, float] = {}

    def tell(self, setting: int, score: float) -> None:
        """Note the score of an attempt."""
        self._scores[setting] = score

    def next(self) -> int | None:
        """The setting to try next; None when nothing better can be expected."""
        if self._is_close():
            return None
        failed, passed = self._bracket()
        low = self._settings.start if failed is None else failed + 1
        high = self._settings.stop - 1 if passed is None else passed - 1
        if low > high:
            return None
        wanted = round(self.estimate())
        if len(self._scores) >= _HALVE_FROM and failed is not None and passed is not None:
            quarter = (high - low) // 4
            wanted = min(max(wanted, low + quarter), high - quarter)
        return min(max(wanted, low), high)

    def estimate(self) -> float:
        """The setting at which the score is expected to be the quality."""
        if not self._scores:
            return self._start
        failed, passed = self._bracket()
        if failed is not None and passed is not None:
            return self._between(failed, passed)
        known = sorted(self._scores)
        nearest = known[-1] if failed is not None else known[0]
        shift = self._quality - self._scores[nearest]
        by_curve = self._by_curve(nearest, shift)
        if len(known) == 1:
            return by_curve
        # Where the curve fell short once, this image asks for longer steps than it expects.
        other = known[-2] if failed is not None else known[1]
        rise = (self._scores[nearest] - self._scores[other]) / (nearest - other)
        if rise <= 0:
            return nearest + 2 * (by_curve - nearest)
        by_line = nearest + shift / rise
        return max(by_curve, by_line) if failed is not None else min(by_curve, by_line)

    def curve(self) -> Curve:
        """The expected curve, bent to pass through the attempts, for another search to start from.

        An attempt that scores no better than a cheaper one is passed over.
        """
        told: list[tuple[float, float]] = []
        for setting, score in sorted(self._scores.items()):
            if not told or score > told[-1][0]:
                told.append((score, float(setting)))
        if len(told) < 2:
            return self._curve
        low, high = (told[end][0] - self._scores_by_setting.at(told[end][1]) for end in (0, -1))
        below = [(quality + low, setting) for quality, setting in self._curve.points]
        above = [(quality + high, setting) for quality, setting in self._curve.points]
        return Curve(
            (
                *(one for one in below if one[0] < told[0][0] and one[1] < told[0][1]),
                *told,
                *(one for one in above if one[0] > told[-1][0] and one[1] > told[-1][1]),
            )
        )

    def _is_close(self) -> bool:
        """Whether an attempt reaches the quality and hardly exceeds it."""
        least = self._quality - TOLERANCE
        return any(least <= score < least + self._close for score in self._scores.values())

    def _bracket(self) -> tuple[int | None, int | None]:
        """The highest setting that failed below the lowest that passed, and the latter."""
        least = self._quality - TOLERANCE
        passed = min((one for one, score in self._scores.items() if score >= least), default=None)
        failed = max(
            (
                one
                for one, score in self._scores.items()
                if score < least and (passed is None or one < passed)
            ),
            default=None,
        )
        return failed, passed

    def _by_curve(self, setting: int, shift: float) -> float:
        """Where the curve, moved through `setting`, rises by `shift` points."""
        return setting + (
            self._curve.at(self._scores_by_setting.at(setting) + shift)
            - self._curve.at(self._scores_by_setting.at(setting))
        )

    def _between(self, failed: int, passed: int) -> float:
        """Where the curve, bent through both ends of the bracket, meets the quality."""
        ends = [self._scores_by_setting.at(one) for one in (failed, passed)]
        share = (self._quality - self._scores[failed]) / (
            self._scores[passed] - self._scores[failed]
        )
        if ends[1] > ends[0]:
            low, high = (self._curve.at(end) for end in ends)
            if high > low:
                part = (self._curve.at(ends[0] + share * (ends[1] - ends[0])) - low) / (high - low)
                return failed + part * (passed - failed)
        return failed + share * (passed - failed)


def cheapest(
    request: Request,
    attempt: Callable[[int], Attempt[T]],
    *,
    expected: Curve,
    settings: range,
    start: float | None = None,
    close: float = CLOSE,
    most: int = MOST_PROBES,
) -> Found[T]:
    """Search for the smallest result that reaches the quality asked for.

    Args:
        attempt: encodes and scores at a setting. A DeadlineExceededError it raises passes through.
        expected: the measured curve from quality to setting.
        settings: the scale, step 1, cheapest first.
        start: the first setting to try; the curve's where it is None.
        close: points above the least score accepted up to which an attempt ends the search.
        most: attempts at most. After the deadline no further one is made.
    """
    search = Search(request.quality, expected, settings, start=start, close=close)
    attempts: list[Attempt[T]] = []
    while len(attempts) < most and not (attempts and request.deadline.passed):
        setting = search.next()
        if setting is None:
            break
        made = attempt(setting)
        request.tally.count()
        search.tell(setting, made.score)
        attempts.append(made)
    reached = [one for one in attempts if request.accepts(one.score)]
    best = min(reached, key=lambda one: one.size, default=None)
    return Found(best, tuple(attempts), search.estimate())
