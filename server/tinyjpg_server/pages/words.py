"""Figures as people read them; filters of the templates."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from markupsafe import Markup, escape

_TICKED: Final = re.compile(r"`([^`]+)`")
_UNITS: Final = ("bytes", "kB", "MB", "GB", "TB")
# An en dash.
_NONE: Final = "\u2013"
_SYMBOLS: Final = {"USD": "$", "EUR": "€", "GBP": "£"}


def size(count: int | float) -> str:
    """Bytes in decimal units with three digits: 942 bytes, 1.23 MB."""
    value, unit = float(count), 0
    # What would be shown as 1000 is one of the next unit.
    while abs(value) >= (1000 if unit == 0 else 999.5) and unit < len(_UNITS) - 1:
        value /= 1000
        unit += 1
    if unit == 0:
        return f"{count:,.0f} {'byte' if count == 1 else 'bytes'}"
    digits = 0 if abs(value) >= 99.95 else 1 if abs(value) >= 9.995 else 2
    return f"{value:.{digits}f} {_UNITS[unit]}"


def mebibytes(count: int) -> str:
    """A limit as operators set it: 5 MiB, 0.5 MiB."""
    return f"{count / 1024**2:.6g} MiB"


def number(value: int | float) -> str:
    """A number with its thousands apart: 12,345."""
    return f"{value:,.0f}"


def percent(value: float | None) -> str:
    """Per cent, the fraction only where it says something: 62 %, 4.3 %."""
    if value is None:
        return _NONE
    return f"{value:.1f} %" if abs(value) < 10 and round(value, 1) % 1 else f"{value:.0f} %"


def score(value: float | None) -> str:
    """A SSIMULACRA2 score with one digit after the point."""
    return _NONE if value is None else f"{value:.1f}"


def date(moment: datetime) -> str:
    """A day: 5 December 2026."""
    return f"{moment.day} {moment:%B %Y}"


def moment(value: datetime) -> str:
    """A time in UTC, to the minute: 2026-12-05 09:30 UTC."""
    return f"{value:%Y-%m-%d %H:%M} UTC"


def price(cents: int, currency: str) -> str:
    """Money: $15, €7.50, 120 SEK."""
    amount = f"{cents / 100:,.2f}".removesuffix(".00")
    symbol = _SYMBOLS.get(currency)
    return f"{symbol}{amount}" if symbol else f"{amount} {currency}"


def ticked(text: str) -> Markup:
    """Text in which `words` in backticks are code."""
    return Markup(_TICKED.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped


FILTERS: Final = {
    "size": size,
    "mebibytes": mebibytes,
    "number": number,
    "percent": percent,
    "score": score,
    "date": date,
    "moment": moment,
    "ticked": ticked,
}
