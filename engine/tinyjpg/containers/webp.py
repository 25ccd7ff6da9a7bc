"""The WebP container (RFC 9649): RIFF chunks read into a header, stills and animations alike.

What a viewer ignores is ignored here too: bytes behind the RIFF chunk, and profiles or metadata
that the VP8X flags do not announce.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import Final

from tinyjpg.containers import exif
from tinyjpg.containers.vp8 import parse_vp8, parse_vp8l
from tinyjpg.containers.webp_header import (
    CHUNK_HEADER_SIZE,
    Animation,
    Bitstream,
    Chunk,
    Frame,
    WebpHeader,
)
from tinyjpg.errors import CorruptImageError
from tinyjpg.formats import Format

RIFF_HEADER_SIZE: Final = 12
VP8X_SIZE: Final = 10
ANIM_SIZE: Final = 6
ANMF_HEADER_SIZE: Final = 16

# Flags of the VP8X chunk.
FLAG_ICC: Final = 0x20
FLAG_ALPHA: Final = 0x10
FLAG_EXIF: Final = 0x08
FLAG_XMP: Final = 0x04
FLAG_ANIMATION: Final = 0x02

# Flags of an ANMF chunk.
FLAG_NO_BLEND: Final = 0x02
FLAG_DISPOSE: Final = 0x01

MARKER_ID: Final = b"TJPG"
MARKER: Final = struct.Struct("<BI")
"""Payload of the marker chunk: quality 1 to 100, and the `checksum`."""

_EXIF_PREFIX: Final = b"Exif\0\0"
_MOST_CANVAS_PIXELS: Final = 1 << 32
_MOST_CHUNKS: Final = 100_000
_IMAGE_IDS: Final = frozenset({b"VP8 ", b"VP8L", b"ALPH"})


def parse(data: bytes) -> WebpHeader:
    """Read the container of a WebP file; no pixel is decoded.

    Raises:
        CorruptImageError: it is truncated or breaks the format's rules.
    """
    if len(data) < RIFF_HEADER_SIZE or data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        raise _corrupt("it does not start with a RIFF header of type WEBP")
    (size,) = struct.unpack_from("<I", data, 4)
    end = size + CHUNK_HEADER_SIZE
    # Some writers forget the padding byte behind a last chunk of odd size.
    if end > len(data) + 1:
        raise _corrupt(f"it should have {end:,} bytes and has {len(data):,}: it is truncated")
    chunks = _chunks(data, RIFF_HEADER_SIZE, min(end, len(data)))
    first = next(chunks, None)
    if first is None:
        raise _corrupt("it has no chunks")
    if first[0] == b"VP8X":
        return _parse_extended([first, *chunks])
    # Viewers read nothing behind the image of a simple file.
    bitstream = _bitstream([first])
    return WebpHeader(
        format=Format.WEBP,
        width=bitstream.width,
        height=bitstream.height,
        has_alpha=bitstream.has_alpha,
        pictures=(Frame(bitstream=bitstream),),
    )


def checksum(pictures: Iterable[Frame], quality: int) -> int:
    """The CRC-32 of `quality`, a byte, and the image chunks: what ties a marker to its file."""
    value = zlib.crc32(bytes([quality]))
    for picture in pictures:
        for name, payload in picture.bitstream.chunks:
            value = zlib.crc32(payload, zlib.crc32(name, value))
    return value


def lossy_bitstream(payload: bytes, alpha: bytes | None) -> Bitstream:
    """The bitstream of a VP8 chunk and the ALPH chunk before it.

    Raises:
        CorruptImageError: the header of the VP8 frame is damaged.
    """
    found = parse_vp8(payload)
    return Bitstream(
        lossless=False,
        width=found.width,
        height=found.height,
        payload=payload,
        alpha=alpha,
        has_alpha=alpha is not None,
    )


def lossless_bitstream(payload: bytes) -> Bitstream:
    """The bitstream of a VP8L chunk.

    Raises:
        CorruptImageError: its header is damaged.
    """
    found = parse_vp8l(payload)
    return Bitstream(
        lossless=True,
        width=found.width,
        height=found.height,
        payload=payload,
        has_alpha=found.has_alpha,
    )


def _corrupt(found: str) -> CorruptImageError:
    return CorruptImageError(f"the WebP file is damaged: {found}; export or download it again")


def _chunks(data: bytes, start: int, end: int) -> Iterator[Chunk]:
    """The chunks of `data[start:end]`; a tail too short for a chunk header is left out."""
    count = 0
    while end - start >= CHUNK_HEADER_SIZE:
        name, size = struct.unpack_from("<4sI", data, start)
        start += CHUNK_HEADER_SIZE
        if size > end - start:
            raise _corrupt(f"its {name!r} chunk of {size:,} bytes is truncated")
        count += 1
        if count > _MOST_CHUNKS:
            raise _corrupt(f"it has more than {_MOST_CHUNKS:,} chunks")
        yield name, data[start : start + size]
        start += size + size % 2


def _parse_extended(chunks: list[Chunk]) -> WebpHeader:
    extended = chunks[0][1]
    if len(extended) < VP8X_SIZE:
        raise _corrupt(f"its VP8X chunk has {len(extended)} bytes instead of {VP8X_SIZE}")
    flags = extended[0]
    width, height = _uint24(extended, 4) + 1, _uint24(extended, 7) + 1
    if width * height >= _MOST_CANVAS_PIXELS:
        raise _corrupt(f"its canvas is {width:,} x {height:,} pixels, more than the format allows")
    animation, pictures = (
        _animation(chunks, width, height)
        if flags & FLAG_ANIMATION
        else (None, (_still(chunks, width, height),))
    )
    profile = _first(chunks, b"ICCP") if flags & FLAG_ICC else None
    block = _first(chunks, b"EXIF") if flags & FLAG_EXIF else None
    if block is not None:
        block = block.removeprefix(_EXIF_PREFIX) or None
    shows_alpha = bool(flags & FLAG_ALPHA)
    return WebpHeader(
        format=Format.WEBP,
        width=width,
        height=height,
        frames=len(pictures),
        has_alpha=shows_alpha and any(one.bitstream.has_alpha for one in pictures),
        orientation=1 if block is None else exif.orientation(block),
        icc_profile=profile,
        exif=block,
        pictures=pictures,
        animation=animation,
        shows_alpha=shows_alpha,
        xmp=_first(chunks, b"XMP ") if flags & FLAG_XMP else None,
        other=tuple(chunk for chunk in chunks if chunk[0] not in _KNOWN_IDS),
        marked_quality=_marked_quality(_first(chunks, MARKER_ID), pictures),
    )


_KNOWN_IDS: Final = _IMAGE_IDS | {
    b"VP8X", b"ICCP", b"ANIM", b"ANMF", b"EXIF", b"XMP ", MARKER_ID,
}  # fmt: skip


def _uint24(data: bytes, offset: int) -> int:
    return int.from_bytes(data[offset : offset + 3], "little")


def _first(chunks: list[Chunk], wanted: bytes) -> bytes | None:
    return next((payload for name, payload in chunks if name == wanted and payload), None)


def _marked_quality(marker: bytes | None, pictures: tuple[Frame, ...]) -> int | None:
    if marker is None or len(marker) != MARKER.size:
        return None
    quality, expected = MARKER.unpack(marker)
    if not 1 <= quality <= 100 or expected != checksum(pictures, quality):
        return None
    return int(quality)


def _still(chunks: list[Chunk], width: int, height: int) -> Frame:
    images = [chunk for chunk in chunks if chunk[0] in _IMAGE_IDS]
    bitstream = _bitstream(images)
    if (bitstream.width, bitstream.height) != (width, height):
        raise _corrupt(
            f"its canvas is {width} x {height} pixels and its picture "
            f"{bitstream.width} x {bitstream.height}"
        )
    return Frame(bitstream=bitstream)


def _bitstream(images: list[Chunk]) -> Bitstream:
    """The picture that `images` store: VP8L, VP8, or ALPH and VP8, and nothing besides."""
    match images:
        case [(b"VP8L", payload)]:
            return lossless_bitstream(payload)
        case [(b"VP8 ", payload)]:
            return lossy_bitstream(payload, None)
        case [(b"ALPH", alpha), (b"VP8 ", payload)]:
            return lossy_bitstream(payload, alpha)
    found = ", ".join(repr(name.decode("latin-1")) for name, _ in images[:4]) or "none"
    raise _corrupt(f"a picture is one VP8L chunk, or VP8 with or without ALPH; found {found}")


def _animation(chunks: list[Chunk], width: int, height: int) -> tuple[Animation, tuple[Frame, ...]]:
    control = _first(chunks, b"ANIM")
    if control is None or len(control) < ANIM_SIZE:
        raise _corrupt("it is an animation without an ANIM chunk")
    if any(name in _IMAGE_IDS for name, _ in chunks):
        raise _corrupt("it is an animation with a picture outside of its frames")
    frames = tuple(_frame(payload, width, height) for name, payload in chunks if name == b"ANMF")
    if not frames:
        raise _corrupt("it is an animation without frames")
    (loop_count,) = struct.unpack_from("<H", control, 4)
    return Animation(loop_count, control[:4]), frames


def _frame(payload: bytes, width: int, height: int) -> Frame:
    if len(payload) < ANMF_HEADER_SIZE:
        raise _corrupt(f"a frame has only {len(payload)} bytes")
    x, y, frame_width, frame_height, duration = (_uint24(payload, at) for at in range(0, 15, 3))
    x, y, frame_width, frame_height = 2 * x, 2 * y, frame_width + 1, frame_height + 1
    if x + frame_width > width or y + frame_height > height:
        raise _corrupt(
            f"a frame of {frame_width} x {frame_height} pixels at {x}, {y} "
            f"exceeds the canvas of {width} x {height}"
        )
    inner = _chunks(payload, ANMF_HEADER_SIZE, len(payload))
    bitstream = _bitstream([chunk for chunk in inner if chunk[0] in _IMAGE_IDS])
    if (bitstream.width, bitstream.height) != (frame_width, frame_height):
        raise _corrupt(
            f"a frame of {frame_width} x {frame_height} pixels holds a picture of "
            f"{bitstream.width} x {bitstream.height}"
        )
    return Frame(
        bitstream=bitstream,
        x=x,
        y=y,
        duration=duration,
        blend=not payload[15] & FLAG_NO_BLEND,
        dispose=bool(payload[15] & FLAG_DISPOSE),
    )
