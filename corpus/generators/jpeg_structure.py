"""JPEG files put together from segments: what no encoder at hand writes."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from corpus.generators.pictures import Pixels

SOI = b"\xff\xd8"
EOI = b"\xff\xd9"
APP0, APP1, APP2, APP14, COMMENT = 0xE0, 0xE1, 0xE2, 0xEE, 0xFE
SOF0, SOF1, SOS, DQT, DHT = 0xC0, 0xC1, 0xDA, 0xDB, 0xC4
ICC_SIGNATURE = b"ICC_PROFILE\0"
EXIF_SIGNATURE = b"Exif\0\0"
XMP_SIGNATURE = b"http://ns.adobe.com/xap/1.0/\0"

Segment = tuple[int, bytes]


def encode(pixels: Pixels, **options: Any) -> bytes:
    """Encode through Pillow (libjpeg-turbo): quality 95 unless told otherwise."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", **{"quality": 95, **options})
    return stream.getvalue()


def segment(marker: int, payload: bytes) -> bytes:
    """One marker segment with its length."""
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def split(data: bytes) -> tuple[list[Segment], bytes]:
    """The segments before the first scan, and everything from its SOS marker on."""
    found: list[Segment] = []
    at = len(SOI)
    while data[at + 1] != SOS:
        marker, length = struct.unpack_from(">xBH", data, at)
        found.append((marker, data[at + 4 : at + 2 + length]))
        at += 2 + length
    return found, data[at:]


def join(segments: Sequence[Segment], rest: bytes) -> bytes:
    """The inverse of `split`."""
    return SOI + b"".join(segment(marker, payload) for marker, payload in segments) + rest


def insert(data: bytes, *added: Segment) -> bytes:
    """`data` with segments added behind its JFIF header."""
    segments, rest = split(data)
    at = 1 if segments and segments[0][0] == APP0 else 0
    return join([*segments[:at], *added, *segments[at:]], rest)


def without(data: bytes, marker: int) -> bytes:
    """`data` without the segments of one marker."""
    segments, rest = split(data)
    return join([one for one in segments if one[0] != marker], rest)


def resized_header(data: bytes, width: int, height: int) -> bytes:
    """`data` whose frame header claims another size."""
    segments, rest = split(data)
    return join(
        [
            (marker, payload[:1] + struct.pack(">HH", height, width) + payload[5:])
            if marker == SOF0
            else (marker, payload)
            for marker, payload in segments
        ],
        rest,
    )


def icc_segments(profile: bytes, parts: int = 1) -> list[Segment]:
    """An ICC profile in `parts` numbered APP2 segments."""
    size = -(-len(profile) // parts)
    return [
        (APP2, ICC_SIGNATURE + bytes([number + 1, parts]) + profile[number * size :][:size])
        for number in range(parts)
    ]


def adobe(transform: int) -> Segment:
    """An Adobe segment; transform 0 is RGB or CMYK as it stands, 1 YCbCr, 2 YCCK."""
    return APP14, b"Adobe" + struct.pack(">HHHB", 100, 0, 0, transform)


def from_planes(
    planes: Sequence[Pixels],
    factors: Sequence[tuple[int, int]],
    size: tuple[int, int],
    *,
    identifiers: Sequence[int] | None = None,
    before: Sequence[Segment] = (),
) -> bytes:
    """A baseline JPEG of any sampling factors with a scan of its own for each component.

    A scan of one component is coded like that of a grey picture of the component's size, so the
    scans are taken over from grey JPEGs that share their tables.

    Args:
        planes: the samples of each component; each ceil(size x factor / largest factor) large.
        factors: horizontal and vertical sampling factor of each component.
        size: width and height of the picture.
        identifiers: the components' ids, 1, 2, 3... by default.
        before: segments to put ahead of the tables.
    """
    identifiers = identifiers or range(1, len(planes) + 1)
    parts = [split(encode(plane, quality=90)) for plane in planes]
    tables = [one for one in parts[0][0] if one[0] in (DQT, DHT)]
    width, height = size
    frame = struct.pack(">BHHB", 8, height, width, len(planes)) + b"".join(
        bytes([identifier, across << 4 | down, 0])
        for identifier, (across, down) in zip(identifiers, factors, strict=True)
    )
    scans = b""
    for identifier, (_, rest) in zip(identifiers, parts, strict=True):
        (length,) = struct.unpack_from(">2xH", rest)
        entropy = rest[2 + length :].removesuffix(EOI)
        scans += segment(SOS, bytes([1, identifier, 0, 0, 63, 0])) + entropy
    return join([*before, *tables, (SOF0, frame)], scans + EOI)


def ycbcr_planes(pixels: Pixels, shrink: tuple[int, int]) -> list[Pixels]:
    """Y, Cb and Cr of an RGB picture, the last two averaged over `shrink` (across, down)."""
    image = Image.fromarray(pixels).convert("YCbCr")
    across, down = shrink
    small = image.resize(
        (-(-image.width // across), -(-image.height // down)), Image.Resampling.BOX
    )
    return [
        np.asarray(image)[..., 0].copy(),
        np.asarray(small)[..., 1].copy(),
        np.asarray(small)[..., 2].copy(),
    ]


def multi_picture(primary: bytes, second: bytes, attributes: int) -> bytes:
    """Two JPEGs in one Multi-Picture Format file (CIPA DC-007).

    Args:
        primary: the picture that every viewer shows.
        second: the picture behind it.
        attributes: what the second is; 0x020002 is a disparity image, 0 is not further specified.
    """

    def index(primary_size: int, second_at: int) -> bytes:
        entries = struct.pack(">IIIHH", 0x20030000, primary_size, 0, 0, 0)
        entries += struct.pack(">IIIHH", attributes, len(second), second_at, 0, 0)
        directory = struct.pack(">H", 3)
        directory += struct.pack(">HHI4s", 0xB000, 7, 4, b"0100")
        directory += struct.pack(">HHII", 0xB001, 4, 1, 2)
        directory += struct.pack(">HHII", 0xB002, 7, len(entries), 8 + 2 + 3 * 12 + 4)
        return b"MPF\0MM\0\x2a" + struct.pack(">I", 8) + directory + bytes(4) + entries

    size = len(insert(primary, (APP2, index(0, 0))))
    # Offsets count from the TIFF header inside the segment, which follows "MPF\0".
    header_at = insert(primary, (APP2, index(0, 0))).index(b"MPF\0") + 4
    return insert(primary, (APP2, index(size, size - header_at))) + second
