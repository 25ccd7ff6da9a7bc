"""The engine's mark in a PNG: at which quality its colours were reduced.

Neither a palette nor truecolour tells whether a file was reduced already, and it would lose quality
again with every pass; so it carries this chunk: ancillary, private, unsafe to copy. Its check ties
it to the pixels: a mark that another tool copied onto other pixels counts for nothing.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from typing import Final

from tinyjpg.containers.png_chunks import CHUNK_OVERHEAD, Chunk, write

MARKER: Final = b"tjPQ"

_BODY: Final = ">BI"
_PICTURE: Final = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT"})


def marked(data: bytes, chunks: Iterable[Chunk], quality: int) -> bytes:
    """The file `data`, which has no mark, with one that says `quality`, 1 to 99."""
    mark = write(MARKER, struct.pack(_BODY, quality, _check(data, chunks)))
    return data[:-CHUNK_OVERHEAD] + mark + data[-CHUNK_OVERHEAD:]


def marked_quality(data: bytes, chunks: Iterable[Chunk]) -> int | None:
    """The quality that a valid mark in the file `data` names; None without one."""
    chunks = tuple(chunks)
    marks = [chunk for chunk in chunks if chunk.type == MARKER]
    if len(marks) != 1 or marks[0].length != struct.calcsize(_BODY):
        return None
    quality, check = struct.unpack_from(_BODY, data, marks[0].start)
    if not 1 <= quality <= 99 or check != _check(data, chunks):
        return None
    return int(quality)


def _check(data: bytes, chunks: Iterable[Chunk]) -> int:
    view = memoryview(data)
    check = 0
    for chunk in chunks:
        if chunk.type in _PICTURE:
            check = zlib.crc32(view[chunk.start : chunk.start + chunk.length], check)
    return check
