"""JPEG files that nobody's camera wrote: padding, stray markers, segments beyond number."""

from __future__ import annotations

import pytest

from tests.images import encode, photo
from tinyjpg import CorruptImageError, probe
from tinyjpg.containers.jpeg import COM, parse

PHOTO = encode(photo(32, 24), "JPEG", quality=90)
EMPTY_COMMENT = bytes((0xFF, COM, 0, 2))
EMPTY_SCAN = b"\xff\xda\0\2"


def with_start(between: bytes) -> bytes:
    """The photo with something more behind its SOI marker."""
    return PHOTO[:2] + between + PHOTO[2:]


@pytest.mark.parametrize(
    "between",
    [
        b"\xff" * 70_001,
        b"\xff\xd0" * 500,
        b"\xff\x01",
        b"\xff\xff\xd7\xff",
        b"\xff\0",
        b"stray\xff\0",
    ],
)
def test_what_says_nothing_between_segments_is_skipped(between: bytes) -> None:
    plain, found = parse(PHOTO), parse(with_start(between))
    assert found.segments == plain.segments
    assert found.scans == plain.scans
    assert found.body == tuple(at + len(between) for at in plain.body)


def test_a_file_may_have_many_segments() -> None:
    found = parse(with_start(EMPTY_COMMENT * 10_000))
    assert len(found.segments) == len(parse(PHOTO).segments) + 10_000


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(with_start(EMPTY_COMMENT * 100_001), id="before the scan"),
        pytest.param(PHOTO[:-2] + EMPTY_COMMENT * 100_001 + PHOTO[-2:], id="behind the scan"),
        pytest.param(PHOTO[:-2] + EMPTY_SCAN * 100_001 + PHOTO[-2:], id="scans"),
    ],
)
def test_segments_beyond_number_are_refused(data: bytes) -> None:
    with pytest.raises(CorruptImageError, match="more than 100,000 segments"):
        probe(data)
