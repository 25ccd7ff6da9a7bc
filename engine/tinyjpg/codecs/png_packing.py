"""Lossless packing of still PNGs: unneeded chunks dropped, the rest through oxipng."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from tinyjpg.backends import oxipng
from tinyjpg.backends.oxipng import Packing, level_for
from tinyjpg.codecs.png_metadata import ancillary, needs_colour
from tinyjpg.containers import png
from tinyjpg.containers.png import PngHeader
from tinyjpg.containers.png_marker import marked
from tinyjpg.containers.png_writer import still
from tinyjpg.source import Request

_QUICK_LEVEL: Final = 1


def pack(
    data: bytes,
    header: PngHeader,
    request: Request,
    *,
    quickly: bool = False,
    to_eight_bits: bool = False,
) -> bytes:
    """One pass over a still image, which keeps the mark that `header` says it has or is to have.

    Args:
        quickly: whether the result will hardly be used, so that little effort is enough.
        to_eight_bits: whether 16-bit samples are rounded to 8 bits, the one thing that is not
            lossless.

    Raises:
        CorruptImageError: the image data is truncated or damaged.
    """
    kept = ancillary(data, header, request.keep)
    packing = packing_for(header, request)
    if quickly:
        packing = replace(packing, level=min(packing.level, _QUICK_LEVEL))
    stripped = still(header, kept, png.image_data(data, header))
    packed = oxipng.pack(stripped, packing, request.deadline, to_eight_bits=to_eight_bits)
    if header.quantised_at is None:
        return packed
    return marked(packed, png.parse(packed).chunks, header.quantised_at)


def settle(packed: bytes, request: Request) -> bytes:
    """Pass after pass until one gains nothing, so that packing the result again does not either."""
    while not request.deadline.passed:
        again = pack(packed, png.parse(packed), request)
        if len(again) >= len(packed):
            break
        packed = again
    return packed


def packing_for(header: PngHeader, request: Request) -> Packing:
    """How to pack this image."""
    return Packing(
        level=level_for(header.pixels, request.deadline),
        optimize_alpha=not request.lossless,
        change_grey=not (needs_colour(header, request.keep) and _describes_channels(header)),
        change_depth=not _has_sixteen_bit_key(header),
    )


def _describes_channels(header: PngHeader) -> bool:
    """Whether the colour chunks fit either grey or RGB, not both."""
    return header.icc_profile is not None or header.colour_space.coding is not None


def _has_sixteen_bit_key(header: PngHeader) -> bool:
    """Whether the transparent colour cannot be told with 8 bits.

    oxipng keeps its 16 bits beside 8-bit pixels, where decoders drop the upper ones.
    """
    key = header.transparency if header.bit_depth == 16 else None
    return key is not None and key[::2] != key[1::2]
