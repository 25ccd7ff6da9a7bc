"""EXIF blocks (TIFF directories, EXIF 2.32): read the orientation, keep only chosen tags.

A damaged block is metadata, not picture: it reads as empty instead of failing the image.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tinyjpg.options import Keep

_ORIENTATION: Final = 0x0112
_EXIF_DIRECTORY: Final = 0x8769
_GPS_DIRECTORY: Final = 0x8825

# Bytes per value of each TIFF field type (TIFF 6.0, section 2).
_TYPE_SIZES: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
_SHORT: Final = 3
_LONG: Final = 4
_MOST_FIELDS: Final = 512

_MAIN, _EXIF, _GPS = "main", "exif", "gps"


@dataclass(frozen=True, slots=True)
class _Field:
    """One directory entry with its value, in the byte order of its block."""

    tag: int
    type: int
    count: int
    value: bytes


# Which tags each kind of metadata consists of, by directory; None stands for all of them.
_WANTED: Final[dict[Keep, dict[str, frozenset[int] | None]]] = {
    # Artist, Copyright; CameraOwnerName
    Keep.COPYRIGHT: {_MAIN: frozenset({0x013B, 0x8298}), _EXIF: frozenset({0xA430})},
    # DateTime; DateTimeOriginal, DateTimeDigitized, their UTC offsets and fractions of a second
    Keep.CREATION: {
        _MAIN: frozenset({0x0132}),
        _EXIF: frozenset(
            {0x9003, 0x9004, 0x9010, 0x9011, 0x9012, 0x9290, 0x9291, 0x9292},
        ),
    },
    Keep.LOCATION: {_GPS: None},
    Keep.ALL: {},
}


def orientation(exif: bytes) -> int:
    """The orientation tag of an EXIF block, 1 to 8; 1 where it is absent or out of range."""
    field = next((one for one in _main_fields(exif) if one.tag == _ORIENTATION), None)
    if field is None or field.type != _SHORT or field.count != 1:
        return 1
    (value,) = struct.unpack(f"{_byte_order(exif)}H", field.value)
    return int(value) if 1 <= value <= 8 else 1


def select(exif: bytes | None, keep: frozenset[Keep], orientation: int) -> bytes | None:
    """An EXIF block with only what `keep` names, and `orientation` where it is not 1.

    Args:
        exif: the input's block, starting at its TIFF header, or None.
        keep: metadata wanted; with `Keep.ALL` the block is returned whole, orientation set.
        orientation: 1 to 8, what a viewer still has to apply to the output's pixels.

    Returns:
        The block, starting at its TIFF header, or None when nothing is left to say.
    """
    if exif is not None and Keep.ALL in keep and _byte_order(exif) is not None:
        return _with_orientation(exif, orientation)
    order = (_byte_order(exif) if exif is not None else None) or ">"
    directories: dict[str, list[_Field]] = {_MAIN: [], _EXIF: [], _GPS: []}
    if exif is not None:
        for name, fields in _directories(exif).items():
            directories[name] = [field for field in fields if _is_wanted(name, field.tag, keep)]
    if orientation != 1:
        directories[_MAIN].append(
            _Field(_ORIENTATION, _SHORT, 1, struct.pack(f"{order}H", orientation))
        )
    if not any(directories.values()):
        return None
    return _write(order, directories)


def _is_wanted(directory: str, tag: int, keep: frozenset[Keep]) -> bool:
    for kind in keep:
        tags = _WANTED[kind].get(directory, frozenset())
        if tags is None or tag in tags:
            return True
    return False


def _byte_order(exif: bytes) -> str | None:
    return {b"II*\x00": "<", b"MM\x00*": ">"}.get(exif[:4])


def _main_fields(exif: bytes) -> list[_Field]:
    order = _byte_order(exif)
    if order is None or len(exif) < 8:
        return []
    (offset,) = struct.unpack_from(f"{order}I", exif, 4)
    return list(_fields(exif, order, offset))


def _directories(exif: bytes) -> dict[str, list[_Field]]:
    main = _main_fields(exif)
    found = {_MAIN: main}
    for name, tag in ((_EXIF, _EXIF_DIRECTORY), (_GPS, _GPS_DIRECTORY)):
        pointer = next((one for one in main if one.tag == tag and one.type == _LONG), None)
        if pointer is not None and pointer.count == 1:
            order = _byte_order(exif) or ">"
            (offset,) = struct.unpack(f"{order}I", pointer.value)
            found[name] = list(_fields(exif, order, offset))
    return found


def _fields(exif: bytes, order: str, offset: int) -> Iterator[_Field]:
    if offset + 2 > len(exif):
        return
    (count,) = struct.unpack_from(f"{order}H", exif, offset)
    for index in range(min(count, _MOST_FIELDS)):
        at = offset + 2 + 12 * index
        if at + 12 > len(exif):
            return
        tag, kind, values, where = struct.unpack_from(f"{order}HHII", exif, at)
        size = _TYPE_SIZES.get(kind, 0) * values
        start = at + 8 if size <= 4 else where
        if size == 0 or start + size > len(exif):
            continue
        yield _Field(tag, kind, values, exif[start : start + size])


def _write(order: str, directories: dict[str, list[_Field]]) -> bytes:
    main = [one for one in directories[_MAIN] if one.tag not in (_EXIF_DIRECTORY, _GPS_DIRECTORY)]
    pointers = [
        (name, tag)
        for name, tag in ((_EXIF, _EXIF_DIRECTORY), (_GPS, _GPS_DIRECTORY))
        if directories[name]
    ]
    placeholders = [_Field(tag, _LONG, 1, bytes(4)) for _, tag in pointers]
    start = 8
    offset = start + len(_directory(order, main + placeholders, start))
    blocks: list[bytes] = []
    resolved: list[_Field] = []
    for name, tag in pointers:
        resolved.append(_Field(tag, _LONG, 1, struct.pack(f"{order}I", offset)))
        block = _directory(order, directories[name], offset)
        blocks.append(block)
        offset += len(block)
    signature = b"II*\x00" if order == "<" else b"MM\x00*"
    header = signature + struct.pack(f"{order}I", start)
    return header + _directory(order, main + resolved, start) + b"".join(blocks)


def _directory(order: str, fields: list[_Field], offset: int) -> bytes:
    entries = [struct.pack(f"{order}H", len(fields))]
    tail = b""
    tail_offset = offset + 2 + 12 * len(fields) + 4
    for field in sorted(fields, key=lambda one: one.tag):
        value = field.value
        if len(value) > 4:
            where = tail_offset + len(tail)
            tail += value + bytes(len(value) % 2)
            value = struct.pack(f"{order}I", where)
        entries.append(
            struct.pack(f"{order}HHI", field.tag, field.type, field.count) + value.ljust(4, b"\0")
        )
    return b"".join(entries) + bytes(4) + tail


def _with_orientation(exif: bytes, orientation: int) -> bytes:
    """The whole block with its orientation tag, if it has one, set in place."""
    order = _byte_order(exif) or ">"
    if len(exif) < 8:
        return exif
    (offset,) = struct.unpack_from(f"{order}I", exif, 4)
    if offset + 2 > len(exif):
        return exif
    (count,) = struct.unpack_from(f"{order}H", exif, offset)
    for index in range(min(count, _MOST_FIELDS)):
        at = offset + 2 + 12 * index
        if at + 12 > len(exif):
            break
        tag, kind, values = struct.unpack_from(f"{order}HHI", exif, at)
        if tag == _ORIENTATION and kind == _SHORT and values == 1:
            patched = bytearray(exif)
            struct.pack_into(f"{order}H", patched, at + 8, orientation)
            return bytes(patched)
    return exif
