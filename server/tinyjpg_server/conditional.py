"""What a client that has a file already, or part of it, is to be answered (RFC 9110, 13 and 14)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Final, Protocol

# One range. Several are answered with the whole file, which RFC 9110 (14.2) allows.
_RANGE: Final = re.compile(r"bytes\s*=\s*(?:(\d{1,18})\s*-\s*(\d{1,18})?|-\s*(\d{1,18}))", re.I)
_TAG: Final = re.compile(r'(W/)?("[\x21\x23-\x7e\x80-\xff]*")')


class Headers(Protocol):
    """The request's headers, by name in lower case."""

    def getlist(self, key: str) -> list[str]:
        """All values of a header."""


@dataclass(frozen=True, slots=True)
class Part:
    """The answer: `status` 200, 206, 304, 412 or 416, and the bytes from `start` to `end`."""

    status: int
    start: int = 0
    end: int = 0


def part_to_send(
    method: str, headers: Headers, *, size: int, etag: str, modified: datetime
) -> Part:
    """What to answer a GET or HEAD of a file.

    Conditions are tried in the order of RFC 9110, 13.2.2. What is malformed counts as not sent.

    Args:
        method: GET or HEAD.
        headers: of the request.
        size: of the file in bytes.
        etag: a strong one, with its quotes.
        modified: when the file was last changed.
    """
    modified = modified.astimezone(UTC).replace(microsecond=0)
    if not _may_proceed(headers, etag, modified):
        return Part(412)
    if _is_known(headers, etag, modified):
        return Part(304)
    whole = Part(200, 0, size)
    asked = headers.getlist("range")
    # Ranges are defined for GET alone.
    if method != "GET" or len(asked) != 1 or not _range_holds(headers, etag, modified):
        return whole
    return _range(asked[0], size) or whole


def http_date(moment: datetime) -> str:
    """`moment` as headers have it: Sun, 06 Nov 1994 08:49:37 GMT."""
    return format_datetime(moment.astimezone(UTC).replace(microsecond=0), usegmt=True)


def _may_proceed(headers: Headers, etag: str, modified: datetime) -> bool:
    wanted = headers.getlist("if-match")
    if wanted:
        return _any_tag(wanted, etag, weak_too=False)
    limit = _date(headers.getlist("if-unmodified-since"))
    return limit is None or modified <= limit


def _is_known(headers: Headers, etag: str, modified: datetime) -> bool:
    known = headers.getlist("if-none-match")
    if known:
        return _any_tag(known, etag, weak_too=True)
    since = _date(headers.getlist("if-modified-since"))
    return since is not None and modified <= since


def _range_holds(headers: Headers, etag: str, modified: datetime) -> bool:
    conditions = headers.getlist("if-range")
    if not conditions:
        return True
    condition = conditions[0].strip()
    # A date must be the very one that was sent; a weak tag never says that bytes are the same.
    return condition == etag if '"' in condition else _date([condition]) == modified


def _range(text: str, size: int) -> Part | None:
    found = _RANGE.fullmatch(text.strip())
    if found is None:
        return None
    first, last, suffix = (int(number) if number else None for number in found.groups())
    if first is None:
        length = min(suffix or 0, size)
        return Part(206, size - length, size) if length else Part(416)
    if last is not None and last < first:
        return None
    if first >= size:
        return Part(416)
    return Part(206, first, size if last is None else min(last + 1, size))


def _any_tag(values: Sequence[str], etag: str, *, weak_too: bool) -> bool:
    text = ",".join(values)
    if text.strip() == "*":
        return True
    return any(
        tag == etag and (weak_too or not weak)
        for weak, tag in (m.groups() for m in _TAG.finditer(text))
    )


def _date(values: Sequence[str]) -> datetime | None:
    if len(values) != 1:
        return None
    try:
        moment = parsedate_to_datetime(values[0])
    except (ValueError, OverflowError):
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
