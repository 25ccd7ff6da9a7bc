"""Writing a PNG with chosen chunks."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

from tinyjpg.containers.png import PngHeader
from tinyjpg.containers.png_chunks import SIGNATURE, pieces, write
from tinyjpg.containers.png_order import AFTER_PALETTE


def assemble(
    header: PngHeader,
    ancillary: Sequence[tuple[bytes, bytes]],
    image: Iterable[bytes | memoryview],
) -> bytes:
    """A PNG with the size, pixel format, palette and transparency of `header`.

    Args:
        ancillary: (type, body) of the other chunks, in the order wanted; those that have to follow
            the palette are put there.
        image: the chunks of the image data, written already, from the first frame's fcTL on;
            in as many pieces as is convenient.
    """
    parts = [SIGNATURE, write(b"IHDR", _ihdr(header))]
    parts += [write(kind, body) for kind, body in ancillary if kind not in AFTER_PALETTE]
    if header.palette:
        parts.append(write(b"PLTE", header.palette))
    if header.transparency is not None:
        parts.append(write(b"tRNS", header.transparency))
    parts += [write(kind, body) for kind, body in ancillary if kind in AFTER_PALETTE]
    return b"".join((*parts, *image, write(b"IEND", b"")))


def still(
    header: PngHeader,
    ancillary: Sequence[tuple[bytes, bytes]],
    compressed: Sequence[bytes | memoryview],
) -> bytes:
    """A PNG of one image; `compressed` is the zlib stream of its pixels, in pieces."""
    return assemble(header, ancillary, pieces(b"IDAT", compressed))


def _ihdr(header: PngHeader) -> bytes:
    return struct.pack(
        ">IIBBBBB",
        header.width,
        header.height,
        header.bit_depth,
        header.colour_type,
        0,
        0,
        header.interlaced,
    )
