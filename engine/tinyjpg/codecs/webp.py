"""WebP stills: repacked, re-encoded losslessly, or lossy at the quality asked for.

Pictures are decoded and encoded one bitstream at a time; the container around them is written by
the engine, so that only the chunks wanted are in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from tinyjpg.backends.vips import Pixels
from tinyjpg.candidates import Candidate
from tinyjpg.codecs import webp_animation
from tinyjpg.codecs.webp_bitstreams import (
    decode,
    encode_lossless,
    is_identical,
    normalised,
    quick_lossless_size,
    with_packed_alpha,
)
from tinyjpg.codecs.webp_lossy import Inexact, LossyPicture
from tinyjpg.codecs.webp_metadata import may_be_lossy, packed
from tinyjpg.codecs.webp_settled import is_marked, is_settled
from tinyjpg.containers.webp_header import Bitstream, Frame, WebpHeader
from tinyjpg.containers.webp_writer import write
from tinyjpg.source import Request

# Pixels that a lossy coder has decoded are noise to a lossless one: VP8L is smaller only for very
# small pictures and for frames that spent more bits a pixel than VP8L can need.
_TINY_PIXELS: Final = 4_096
_WASTEFUL_BITS_PER_PIXEL: Final = 6
# Photographs have hardly any runs of equal pixels; there lossless coding takes 4 to 6 times the
# bytes of a lossy result that is good enough, more than a near-lossless one, and a second or more a
# megapixel.
_PHOTOGRAPHIC_EQUAL_NEIGHBOURS: Final = 0.2
# Near-lossless coding takes a quarter of the bytes of quick lossless coding at the least (measured
# on logos and screenshots; half or more on most).
_MOST_GAIN_OVER_QUICK: Final = 5


def candidates(_data: bytes, header: WebpHeader, request: Request) -> Iterator[Candidate]:
    """See `codecs.Codec.candidates`."""
    request.deadline.check("the WebP image could be decoded")
    if header.animation is not None:
        return webp_animation.candidates(header, request)
    return _still(header, request)


def _still(header: WebpHeader, request: Request) -> Iterator[Candidate]:
    bitstream = header.pictures[0].bitstream
    pixels = decode(bitstream)
    base = packed(header, request)
    yield Candidate(write(base), "metadata removed", score=100.0)
    if header.contradicts_alpha or is_marked(header, request):
        return
    if bitstream.lossless:
        yield from _from_lossless(base, pixels, request)
    else:
        yield from _from_lossy(base, pixels, request)


def _from_lossy(base: WebpHeader, pixels: Pixels, request: Request) -> Iterator[Candidate]:
    bitstream = base.pictures[0].bitstream
    repacked = with_packed_alpha(bitstream, pixels, count=base.pixels)
    if repacked is not bitstream:
        data = write(_with(base, repacked, base.marked_quality))
        yield Candidate(data, "alpha repacked losslessly", score=100.0)
    if _may_be_smaller_lossless(bitstream):
        # Marked, or a second pass would take it for a lossless original.
        mark = None if request.lossless else request.quality
        yield from _lossless(base, pixels, request, mark)
    if not is_settled(bitstream, request.quality) and may_be_lossy(base, request):
        picture = LossyPicture(base, pixels, request)
        for made in picture.vp8():
            yield from _stored(picture, made, request.quality)


def _from_lossless(base: WebpHeader, pixels: Pixels, request: Request) -> Iterator[Candidate]:
    if not may_be_lossy(base, request):
        yield from _lossless(base, pixels, request, base.marked_quality)
        return
    picture = LossyPicture(base, pixels, request)
    found = []
    for made in picture.vp8():
        found.append(made)
        yield from _stored(picture, made, request.quality)
    # What is tried may depend on the pixels only, never on the bytes of the source: a second pass,
    # with the same pixels in fewer bytes, has to come to the same result.
    size = min((made.bitstream.size for made in found), default=None)
    photographic = _is_photographic(picture.pixels)
    if size is not None and (photographic or _is_far_from_lossless(picture.pixels, size)):
        return
    for made in picture.near_lossless(size):
        found.append(made)
        yield from _stored(picture, made, request.quality)
    if not (found and photographic) and not request.deadline.passed:
        yield from _lossless(base, pixels, request, base.marked_quality)


def _lossless(
    base: WebpHeader, pixels: Pixels, request: Request, mark: int | None
) -> Iterator[Candidate]:
    source = pixels if request.lossless else normalised(pixels)
    bitstream = encode_lossless(source, exact=request.lossless, count=base.pixels)
    if is_identical(decode(bitstream), source):
        yield Candidate(write(_with(base, bitstream, mark)), "re-encoded losslessly", score=100.0)


def _stored(picture: LossyPicture, made: Inexact, quality: int) -> Iterator[Candidate]:
    base, bitstream = picture.base, made.bitstream
    mark = None if is_settled(bitstream, quality) else quality
    yield Candidate(write(_with(base, bitstream, mark)), made.method, made.score)
    # A second pass would find this too.
    if not bitstream.lossless and _may_be_smaller_lossless(bitstream):
        exact = encode_lossless(normalised(decode(bitstream)), exact=False, count=base.pixels)
        yield Candidate(write(_with(base, exact, quality)), f"{made.method}, lossless", made.score)


def _with(base: WebpHeader, bitstream: Bitstream, marked_quality: int | None) -> WebpHeader:
    pictures = (Frame(bitstream=bitstream),)
    return replace(base, pictures=pictures, shows_alpha=True, marked_quality=marked_quality)


def _may_be_smaller_lossless(bitstream: Bitstream) -> bool:
    pixels = bitstream.width * bitstream.height
    return pixels <= _TINY_PIXELS or (
        8 * len(bitstream.payload) > _WASTEFUL_BITS_PER_PIXEL * pixels
    )


def _is_far_from_lossless(pixels: Pixels, lossy_size: int) -> bool:
    """Whether neither VP8L nor its near-lossless variant can take less than `lossy_size` bytes."""
    return quick_lossless_size(pixels) > _MOST_GAIN_OVER_QUICK * lossy_size


def _is_photographic(pixels: Pixels) -> bool:
    if pixels.shape[1] < 2:
        return False
    equal = (pixels[:, 1:] == pixels[:, :-1]).all(axis=2)
    return float(equal.mean()) < _PHOTOGRAPHIC_EQUAL_NEIGHBOURS
