"""The multi-picture index of a JPEG (MPF, CIPA DC-007): which further pictures a file holds."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from tinyjpg.containers.jpeg import Segment

_SIGNATURE: Final = b"MPF\0"
_ENTRIES: Final = 0xB002
_ENTRY_SIZE: Final = 16
_MOST_PICTURES: Final = 64


@dataclass(frozen=True, slots=True)
class Place:
    """Where one picture lies in the file, in bytes."""

    start: int
    size: int


@dataclass(frozen=True, slots=True)
class PictureIndex:
    """An MPF segment, its entry table located.

    Attributes:
        segment: the APP2 segment.
        order: `<` or `>`, its byte order.
        entries_at: where the entry table starts in the segment's payload.
        count: number of pictures.
    """

    segment: Segment
    order: str
    entries_at: int
    count: int

    def places(self, header_at: int) -> tuple[Place, ...]:
        """Where the pictures lie; `header_at` is the file offset of the segment's MP header."""
        found = []
        for number in range(self.count):
            at = self.entries_at + _ENTRY_SIZE * number
            size, offset = struct.unpack_from(f"{self.order}II", self.segment.payload, at + 4)
            found.append(Place(offset + header_at if offset else 0, size))
        return tuple(found)

    def moved(self, places: tuple[Place, ...], header_at: int) -> Segment:
        """The segment for pictures at `places`, its MP header at file offset `header_at`."""
        payload = bytearray(self.segment.payload)
        for number, place in enumerate(places):
            at = self.entries_at + _ENTRY_SIZE * number
            offset = place.start - header_at if place.start else 0
            struct.pack_into(f"{self.order}II", payload, at + 4, place.size, offset)
        return Segment(self.segment.marker, bytes(payload))


def read(segment: Segment) -> PictureIndex | None:
    """The index in `segment`; None where it is damaged or names fewer than two pictures."""
    block = segment.payload[len(_SIGNATURE) :]
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(block[:4])
    if order is None or len(block) < 8:
        return None
    (at,) = struct.unpack_from(f"{order}I", block, 4)
    if at + 2 > len(block):
        return None
    (fields,) = struct.unpack_from(f"{order}H", block, at)
    for number in range(fields):
        field = at + 2 + 12 * number
        if field + 12 > len(block):
            return None
        tag, _, size, offset = struct.unpack_from(f"{order}HHII", block, field)
        if tag == _ENTRIES:
            count = size // _ENTRY_SIZE
            if not 2 <= count <= _MOST_PICTURES or offset + size > len(block):
                return None
            return PictureIndex(segment, order, len(_SIGNATURE) + offset, count)
    return None


def header_offset(jpeg: bytes, index: PictureIndex) -> int:
    """The file offset of the MP header of `index` in `jpeg`, from which offsets are counted."""
    encoded = index.segment.encode()
    return jpeg.index(encoded) + 4 + len(_SIGNATURE)
