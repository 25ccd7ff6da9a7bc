"""GIF files written block by block: every disposal, local palettes, interlacing, any delay."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.uint8]
Palette = Sequence[tuple[int, int, int]]

NONE, KEEP, BACKGROUND, PREVIOUS = 0, 1, 2, 3

_MOST_CODES = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One image of a GIF.

    Attributes:
        indices: height x width, into the local palette where there is one, else the global.
        delay: hundredths of a second; None leaves out the graphic control extension.
        disposal: what becomes of its area before the next: 0 and 1 leave it, 2 clears it, 3
            restores what was there before.
        transparent: the index that is not drawn, or None.
        left, top: where it goes on the screen.
        palette: its own colours, or none.
        interlaced: rows stored in four passes.
    """

    indices: Indices
    delay: int | None = None
    disposal: int = NONE
    transparent: int | None = None
    left: int = 0
    top: int = 0
    palette: Palette = ()
    interlaced: bool = False


def encode(
    frames: Sequence[Frame],
    palette: Palette = (),
    *,
    size: tuple[int, int] | None = None,
    loops: int | None = None,
    comment: bytes = b"",
    version: bytes = b"89a",
) -> bytes:
    """A GIF file.

    Args:
        palette: the global colours, or none.
        size: width and height of the screen; by default those of the first frame.
        loops: written as a Netscape extension (0 = for ever); None writes none.
    """
    height, width = frames[0].indices.shape
    if size is not None:
        width, height = size
    flags = 0x80 | 0x70 | _size_bits(palette) if palette else 0x70
    data = b"GIF" + version + struct.pack("<HHBBB", width, height, flags, 0, 0)
    data += _colour_table(palette)
    if loops is not None:
        data += b"\x21\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<H", loops) + b"\0"
    if comment:
        data += b"\x21\xfe" + _sub_blocks(comment)
    return data + b"".join(_image(frame, palette) for frame in frames) + b"\x3b"


def _image(frame: Frame, global_palette: Palette) -> bytes:
    data = b""
    if frame.delay is not None or frame.transparent is not None or frame.disposal:
        flags = frame.disposal << 2 | (frame.transparent is not None)
        delay, index = frame.delay or 0, frame.transparent or 0
        data += b"\x21\xf9\x04" + struct.pack("<BHBB", flags, delay, index, 0)
    height, width = frame.indices.shape
    flags = 0x40 if frame.interlaced else 0
    if frame.palette:
        flags |= 0x80 | _size_bits(frame.palette)
    data += b"\x2c" + struct.pack("<HHHHB", frame.left, frame.top, width, height, flags)
    data += _colour_table(frame.palette)
    indices = frame.indices
    if frame.interlaced:
        order = [
            row
            for start, step in ((0, 8), (4, 8), (2, 4), (1, 2))
            for row in range(start, height, step)
        ]
        indices = indices[order]
    bits = max(_size_bits(frame.palette or global_palette) + 1, 2)
    return data + bytes([bits]) + _sub_blocks(_lzw(indices.tobytes(), bits))


def _size_bits(palette: Palette) -> int:
    return max((len(palette) - 1).bit_length(), 1) - 1


def _colour_table(palette: Palette) -> bytes:
    if not palette:
        return b""
    used = bytes(value for colour in palette for value in colour)
    return used.ljust(3 << (_size_bits(palette) + 1), b"\0")


def _sub_blocks(data: bytes) -> bytes:
    blocks = [data[at : at + 255] for at in range(0, len(data), 255)]
    return b"".join(bytes([len(block)]) + block for block in blocks) + b"\0"


def _lzw(indices: bytes, bits: int) -> bytes:
    accumulated, length, packed = 0, 0, bytearray()
    for code, size in _codes(indices, bits):
        accumulated |= code << length
        length += size
        while length >= 8:
            packed.append(accumulated & 0xFF)
            accumulated >>= 8
            length -= 8
    if length:
        packed.append(accumulated)
    return bytes(packed)


def _codes(indices: bytes, bits: int) -> Iterator[tuple[int, int]]:
    """The LZW codes with the bits each takes (GIF89a specification, appendix F)."""
    clear, end = 1 << bits, (1 << bits) + 1
    table: dict[bytes, int] = {}
    following, size = end + 1, bits + 1
    yield clear, size
    prefix = b""
    for value in indices:
        longer = prefix + bytes([value])
        if len(longer) == 1 or longer in table:
            prefix = longer
            continue
        yield (table[prefix] if len(prefix) > 1 else prefix[0]), size
        if following < _MOST_CODES:
            table[longer] = following
            if following == 1 << size:
                size += 1
            following += 1
        else:
            yield clear, size
            table.clear()
            following, size = end + 1, bits + 1
        prefix = longer[-1:]
    yield (table[prefix] if len(prefix) > 1 else prefix[0]), size
    if following == 1 << size and size < 12:
        size += 1
    yield end, size
