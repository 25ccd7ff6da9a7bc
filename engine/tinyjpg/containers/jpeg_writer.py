"""Putting JPEG segments together: chosen metadata around coded pictures."""

from __future__ import annotations

from typing import Final

from tinyjpg.containers import jpeg_marker
from tinyjpg.containers.jpeg import APP1, APP2, COM, EXIF, ICC, JpegHeader, Segment, coded, parse

_MOST_PAYLOAD: Final = 0xFFFF - 2
_ICC_CHUNK: Final = _MOST_PAYLOAD - len(ICC) - 2


def bare(data: bytes, header: JpegHeader) -> bytes:
    """The first picture of `data` with only what decoders need to rebuild its samples."""
    return with_metadata(data, header, ())


def with_metadata(data: bytes, header: JpegHeader, metadata: tuple[Segment, ...]) -> bytes:
    """The first picture of `data` with `metadata` as its only metadata segments."""
    start, end = header.body
    needed = [segment for segment in header.segments if not segment.is_metadata]
    parts = [b"\xff\xd8", *(segment.encode() for segment in (*metadata, *needed))]
    return b"".join((*parts, memoryview(data)[start:end]))


def insert_metadata(jpeg: bytes, metadata: tuple[Segment, ...]) -> bytes:
    """Put `metadata` into a freshly encoded file: after its JFIF segment, where it has one."""
    if not metadata:
        return jpeg
    at = 2
    if jpeg[2:4] == b"\xff\xe0":
        at += 2 + int.from_bytes(jpeg[4:6], "big")
    return b"".join((jpeg[:at], *(segment.encode() for segment in metadata), jpeg[at:]))


def mark_segment(jpeg: bytes, quality: int) -> Segment:
    """The COM segment that marks `jpeg` as made for `quality`, 1 to 99; it may be inserted."""
    header = parse(jpeg)
    return Segment(COM, jpeg_marker.mark(quality, coded(jpeg, header.segments, header.body)))


def exif_segment(block: bytes) -> Segment | None:
    """The APP1 segment of an EXIF block; None where it is too long for one."""
    payload = EXIF + block
    return Segment(APP1, payload) if len(payload) <= _MOST_PAYLOAD else None


def icc_segments(profile: bytes) -> tuple[Segment, ...]:
    """The APP2 segments of an ICC profile (ICC.1:2022, annex B.4)."""
    pieces = [profile[i : i + _ICC_CHUNK] for i in range(0, len(profile), _ICC_CHUNK)]
    return tuple(
        Segment(APP2, ICC + bytes((number, len(pieces))) + piece)
        for number, piece in enumerate(pieces, start=1)
    )
