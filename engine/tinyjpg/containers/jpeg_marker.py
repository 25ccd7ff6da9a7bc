"""The engine's mark in a JPEG: for which quality it was made, so that it is not made lossy again.

It is a comment (COM segment), `tinyjpg QUALITY CHECK`: CHECK is the CRC-32, in hexadecimal, of all
that decoders need. Files whose quantisation tables tell as much do without one. A mark that does
not fit its file was left there by another tool and counts for nothing.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from typing import Final

_MARK: Final = re.compile(rb"tinyjpg ([1-9][0-9]?) ([0-9a-f]{8})")


def is_mark(payload: bytes) -> bool:
    """Whether the payload of a COM segment is a mark, valid or not."""
    return _MARK.fullmatch(payload) is not None


def mark(quality: int, coded: Iterable[bytes | memoryview]) -> bytes:
    """The payload of a COM segment that says `quality`, 1 to 99.

    Args:
        coded: the pieces of the file that decoders need, in order.
    """
    return b"tinyjpg %d %08x" % (quality, _check(coded))


def marked_quality(payloads: Iterable[bytes], coded: Iterable[bytes | memoryview]) -> int | None:
    """The quality that a valid mark names; None without one.

    Args:
        payloads: of all COM segments of the file.
        coded: as for `mark`.
    """
    marks = [found for payload in payloads if (found := _MARK.fullmatch(payload))]
    if len(marks) != 1 or int(marks[0][2], 16) != _check(coded):
        return None
    return int(marks[0][1])


def _check(coded: Iterable[bytes | memoryview]) -> int:
    check = 0
    for piece in coded:
        check = zlib.crc32(piece, check)
    return check
