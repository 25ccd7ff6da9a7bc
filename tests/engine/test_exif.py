"""EXIF blocks: the orientation read, chosen tags kept, damage survived."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.ExifTags import GPS, IFD, Base

from tinyjpg import Keep
from tinyjpg.containers import exif

NONE: frozenset[Keep] = frozenset()


def block(**extra: object) -> bytes:
    """An EXIF block with something of every kind, written by Pillow."""
    tags = Image.Exif()
    tags[Base.Orientation] = 6
    tags[Base.Make] = "Camera maker"
    tags[Base.Copyright] = "(c) somebody"
    tags[Base.Artist] = "A. Photographer"
    tags[Base.DateTime] = "2026:01:02 03:04:05"
    tags.get_ifd(IFD.Exif)[Base.DateTimeOriginal] = "2026:01:02 03:04:05"
    tags.get_ifd(IFD.Exif)[Base.LensModel] = "A lens"
    tags.get_ifd(IFD.GPSInfo)[GPS.GPSLatitudeRef] = "N"
    tags.get_ifd(IFD.GPSInfo)[GPS.GPSLatitude] = (52.0, 31.0, 12.5)
    for name, value in extra.items():
        tags[Base[name]] = value
    return tags.tobytes().removeprefix(b"Exif\0\0")


def read(data: bytes | None) -> Image.Exif:
    assert data is not None
    tags = Image.Exif()
    tags.load(b"Exif\0\0" + data)
    return tags


def test_orientation_is_read() -> None:
    assert exif.orientation(block()) == 6


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_orientation_out_of_range_is_upright(value: int) -> None:
    assert exif.orientation(block(Orientation=value)) == 1


def test_nothing_is_kept_by_default() -> None:
    assert exif.select(block(), NONE, orientation=1) is None
    assert exif.select(None, NONE, orientation=1) is None


def test_the_minimal_block_holds_the_orientation_alone() -> None:
    tags = read(exif.select(block(), NONE, orientation=6))
    assert dict(tags) == {Base.Orientation: 6}


def test_an_orientation_is_written_without_any_source_block() -> None:
    assert dict(read(exif.select(None, NONE, orientation=8))) == {Base.Orientation: 8}


def test_copyright_keeps_the_authors_and_no_place() -> None:
    tags = read(exif.select(block(), frozenset({Keep.COPYRIGHT}), orientation=1))
    assert dict(tags) == {Base.Copyright: "(c) somebody", Base.Artist: "A. Photographer"}


def test_creation_keeps_the_dates_of_both_directories() -> None:
    tags = read(exif.select(block(), frozenset({Keep.CREATION}), orientation=1))
    assert tags[Base.DateTime] == "2026:01:02 03:04:05"
    assert dict(tags.get_ifd(IFD.Exif)) == {Base.DateTimeOriginal: "2026:01:02 03:04:05"}
    assert Base.Copyright not in tags


def test_location_keeps_the_whole_gps_directory() -> None:
    tags = read(exif.select(block(), frozenset({Keep.LOCATION}), orientation=3))
    gps = tags.get_ifd(IFD.GPSInfo)
    assert gps[GPS.GPSLatitudeRef] == "N"
    assert [float(part) for part in gps[GPS.GPSLatitude]] == [52.0, 31.0, 12.5]
    assert tags[Base.Orientation] == 3
    assert Base.Copyright not in tags


def test_all_keeps_every_byte_but_the_orientation() -> None:
    source = block()
    kept = exif.select(source, frozenset({Keep.ALL}), orientation=1)
    assert kept is not None
    assert len(kept) == len(source)
    assert read(kept)[Base.Orientation] == 1
    assert sum(a != b for a, b in zip(kept, source, strict=True)) == 1


def test_both_byte_orders_are_understood() -> None:
    little = Image.Exif()
    little.endian = "<"
    little[Base.Orientation] = 5
    little[Base.Copyright] = "(c) little"
    data = little.tobytes().removeprefix(b"Exif\0\0")
    assert data[:2] == b"II"
    assert exif.orientation(data) == 5
    kept = read(exif.select(data, frozenset({Keep.COPYRIGHT}), orientation=5))
    assert dict(kept) == {Base.Orientation: 5, Base.Copyright: "(c) little"}


def test_selecting_twice_changes_nothing() -> None:
    keep = frozenset({Keep.COPYRIGHT, Keep.CREATION, Keep.LOCATION})
    once = exif.select(block(), keep, orientation=6)
    assert exif.select(once, keep, orientation=6) == once


def test_a_directory_that_points_at_itself_ends() -> None:
    looped = b"MM\0*" + struct.pack(">IHHHIII", 8, 1, 0x8769, 4, 1, 8, 0)
    assert exif.orientation(looped) == 1
    exif.select(looped, frozenset({Keep.CREATION}), orientation=1)


@given(st.binary(max_size=80))
def test_damaged_blocks_read_as_empty_or_less(garbage: bytes) -> None:
    for prefix in (b"", b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08"):
        assert 1 <= exif.orientation(prefix + garbage) <= 8
        for kind in Keep:
            kept = exif.select(prefix + garbage, frozenset({kind}), orientation=6)
            assert kept is not None


@given(st.integers(0, 400))
def test_truncated_blocks_do_not_fail(length: int) -> None:
    exif.select(block()[:length], frozenset({Keep.LOCATION, Keep.CREATION}), orientation=2)


def test_pillow_opens_a_jpeg_with_the_minimal_block() -> None:
    stream = io.BytesIO()
    minimal = exif.select(None, NONE, orientation=6)
    assert minimal is not None
    Image.new("RGB", (8, 8)).save(stream, "JPEG", exif=b"Exif\0\0" + minimal)
    assert Image.open(io.BytesIO(stream.getvalue())).getexif()[Base.Orientation] == 6
