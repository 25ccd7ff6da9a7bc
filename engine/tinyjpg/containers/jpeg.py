"""JPEG files (ITU-T T.81) as a list of segments: read, and told apart.

Entropy-coded data is skipped, never decoded.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from tinyjpg.containers import exif, jpeg_marker
from tinyjpg.errors import CorruptImageError
from tinyjpg.formats import Format
from tinyjpg.source import Header

_SOI, _EOI, _SOS, _DQT, COM = 0xD8, 0xD9, 0xDA, 0xDB, 0xFE
_APP0, APP1, APP2, _APP14, _APP15 = 0xE0, 0xE1, 0xE2, 0xEE, 0xEF
_NOT_FRAMES: Final = frozenset({0xC4, 0xC8, 0xCC})

EXIF: Final = b"Exif\0\0"
_XMP: Final = b"http://ns.adobe.com/xap/1.0/\0"
ICC: Final = b"ICC_PROFILE\0"
_MPF: Final = b"MPF\0"
_ADOBE: Final = b"Adobe"

# A marker that says something: 0xFF followed by neither a stuffed zero, padding, nor the code of a
# marker that stands alone (TEM, RSTn).
_MARKER: Final = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")
# A marker inside a scan: 0xFF followed by neither a stuffed zero, a restart marker nor padding.
_MARKER_IN_SCAN: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")

# Far more than any file has; each takes memory, and takes the reader longer than its four bytes
# took whoever made them up.
_MOST_SEGMENTS: Final = 100_000

# Natural index of each coefficient in the zigzag order of T.81, figure A.6.
_ZIGZAG: Final = (
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20,
    13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59,
    52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
)  # fmt: skip

QuantisationTable = tuple[int, ...]


class Process(StrEnum):
    """The coding process that the frame header (SOF marker) declares."""

    BASELINE = "baseline"
    EXTENDED = "extended sequential"
    PROGRESSIVE = "progressive"
    LOSSLESS = "lossless JPEG"
    ARITHMETIC = "arithmetic coded"
    HIERARCHICAL = "hierarchical"


_PROCESSES: Final = {
    0xC0: Process.BASELINE,
    0xC1: Process.EXTENDED,
    0xC2: Process.PROGRESSIVE,
    0xC3: Process.LOSSLESS,
    0xC5: Process.HIERARCHICAL,
    0xC6: Process.HIERARCHICAL,
    0xC7: Process.HIERARCHICAL,
    0xC9: Process.ARITHMETIC,
    0xCA: Process.ARITHMETIC,
    0xCB: Process.ARITHMETIC,
    0xCD: Process.HIERARCHICAL,
    0xCE: Process.HIERARCHICAL,
    0xCF: Process.HIERARCHICAL,
}


@dataclass(frozen=True, slots=True)
class Segment:
    """A marker segment; `payload` is without marker and length."""

    marker: int
    payload: bytes

    @property
    def is_metadata(self) -> bool:
        """Whether decoders need nothing of it to rebuild the samples."""
        if self.marker == _APP14 and self.payload.startswith(_ADOBE):
            return False
        return _APP0 <= self.marker <= _APP15 or self.marker == COM

    def encode(self) -> bytes:
        return struct.pack(">BBH", 0xFF, self.marker, len(self.payload) + 2) + self.payload


@dataclass(frozen=True, slots=True)
class Component:
    """One colour component of the frame header."""

    identifier: int
    horizontal: int
    vertical: int
    table: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JpegHeader(Header):
    """What the segments of a JPEG say.

    Attributes:
        process: the coding process.
        components: in frame order.
        tables: quantisation tables in natural order (row by row), by destination 0 to 3.
        adobe_transform: colour transform of the Adobe segment, None where there is none.
        segments: all of the first picture before its first scan, in order.
        scans: number of scans of the first picture.
        body: range of bytes from the first SOS marker up to and including EOI.
        trailing: bytes after the first picture's EOI.
        xmp: the XMP packet, or None.
        has_pictures_index: whether an MPF index names further pictures in the file.
        marked_quality: the quality this engine made the file for, where a valid mark says so.
    """

    process: Process
    components: tuple[Component, ...]
    tables: dict[int, QuantisationTable]
    adobe_transform: int | None
    segments: tuple[Segment, ...]
    scans: int
    body: tuple[int, int]
    trailing: int
    xmp: bytes | None
    has_pictures_index: bool
    marked_quality: int | None

    @property
    def subsampling(self) -> str:
        """Chroma subsampling in J:a:b notation, or the sampling factors where it has no name."""
        if len(self.components) == 1:
            return "greyscale"
        factors = tuple((one.horizontal, one.vertical) for one in self.components)
        known = {
            (1, 1): "4:4:4",
            (2, 1): "4:2:2",
            (2, 2): "4:2:0",
            (1, 2): "4:4:0",
            (4, 1): "4:1:1",
        }
        if len(factors) == 3 and factors[1:] == ((1, 1), (1, 1)) and factors[0] in known:
            return known[factors[0]]
        return "sampling " + ",".join(f"{across}x{down}" for across, down in factors)

    @property
    def is_subsampled(self) -> bool:
        """Whether any component is stored at a lower resolution than another."""
        return len({(one.horizontal, one.vertical) for one in self.components}) > 1

    @property
    def luma_table(self) -> QuantisationTable | None:
        """The quantisation table of the first component, None where it is missing."""
        return self.tables.get(self.components[0].table)

    @property
    def has_gain_map(self) -> bool:
        """Whether the metadata speaks of an HDR gain map."""
        markers = (b"hdrgm:", b"HDRGainMap", b"urn:iso:std:iso:ts:21496")
        return any(
            any(marker in segment.payload for marker in markers)
            for segment in self.segments
            if segment.marker in (APP1, APP2)
        )

    def metadata_size(self) -> int:
        """Bytes of segments and trailing data that hold no samples."""
        kept = sum(len(one.payload) + 4 for one in self.segments if one.is_metadata)
        return kept + self.trailing

    def describe(self) -> tuple[str, ...]:
        scans = "1 scan" if self.scans == 1 else f"{self.scans} scans"
        facts = [str(self.process), self.subsampling, scans]
        if len(self.components) == 4:
            facts.append("CMYK" if self.adobe_transform != 2 else "YCCK")
        if self.has_pictures_index:
            facts.append("multi-picture (MPF)")
        if self.has_gain_map:
            facts.append("HDR gain map")
        if self.xmp is not None:
            facts.append("XMP")
        if self.marked_quality is not None:
            facts.append(f"made by TinyJPG at quality {self.marked_quality}")
        if self.trailing:
            facts.append(f"{self.trailing:,} bytes after the picture")
        return tuple(facts)


def parse(data: bytes) -> JpegHeader:
    """Read the segments of the first picture in `data`.

    Raises:
        CorruptImageError: not a JPEG, truncated, or a segment breaks the rules.
    """
    if data[:2] != b"\xff\xd8":
        raise _corrupt("it does not start with the SOI marker")
    segments, at = _read_segments(data)
    frame_marker, frame = _frame(segments)
    end, scans = _skip_scans(data, at)
    precision, height, width, count = struct.unpack_from(">BHHB", frame)
    if not width or not height:
        raise _corrupt(f"its frame header says {width} x {height} pixels")
    if count == 0 or len(frame) < 6 + 3 * count:
        raise _corrupt("its frame header is cut short")
    components = tuple(
        Component(frame[i], frame[i + 1] >> 4, frame[i + 1] & 15, frame[i + 2])
        for i in range(6, 6 + 3 * count, 3)
    )
    exif_block = _payload_after(segments, APP1, EXIF)
    return JpegHeader(
        format=Format.JPEG,
        width=width,
        height=height,
        bit_depth=precision,
        orientation=exif.orientation(exif_block) if exif_block else 1,
        icc_profile=_icc_profile(segments),
        exif=exif_block,
        process=_PROCESSES[frame_marker],
        components=components,
        tables=_quantisation_tables(segments),
        adobe_transform=_adobe_transform(segments),
        segments=tuple(segments),
        scans=scans,
        body=(at, end),
        trailing=len(data) - end,
        xmp=_payload_after(segments, APP1, _XMP),
        has_pictures_index=_payload_after(segments, APP2, _MPF) is not None,
        marked_quality=_marked_quality(data, segments, (at, end)),
    )


def is_exif(segment: Segment) -> bool:
    return segment.marker == APP1 and segment.payload.startswith(EXIF)


def is_icc(segment: Segment) -> bool:
    return segment.marker == APP2 and segment.payload.startswith(ICC)


def is_mpf(segment: Segment) -> bool:
    return segment.marker == APP2 and segment.payload.startswith(_MPF)


def is_jfif(segment: Segment) -> bool:
    return segment.marker == _APP0


def is_xmp(segment: Segment) -> bool:
    return segment.marker == APP1 and segment.payload.startswith(_XMP)


def is_mark(segment: Segment) -> bool:
    return segment.marker == COM and jpeg_marker.is_mark(segment.payload)


def _read_segments(data: bytes) -> tuple[list[Segment], int]:
    """All segments up to the first SOS marker, and where that marker is."""
    segments: list[Segment] = []
    at = 2
    while True:
        at, marker = _next_marker(data, at)
        if marker == _SOS:
            return segments, at
        if marker == _EOI:
            raise _corrupt("it ends before any image data")
        if len(segments) == _MOST_SEGMENTS:
            raise _too_many()
        if at + 4 > len(data):
            raise _truncated()
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if length < 2:
            raise _corrupt(f"the segment at byte {at} has a length of {length}")
        if at + 2 + length > len(data):
            raise _truncated()
        segments.append(Segment(marker, data[at + 4 : at + 2 + length]))
        at += 2 + length


def _next_marker(data: bytes, at: int) -> tuple[int, int]:
    """The position of the next marker's 0xFF and its code.

    Stray bytes, padding and markers that stand alone are skipped.
    """
    found = _MARKER.search(data, at)
    if found is None:
        raise _truncated()
    return found.start(), data[found.start() + 1]


def _skip_scans(data: bytes, at: int) -> tuple[int, int]:
    """The position after EOI and the number of scans, `at` being the first SOS marker."""
    scans = 0
    for _ in range(_MOST_SEGMENTS):
        at, marker = _next_marker(data, at)
        if marker == _EOI:
            return at + 2, scans
        if at + 4 > len(data):
            raise _truncated()
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == _SOS:
            scans += 1
            found = _MARKER_IN_SCAN.search(data, at)
            if found is None:
                raise _truncated()
            at = found.start()
    raise _too_many()


def _frame(segments: list[Segment]) -> tuple[int, bytes]:
    frames = [
        one for one in segments if 0xC0 <= one.marker <= 0xCF and one.marker not in _NOT_FRAMES
    ]
    if not frames:
        raise _corrupt("it has no frame header")
    if len(frames) > 1 and _PROCESSES[frames[0].marker] is not Process.HIERARCHICAL:
        raise _corrupt("it has two frame headers")
    frame = frames[0]
    if len(frame.payload) < 9:
        raise _corrupt("its frame header is cut short")
    return frame.marker, frame.payload


def _payload_after(segments: list[Segment], marker: int, prefix: bytes) -> bytes | None:
    for one in segments:
        if one.marker == marker and one.payload.startswith(prefix):
            return one.payload[len(prefix) :]
    return None


def _icc_profile(segments: list[Segment]) -> bytes | None:
    pieces = {
        one.payload[len(ICC)]: one.payload[len(ICC) + 2 :]
        for one in segments
        if is_icc(one) and len(one.payload) > len(ICC) + 2
    }
    return b"".join(pieces[number] for number in sorted(pieces)) if pieces else None


def _marked_quality(data: bytes, segments: list[Segment], body: tuple[int, int]) -> int | None:
    comments = [one.payload for one in segments if one.marker == COM]
    return jpeg_marker.marked_quality(comments, coded(data, segments, body))


def coded(
    data: bytes, segments: Iterable[Segment], body: tuple[int, int]
) -> Iterator[bytes | memoryview]:
    """What decoders need, in order; made only where it is asked for."""
    yield from (one.encode() for one in segments if not one.is_metadata)
    yield memoryview(data)[body[0] : body[1]]


def _adobe_transform(segments: list[Segment]) -> int | None:
    for one in segments:
        if one.marker == _APP14 and one.payload.startswith(_ADOBE) and len(one.payload) >= 12:
            return one.payload[11]
    return None


def _quantisation_tables(segments: list[Segment]) -> dict[int, QuantisationTable]:
    tables: dict[int, QuantisationTable] = {}
    for one in segments:
        at = 0
        while one.marker == _DQT and at < len(one.payload):
            wide, destination = one.payload[at] >> 4, one.payload[at] & 15
            size = 128 if wide else 64
            values = one.payload[at + 1 : at + 1 + size]
            if len(values) < size:
                raise _corrupt("a quantisation table is cut short")
            zigzag = struct.unpack(">64H", values) if wide else tuple(values)
            natural = [0] * 64
            for position, value in zip(_ZIGZAG, zigzag, strict=True):
                natural[position] = value
            tables[destination] = tuple(natural)
            at += 1 + size
    return tables


def _corrupt(what: str) -> CorruptImageError:
    return CorruptImageError(f"the JPEG is damaged: {what}; export or download it again")


def _too_many() -> CorruptImageError:
    return _corrupt(f"it has more than {_MOST_SEGMENTS:,} segments")


def _truncated() -> CorruptImageError:
    return CorruptImageError(
        "the JPEG is truncated: it ends before its EOI marker; download it again"
    )
