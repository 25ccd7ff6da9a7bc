"""Which chunks of a PNG count.

Chunks that are out of place, repeated or do not fit the colour type are told apart from those that
count in the way libpng does it, because browsers show what libpng makes of a file.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tinyjpg.containers import png_animation
from tinyjpg.containers.png_chunks import Chunk, ColourType
from tinyjpg.containers.png_marker import MARKER
from tinyjpg.errors import CorruptImageError, UnsupportedFormatError

TEXT: Final = frozenset({b"tEXt", b"zTXt", b"iTXt"})

_REPEATABLE: Final = TEXT | {b"sPLT", b"IDAT"}
_BEFORE_PALETTE: Final = frozenset(
    {b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"mDCV", b"cLLI", b"sBIT"}
)
AFTER_PALETTE: Final = frozenset({b"tRNS", b"bKGD", b"hIST"})
BEFORE_IMAGE: Final = _BEFORE_PALETTE | AFTER_PALETTE | {b"PLTE", b"pHYs", b"sPLT", b"acTL"}
_CRITICAL: Final = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND"})


def checked(chunks: Iterable[Chunk]) -> list[Chunk]:
    """The chunks, if the critical ones are known and in order."""
    every: list[Chunk] = []
    for chunk in chunks:
        _check_place(chunk, every)
        every.append(chunk)
    if not any(chunk.type == b"IDAT" for chunk in every):
        raise CorruptImageError("the PNG has no image data (IDAT); export or download it again")
    if every[-1].length:
        raise CorruptImageError("the PNG's IEND chunk is not empty; export or download it again")
    return every


def _check_place(chunk: Chunk, before: list[Chunk]) -> None:
    if chunk.type == b"CgBI":
        raise UnsupportedFormatError(
            "this is Apple's variant of PNG (CgBI), made for iOS apps only; use the image it was "
            "made from, or turn it back with: pngcrush -revert-iphone-optimizations"
        )
    if chunk.is_critical and chunk.type not in _CRITICAL:
        raise UnsupportedFormatError(
            f"the PNG needs a decoder that knows its {chunk.name} chunk; save it as a standard PNG"
        )
    if (chunk.type == b"IHDR") != (not before):
        raise CorruptImageError(
            f"the PNG has an {chunk.name} chunk where "
            f"{'a second IHDR must not be' if before else 'IHDR must be'}; "
            "export or download it again"
        )
    if (
        chunk.type == b"IDAT"
        and before[-1].type != b"IDAT"
        and any(one.type == b"IDAT" for one in before)
    ):
        raise CorruptImageError(
            f"the PNG's image data is interrupted by {before[-1].name}; export or download it again"
        )


def effective(every: list[Chunk], colour_type: ColourType) -> tuple[list[Chunk], list[str]]:
    """The chunks that count and the names of those that do not."""
    kept: list[Chunk] = []
    ignored: list[str] = []
    seen: set[bytes] = set()
    for chunk in every:
        kind = chunk.type
        if _is_out_of_place(kind, seen, colour_type):
            ignored.append(chunk.name)
            continue
        seen.add(kind)
        kept.append(chunk)
    return kept, ignored


def _is_out_of_place(kind: bytes, seen: set[bytes], colour_type: ColourType) -> bool:
    if kind in png_animation.CHUNKS or kind == MARKER:
        return False
    return (
        (kind in seen and kind not in _REPEATABLE and _is_known(kind))
        or (kind in BEFORE_IMAGE and b"IDAT" in seen)
        or (kind in _BEFORE_PALETTE and b"PLTE" in seen)
        or (kind == b"PLTE" and colour_type.is_grey)
        or (kind == b"tRNS" and colour_type in (ColourType.GREY_ALPHA, ColourType.RGBA))
        or (kind in AFTER_PALETTE and colour_type is ColourType.PALETTE and b"PLTE" not in seen)
    )


def _is_known(kind: bytes) -> bool:
    return kind in BEFORE_IMAGE or kind in _CRITICAL or kind in (b"eXIf", b"tIME")
