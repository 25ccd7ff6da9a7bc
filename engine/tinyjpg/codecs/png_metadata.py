"""Which ancillary chunks of a PNG a result keeps."""

from __future__ import annotations

from typing import Final

from tinyjpg.backends import vips
from tinyjpg.containers import exif, png_animation
from tinyjpg.containers.png import PngHeader, keyword
from tinyjpg.containers.png_chunks import Chunk
from tinyjpg.containers.png_colour import ColourSpace
from tinyjpg.containers.png_marker import MARKER
from tinyjpg.containers.png_order import TEXT
from tinyjpg.options import Keep

Ancillary = list[tuple[bytes, bytes]]

_COLOUR: Final = frozenset({b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"mDCV", b"cLLI"})
# They describe the samples or their places, so they do not fit a picture drawn anew. What a mere
# change of the colour type makes wrong, oxipng drops.
_ABOUT_SAMPLES: Final = frozenset({b"sBIT", b"bKGD", b"hIST", b"pCAL", b"sCAL", b"sTER"})
_MANAGED: Final = png_animation.CHUNKS | {MARKER, b"tRNS"}
# PNG specification, 11.3.3.1: predefined keywords.
_KEYWORDS: Final = {
    Keep.COPYRIGHT: frozenset({"copyright", "author"}),
    Keep.CREATION: frozenset({"creation time"}),
}


def ancillary(
    data: bytes, header: PngHeader, keep: frozenset[Keep], *, redrawn: bool = False
) -> Ancillary:
    """(type, body) of the chunks of `data` that a result needs or that `keep` names, in order.

    Args:
        redrawn: whether the result's pixels are new: turned as `header.orientation` asks and in
            other colours.
    """
    kept = []
    exif_block = exif.select(header.exif, keep, 1 if redrawn else header.orientation)
    colour = needs_colour(header, keep)
    for chunk in header.chunks:
        if chunk.type == b"eXIf":
            if exif_block is not None:
                kept.append((chunk.type, exif_block))
        elif chunk.type in _COLOUR:
            if colour and _is_valid(chunk.type, header.colour_space):
                kept.append((chunk.type, chunk.body(data)))
        elif not chunk.is_critical and _is_wanted(data, chunk, keep, redrawn=redrawn):
            kept.append((chunk.type, _body(data, chunk, header, redrawn=redrawn)))
    return kept


def needs_colour(header: PngHeader, keep: frozenset[Keep]) -> bool:
    """Whether a result has to say what its code values mean, because it is not just sRGB."""
    colour = header.colour_space
    return colour.is_stated and (Keep.ALL in keep or not colour.is_srgb(vips.is_srgb))


def _is_valid(kind: bytes, colour: ColourSpace) -> bool:
    value = {
        b"gAMA": colour.gamma,
        b"cHRM": colour.chromaticities,
        b"sRGB": colour.rendering_intent,
        b"iCCP": colour.icc_profile,
    }.get(kind, colour.coding)
    return value is not None


def _is_wanted(data: bytes, chunk: Chunk, keep: frozenset[Keep], *, redrawn: bool) -> bool:
    kind = chunk.type
    if kind in _MANAGED:
        return False
    if Keep.ALL in keep:
        return chunk.is_safe_to_copy or kind == b"tIME" or (kind in _ABOUT_SAMPLES and not redrawn)
    if kind in TEXT:
        word = keyword(chunk.body(data)).lower()
        return any(word in _KEYWORDS.get(kind_of, ()) for kind_of in keep)
    return kind == b"tIME" and Keep.CREATION in keep


def _body(data: bytes, chunk: Chunk, header: PngHeader, *, redrawn: bool) -> bytes:
    body = chunk.body(data)
    if chunk.type == b"pHYs" and redrawn and header.orientation >= 5 and len(body) == 9:
        return body[4:8] + body[:4] + body[8:]
    return body
