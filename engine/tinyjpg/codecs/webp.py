"""WebP stills: repacked, re-encoded losslessly, or lossy at the quality asked for.

Pictures are decoded and encoded one bitstream at a time; the container around them is written by
the engine, so that only the chunks wanted are in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from tinyjpg.backends import webp
from tinyjpg.backends.vips import Pixels
from tinyjpg.candidates import Candidate
from tinyjpg.codecs import webp_animation
from tinyjpg.codecs.webp_bitstreams import (
    decode,
    encode_lossless,
    encode_lossy,
    encode_near_lossless,
    is_identical,
    normalised,
    with_lossy_alpha,
    with_packed_alpha,
)
from tinyjpg.codecs.webp_metadata import is_marked, may_be_lossy, packed, upright
from tinyjpg.codecs.webp_search import Attempt, is_settled, passes, search
from tinyjpg.containers.webp_header import Bitstream, Frame, WebpHeader
from tinyjpg.containers.webp_writer import write
from tinyjpg.source import Request
from tinyjpg.verify import Verifier

# Fewer levels of alpha at this libwebp alpha quality: 17 % fewer bytes for 1 point (measured on
# logos); coarser ones are visible at edges.
_COARSE_ALPHA: Final = 50
# Pixels that a lossy coder has decoded are noise to a lossless one: VP8L is smaller only for very
# small pictures and for frames that spent more bits a pixel than VP8L can need.
_TINY_PIXELS: Final = 4_096
_WASTEFUL_BITS_PER_PIXEL: Final = 6
# Photographs have hardly any runs of equal pixels; there lossless coding takes 4 to 6 times the
# bytes of a lossy result that is good enough, and a second or more a megapixel.
_PHOTOGRAPHIC_EQUAL_NEIGHBOURS: Final = 0.2
# Scores of near-lossless levels (measured on logos, UI and photographs): 0: 71 to 92,
# 20: 83 to 96, 40: 89 to 96, 60: 92 to 98, 80: 93 to 98. By quality asked for, what to try.
_NEAR_LOSSLESS_LEVELS: Final = (
    (85, (0, 20, 40)),
    (92, (20, 40, 60)),
    (99, (40, 60, 80)),
)


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
        yield from _Lossy(base, pixels, request).lossy()


def _from_lossless(base: WebpHeader, pixels: Pixels, request: Request) -> Iterator[Candidate]:
    if not may_be_lossy(base, request):
        yield from _lossless(base, pixels, request, base.marked_quality)
        return
    inexact = _Lossy(base, pixels, request)
    found = list(inexact.lossy())
    yield from found
    # What is tried may depend on the pixels only, never on the bytes of the source: a second
    # pass, with the same pixels in fewer bytes, has to come to the same result.
    if found and _is_photographic(inexact.pixels):
        return
    if not request.deadline.passed:
        yield from _lossless(base, pixels, request, base.marked_quality)
    yield from inexact.near_lossless()


def _lossless(
    base: WebpHeader, pixels: Pixels, request: Request, mark: int | None
) -> Iterator[Candidate]:
    source = pixels if request.lossless else normalised(pixels)
    bitstream = encode_lossless(source, exact=request.lossless, count=base.pixels)
    if is_identical(decode(bitstream), source):
        yield Candidate(write(_with(base, bitstream, mark)), "re-encoded losslessly", score=100.0)


class _Lossy:
    """The ways to store one picture with visible pixels changed, each scored against it."""

    def __init__(self, base: WebpHeader, pixels: Pixels, request: Request) -> None:
        self._base = upright(base, request)
        self._request = request
        self._verifier: Verifier | None = None
        self.pixels = webp.upright(normalised(pixels), base.orientation)

    def lossy(self) -> Iterator[Candidate]:
        """VP8 at the lowest quality found that reaches the score, with and without all of alpha."""
        found = search(self._request, self._attempt)
        if found is None:
            return
        method = f"libwebp Q{found.quality}"
        yield from self._candidates(found.result, method, found.score)
        if found.result.alpha is None or self._request.deadline.passed:
            return
        coarser = with_lossy_alpha(
            found.result, self.pixels, _COARSE_ALPHA, count=self._base.pixels
        )
        if coarser is None:
            return
        score = self._score(coarser)
        if passes(score, self._request):
            yield from self._candidates(coarser, f"{method}, alpha Q{_COARSE_ALPHA}", score)

    def near_lossless(self) -> Iterator[Candidate]:
        """VP8L of simplified pixels, at the level that just reaches the score."""
        levels = next(
            (levels for most, levels in _NEAR_LOSSLESS_LEVELS if self._request.quality <= most), ()
        )
        for level in levels:
            if self._request.deadline.passed:
                return
            bitstream = encode_near_lossless(self.pixels, level)
            pixels = decode(bitstream)
            score = self._score_pixels(pixels)
            if passes(score, self._request):
                # Libwebp ties the effort to the level here, so the same pixels may pack better.
                again = encode_lossless(normalised(pixels), exact=False, count=self._base.pixels)
                smaller = min(again, bitstream, key=lambda one: one.size)
                yield from self._candidates(smaller, f"near-lossless {level}", score)
                return

    def _attempt(self, quality: int) -> Attempt[Bitstream]:
        bitstream = encode_lossy(self.pixels, quality, count=self._base.pixels)
        return Attempt(quality, bitstream, bitstream.size, self._score(bitstream))

    def _score(self, bitstream: Bitstream) -> float:
        return self._score_pixels(decode(bitstream))

    def _score_pixels(self, pixels: Pixels) -> float:
        profile = self._base.icc_profile
        if self._verifier is None:
            self._verifier = Verifier(webp.as_shown(self.pixels, profile))
        return self._verifier.score(webp.as_shown(pixels, profile))

    def _candidates(self, bitstream: Bitstream, method: str, score: float) -> Iterator[Candidate]:
        quality = self._request.quality
        mark = None if is_settled(bitstream, quality) else quality
        yield Candidate(write(_with(self._base, bitstream, mark)), method, score)
        # A second pass would find this too.
        if not bitstream.lossless and _may_be_smaller_lossless(bitstream):
            exact = encode_lossless(
                normalised(decode(bitstream)), exact=False, count=self._base.pixels
            )
            yield Candidate(write(_with(self._base, exact, quality)), f"{method}, lossless", score)


def _with(base: WebpHeader, bitstream: Bitstream, marked_quality: int | None) -> WebpHeader:
    pictures = (Frame(bitstream=bitstream),)
    return replace(base, pictures=pictures, shows_alpha=True, marked_quality=marked_quality)


def _may_be_smaller_lossless(bitstream: Bitstream) -> bool:
    pixels = bitstream.width * bitstream.height
    return pixels <= _TINY_PIXELS or (
        8 * len(bitstream.payload) > _WASTEFUL_BITS_PER_PIXEL * pixels
    )


def _is_photographic(pixels: Pixels) -> bool:
    if pixels.shape[1] < 2:
        return False
    equal = (pixels[:, 1:] == pixels[:, :-1]).all(axis=2)
    return float(equal.mean()) < _PHOTOGRAPHIC_EQUAL_NEIGHBOURS
