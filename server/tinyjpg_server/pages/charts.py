"""Where the bars of a chart stand; templates draw them as SVG."""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from tinyjpg_server.jobs.statistics import Month
from tinyjpg_server.pages import words

# In units of the drawing, which is as wide as a phone; larger screens enlarge it.
WIDTH: Final = 360
HEIGHT: Final = 170
_LEFT: Final = 52
_RIGHT: Final = 4
_TOP: Final = 10
_FLOOR: Final = 132
# Of its place that a bar fills.
_FILLED: Final = 0.68
# What is not nothing can be seen.
_LOWEST: Final = 1.5

# The top of the scale is one of these, times a power of ten: its half is a round number, too.
_TOPS: Final = (2, 4, 6, 8, 10)


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar, from its upper left corner; `middle` is where its label stands.

    `label` is short, `year` only there where one begins, `text` says all of it.
    """

    x: float
    y: float
    width: float
    height: float
    middle: float
    label: str
    year: str
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the scale."""

    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars over a scale. `name` is unique on the page, `title` is for people."""

    name: str
    title: str
    summary: str
    bars: list[Bar]
    lines: list[Line]
    left: int = _LEFT
    right: int = WIDTH - _RIGHT
    floor: int = _FLOOR
    width: int = WIDTH
    height: int = HEIGHT


def month_charts(months: Sequence[Month]) -> list[Chart]:
    """What was done in each month: images, and bytes saved."""
    names = [month.month for month in months]
    return [
        bar_chart(
            "images",
            "Images a month",
            zip(names, (month.totals.images for month in months), strict=True),
            words.number,
        ),
        bar_chart(
            "saved",
            "Saved a month",
            zip(names, (month.totals.saved_bytes for month in months), strict=True),
            words.size,
        ),
    ]


def bar_chart(
    name: str, title: str, values: Iterable[tuple[str, int]], tell: Callable[[float], str]
) -> Chart:
    """A chart of months ("2026-11") with a value of 0 or more each, put in words by `tell`."""
    given = list(values)
    highest = max((value for _, value in given), default=0)
    top = _scale(highest)
    step = (WIDTH - _LEFT - _RIGHT) / max(1, len(given))
    bars = []
    for index, (month, value) in enumerate(given):
        height = (_FLOOR - _TOP) * value / top
        if value:
            height = max(_LOWEST, height)
        middle = _LEFT + step * (index + 0.5)
        bars.append(
            Bar(
                x=_rounded(middle - step * _FILLED / 2),
                y=_rounded(_FLOOR - height),
                width=_rounded(step * _FILLED),
                height=_rounded(height),
                middle=_rounded(middle),
                label=month_name(month)[:3],
                year=month[:4] if _tells_year(index, month) else "",
                text=f"{month_name(month)} {month[:4]}: {tell(value)}",
            )
        )
    best = max(given, key=lambda entry: entry[1], default=("", 0))
    summary = (
        f"The most in {month_name(best[0])} {best[0][:4]}: {tell(best[1])}." if highest else ""
    )
    lines = [
        Line(_FLOOR - (_FLOOR - _TOP) * part, _round_words(tell(top * part))) for part in (0.5, 1.0)
    ]
    return Chart(name, title, summary, bars, lines)


def month_name(month: str) -> str:
    """November, of "2026-11"."""
    return calendar.month_name[int(month[5:])]


def _round_words(text: str) -> str:
    """50 MB, of "50.0 MB": what is on the scale is round."""
    number, _, unit = text.partition(" ")
    return f"{number.rstrip('0').rstrip('.')} {unit}" if "." in number else text


def _tells_year(index: int, month: str) -> bool:
    # The year of a December that comes first would run into the next one's.
    return month.endswith("-01") or (index == 0 and not month.endswith("-12"))


def _scale(highest: int) -> int:
    """The number to draw the scale up to, not below `highest`."""
    power = 1
    while 10 * power < highest:
        power *= 10
    return next(top * power for top in _TOPS if top * power >= highest)


def _rounded(value: float) -> float:
    return round(value, 2)
