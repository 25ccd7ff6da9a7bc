"""PNG's chunk layer (PNG specification, third edition, section 5): bounded reading, writing."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from tinyjpg.errors import CorruptImageError, LimitExceededError

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"

# Length, type and CRC: what a chunk costs besides its body.
CHUNK_OVERHEAD: Final = 12

_LONGEST_BODY: Final = 2**31 - 1
# An encoder that flushes every kilobyte needs this many for the largest file accepted by default;
# more are made only to waste time.
_MOST_CHUNKS: Final = 262_144

_LETTERS: Final = frozenset(range(65, 91)) | frozenset(range(97, 123))


class ColourType(IntEnum):
    """The colour types, by their number in IHDR."""

    GREY = 0
    RGB = 2
    PALETTE = 3
    GREY_ALPHA = 4
    RGBA = 6

    @property
    def channels(self) -> int:
        return {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[self]

    @property
    def depths(self) -> tuple[int, ...]:
        """Bits per channel that the type allows."""
        return {0: (1, 2, 4, 8, 16), 3: (1, 2, 4, 8)}.get(self, (8, 16))

    @property
    def is_grey(self) -> bool:
        return self in (ColourType.GREY, ColourType.GREY_ALPHA)

    @property
    def in_words(self) -> str:
        return {0: "grey", 2: "RGB", 3: "palette", 4: "grey and alpha", 6: "RGB and alpha"}[self]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Where one chunk of a file is; the bytes stay in the file.

    Attributes:
        type: its four letters.
        start: offset of its body.
        length: bytes of its body.
    """

    type: bytes
    start: int
    length: int

    def body(self, data: bytes) -> bytes:
        """The content, out of the file `data` that the chunk was read from."""
        return data[self.start : self.start + self.length]

    @property
    def name(self) -> str:
        return self.type.decode("ascii")

    @property
    def is_critical(self) -> bool:
        """Whether no decoder may skip it."""
        return self.type[0] < 97

    @property
    def is_safe_to_copy(self) -> bool:
        """Whether it stays valid when other chunks change."""
        return self.type[3] >= 97


def read(data: bytes) -> Iterator[Chunk]:
    """The chunks of `data` from IHDR to IEND, each with a valid CRC.

    Raises:
        CorruptImageError: the file ends early, or a length, type or CRC is wrong.
        LimitExceededError: there are more chunks than any honest file has.
    """
    view = memoryview(data)
    offset = len(SIGNATURE)
    for _ in range(_MOST_CHUNKS):
        if offset + CHUNK_OVERHEAD > len(data):
            raise CorruptImageError(
                f"the PNG ends after {len(data):,} bytes without an IEND chunk; it is truncated: "
                "export or download it again"
            )
        length, kind = struct.unpack_from(">I4s", data, offset)
        if not _LETTERS.issuperset(kind):
            raise CorruptImageError(
                f"the PNG has a chunk of type {kind.hex(' ')} at byte {offset:,}, which is not "
                "four letters; export or download it again"
            )
        start = offset + 8
        end = start + length
        if length > _LONGEST_BODY or end + 4 > len(data):
            raise CorruptImageError(
                f"the PNG's {kind.decode()} chunk at byte {offset:,} claims {length:,} bytes, the "
                f"file has {max(0, len(data) - start - 4):,} left; it is truncated: export or "
                "download it again"
            )
        (stored,) = struct.unpack_from(">I", data, end)
        if zlib.crc32(view[offset + 4 : end]) != stored:
            raise CorruptImageError(
                f"the PNG's {kind.decode()} chunk at byte {offset:,} does not match its checksum; "
                "export or download it again"
            )
        yield Chunk(kind, start, length)
        if kind == b"IEND":
            return
        offset = end + 4
    raise LimitExceededError(
        f"the PNG has more than {_MOST_CHUNKS:,} chunks; save it with another program"
    )


def write(kind: bytes, body: bytes) -> bytes:
    """One chunk as bytes."""
    return b"".join(pieces(kind, (body,)))


def pieces(kind: bytes, body: Sequence[bytes | memoryview]) -> list[bytes | memoryview]:
    """One chunk, whose body comes in pieces, as pieces: large image data is not copied."""
    check = zlib.crc32(kind)
    for piece in body:
        check = zlib.crc32(piece, check)
    length = sum(len(piece) for piece in body)
    return [struct.pack(">I", length), kind, *body, struct.pack(">I", check)]
