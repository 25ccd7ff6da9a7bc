"""PNG: packed losslessly, in fewer bits or in fewer colours, whichever is smallest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from tinyjpg.backends import vips
from tinyjpg.backends.vips import Pixels
from tinyjpg.candidates import Candidate
from tinyjpg.codecs import png_palette, png_rounding
from tinyjpg.codecs.png_drawing import palette_png, truecolour_png
from tinyjpg.codecs.png_frames import pack_animation
from tinyjpg.codecs.png_judge import Judge
from tinyjpg.codecs.png_metadata import ancillary
from tinyjpg.codecs.png_packing import pack, packing_for, settle
from tinyjpg.containers import png
from tinyjpg.containers.png import PngHeader
from tinyjpg.formats import Format
from tinyjpg.source import Request

_LOSSLESS: Final = "packed losslessly"

# Of what packs quickly, the share that more effort cannot reach losslessly.
_SURELY_SMALLER: Final = 0.75

# Above this a palette takes gigabytes and minutes to find, and is hardly ever enough.
_MOST_QUANTISED_PIXELS: Final = 16_000_000
# With fewer, a palette always takes fewer bytes than rounded truecolour.
_COLOURS_BESIDE_ROUNDING: Final = 128


def candidates(data: bytes, header: PngHeader, request: Request) -> Iterator[Candidate]:
    """Smaller files that show what `data` shows.

    Raises:
        CorruptImageError: the image data is truncated or damaged.
    """
    if header.animation is not None:
        kept = ancillary(data, header, request.keep)
        packing = packing_for(header, request)
        packed = pack_animation(
            data, header, header.animation, kept, packing=packing, deadline=request.deadline
        )
        yield Candidate(packed, _LOSSLESS, 100.0)
        return
    if header.animation_fault is not None:
        # Viewers disagree about what such a file shows, so only the original is sure to show it.
        pack(data, header, request)
        return
    may_change = _may_change(header, request)
    # What is tried may not depend on the colour type, which a first pass may change.
    best = Candidate(pack(data, header, request, quickly=may_change), _LOSSLESS, 100.0)
    yield best
    most = _SURELY_SMALLER * len(best.data)
    if may_change:
        for candidate in _lossy(best.data, data, header, request):
            yield candidate
            best = min(best, candidate, key=_size)
    if may_change and len(best.data) > most:
        thorough = Candidate(pack(data, header, request), _LOSSLESS, 100.0)
        yield thorough
        best = min(best, thorough, key=_size)
    if len(best.data) < len(data):
        yield replace(best, data=settle(best.data, request))


def _size(candidate: Candidate) -> int:
    return len(candidate.data)


def _lossy(packed: bytes, data: bytes, header: PngHeader, request: Request) -> Iterator[Candidate]:
    """What may be smaller in fewer bits or colours than `packed`, which shows what `data` does."""
    source = packed
    if png.parse(packed).bit_depth == 16:
        source = pack(data, header, request, to_eight_bits=True)
        if request.deadline.passed:
            # It may have come before the rounding.
            return
        yield Candidate(source, "reduced to 8 bits", 100.0)
    if header.pixels > _MOST_QUANTISED_PIXELS or request.deadline.passed:
        return
    pixels = _pixels(source, header.orientation)
    kept = ancillary(data, header, request.keep, redrawn=True)
    judge = Judge(pixels, request)
    reduction = png_palette.smallest(pixels, judge, request)
    least: int | None = None
    if reduction is not None:
        file = palette_png(reduction.indexed, kept)
        made = pack(file, replace(png.parse(file), quantised_at=request.quality), request)
        least = len(made)
        yield Candidate(made, reduction.method, reduction.score)
        if reduction.colours < _COLOURS_BESIDE_ROUNDING:
            return
    if request.deadline.passed:
        return
    rounded = png_rounding.coarsest(pixels, judge, request)
    if rounded is None:
        return
    file = truecolour_png(rounded.pixels, kept)
    marked = replace(png.parse(file), quantised_at=request.quality)
    if least is None or len(pack(file, marked, request, quickly=True)) < least / _SURELY_SMALLER:
        yield Candidate(pack(file, marked, request), rounded.method, rounded.score)


def _may_change(header: PngHeader, request: Request) -> bool:
    """Whether the code values may be others, and equal steps of them are about equally visible."""
    # With 16 bits, other colours would round to the one that tRNS makes transparent.
    is_keyed = header.bit_depth == 16 and header.transparency is not None
    # It does not describe the RGB of a palette, and may well be linear.
    has_grey_profile = header.colour_type.is_grey and header.icc_profile is not None
    return (
        not request.lossless
        and not _is_settled(header, request)
        and header.colour_space.is_perceptual(vips.is_ordinary)
        and not is_keyed
        and not has_grey_profile
    )


def _is_settled(header: PngHeader, request: Request) -> bool:
    """Whether this engine made the file for the quality asked for, or a lower one."""
    return header.quantised_at is not None and header.quantised_at <= request.quality


def _pixels(source: bytes, orientation: int) -> Pixels:
    """The code values of an 8-bit PNG, upright: RGB, and alpha where not all is opaque.

    What nobody can see is black, so that it does not take colours away from what is shown.
    """
    with vips.decoding(Format.PNG):
        image = vips.load(source, Format.PNG, sequential=False)
        pixels = vips.pixels(vips.upright(image, orientation))
    if pixels.shape[2] <= 2:
        pixels = np.take(pixels, (0, 0, 0, 1) if pixels.shape[2] == 2 else (0, 0, 0), axis=2)
    if pixels.shape[2] == 4:
        if (pixels[..., 3] == 255).all():
            pixels = pixels[..., :3]
        else:
            pixels = np.where(pixels[..., 3:] == 0, np.uint8(0), pixels)
    return np.ascontiguousarray(pixels)
