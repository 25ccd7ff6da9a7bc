"""Names, sizes and shares as people read them."""

from __future__ import annotations

import os
from typing import Final

_UNITS: Final = ("kB", "MB", "GB", "TB")


def printable(name: str | os.PathLike[str]) -> str:
    """`name` with whatever could move a cursor, break a line or not be encoded written as \\x1b."""
    text = os.fspath(name)
    if text.isprintable():
        return text
    return "".join(
        character
        if character.isprintable()
        else character.encode("unicode_escape", "surrogatepass").decode("ascii")
        for character in text
    )


def human_size(size: int) -> str:
    """`size` bytes in decimal units: 999 B, 1.0 kB, 34.2 MB."""
    if size < 1000:
        return f"{size} B"
    value = float(size)
    for unit in _UNITS:
        value /= 1000
        if value < 999.95 or unit == _UNITS[-1]:
            break
    return f"{value:.1f} {unit}"


def human_share(fraction: float) -> str:
    """`fraction` as a percentage that never rounds a small gain to nothing."""
    percent = fraction * 100
    if 0 < percent < 0.1:
        return "<0.1 %"
    return f"{percent:.1f} %"


def human_seconds(seconds: float) -> str:
    """`seconds` as 8.2 s, 3 min 12 s or 1 h 4 min."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"


def count(number: int, singular: str, plural: str | None = None) -> str:
    """`number` with its noun: 1 image, 12 images."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"
