"""Writing WebP containers (RFC 9649): the pictures as they are, with chosen chunks around them."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import Final

from tinyjpg.containers.webp import (
    FLAG_ALPHA,
    FLAG_ANIMATION,
    FLAG_DISPOSE,
    FLAG_EXIF,
    FLAG_ICC,
    FLAG_NO_BLEND,
    FLAG_XMP,
    MARKER,
    MARKER_ID,
    checksum,
)
from tinyjpg.containers.webp_header import Bitstream, Chunk, Frame, WebpHeader
from tinyjpg.errors import TinyJPGError

_MOST_RIFF_BYTES: Final = (1 << 32) - 10


def write(header: WebpHeader) -> bytes:
    """The file that `header` describes, with a VP8X chunk only where something needs it.

    What is written follows from the header's pictures, animation, ICC profile, EXIF, XMP, other
    chunks and `marked_quality`; the marker is made anew for these pictures. To change something,
    hand in a `dataclasses.replace` of the header.

    Raises:
        TinyJPGError: the file would not fit a RIFF container (4 GiB).
    """
    return _riff(_chunks(header))


def standalone(bitstream: Bitstream) -> bytes:
    """A still WebP file of nothing but `bitstream`, for decoding it."""
    width, height = bitstream.width, bitstream.height
    chunks = list(bitstream.chunks)
    if bitstream.alpha is not None:
        chunks.insert(0, _extended(FLAG_ALPHA, width, height))
    return _riff(chunks)


def _riff(chunks: Iterable[Chunk]) -> bytes:
    body = b"".join(_chunk(name, payload) for name, payload in chunks)
    if len(body) > _MOST_RIFF_BYTES:
        raise TinyJPGError(
            f"the WebP file would have {len(body):,} bytes, more than the format can hold; "
            "make the image smaller"
        )
    return struct.pack("<4sI4s", b"RIFF", len(body) + 4, b"WEBP") + body


def _chunk(name: bytes, payload: bytes) -> bytes:
    return struct.pack("<4sI", name, len(payload)) + payload + bytes(len(payload) % 2)


def _chunks(header: WebpHeader) -> Iterator[Chunk]:
    if _needs_extended(header):
        yield _extended(_flags(header), header.width, header.height)
    if header.icc_profile is not None:
        yield b"ICCP", header.icc_profile
    if header.animation is None:
        yield from header.pictures[0].bitstream.chunks
    else:
        control = header.animation
        yield b"ANIM", control.background + struct.pack("<H", control.loop_count)
        for frame in header.pictures:
            yield b"ANMF", _frame(frame)
    if header.exif is not None:
        yield b"EXIF", header.exif
    if header.xmp is not None:
        yield b"XMP ", header.xmp
    yield from header.other
    if header.marked_quality is not None:
        quality = header.marked_quality
        yield MARKER_ID, MARKER.pack(quality, checksum(header.pictures, quality))


def _needs_extended(header: WebpHeader) -> bool:
    blocks = (header.icc_profile, header.exif, header.xmp, header.animation, header.marked_quality)
    return (
        any(block is not None for block in blocks)
        or bool(header.other)
        or header.contradicts_alpha
        or any(picture.bitstream.alpha is not None for picture in header.pictures)
    )


def _flags(header: WebpHeader) -> int:
    # An animation can be transparent where its frames are not: beside them.
    shows_alpha = header.shows_alpha and (
        header.animation is not None
        or any(picture.bitstream.has_alpha for picture in header.pictures)
    )
    return (
        FLAG_ICC * (header.icc_profile is not None)
        | FLAG_EXIF * (header.exif is not None)
        | FLAG_XMP * (header.xmp is not None)
        | FLAG_ANIMATION * (header.animation is not None)
        | FLAG_ALPHA * shows_alpha
    )


def _extended(flags: int, width: int, height: int) -> Chunk:
    return b"VP8X", (
        struct.pack("<I", flags)
        + (width - 1).to_bytes(3, "little")
        + (height - 1).to_bytes(3, "little")
    )


def _frame(frame: Frame) -> bytes:
    bitstream = frame.bitstream
    numbers = (
        frame.x // 2,
        frame.y // 2,
        bitstream.width - 1,
        bitstream.height - 1,
        frame.duration,
    )
    flags = FLAG_NO_BLEND * (not frame.blend) | FLAG_DISPOSE * frame.dispose
    return (
        b"".join(number.to_bytes(3, "little") for number in numbers)
        + bytes([flags])
        + b"".join(_chunk(name, payload) for name, payload in bitstream.chunks)
    )
