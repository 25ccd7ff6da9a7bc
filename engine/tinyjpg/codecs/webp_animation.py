"""WebP animations: every frame keeps its place, time and blending; only its bitstream changes.

Frames are decoded, encoded and compared one at a time, so memory holds a few canvases at most.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from tinyjpg.backends import webp
from tinyjpg.backends.vips import Pixels
from tinyjpg.calibration import WEBP_LOSSY
from tinyjpg.candidates import Candidate
from tinyjpg.codecs.webp_bitstreams import (
    EXACT_ALPHA,
    decode,
    encode_alpha,
    encode_colours,
    encode_lossless,
    is_identical,
    normalised,
    opaque,
    with_packed_alpha,
)
from tinyjpg.codecs.webp_content import coding_for
from tinyjpg.codecs.webp_lossy import SETTINGS
from tinyjpg.codecs.webp_metadata import may_be_lossy, packed
from tinyjpg.codecs.webp_settled import is_coarser, is_marked, is_settled
from tinyjpg.containers.webp import lossy_bitstream, parse
from tinyjpg.containers.webp_header import Bitstream, Frame, WebpHeader
from tinyjpg.containers.webp_writer import write
from tinyjpg.search import Attempt, cheapest
from tinyjpg.source import Request
from tinyjpg.verify import Verifier

# Effort 6 takes 1.8 times as long for a few per cent, for every frame and attempt.
_EFFORT: Final = 4


def candidates(header: WebpHeader, request: Request) -> Iterator[Candidate]:
    """Candidates for an animation; see `codecs.Codec.candidates`."""
    base = packed(header, request)
    if header.contradicts_alpha or is_marked(header, request):
        for picture in header.pictures:
            decode(picture.bitstream)
        yield Candidate(write(base), "metadata removed", score=100.0)
        return
    base = replace(base, pictures=_repacked(header, request))
    yield Candidate(write(base), "repacked losslessly", score=100.0)
    if header.lossless and not request.deadline.passed:
        reframed = _reframed(base, request)
        if reframed is not None and reframed.stored_size < base.stored_size:
            yield Candidate(write(reframed), "reframed losslessly", score=100.0)
            # Lossy frames are tried for the better frames only: a second pass starts from those.
            base = reframed
    if may_be_lossy(base, request):
        yield from _lossy(base, request)


def composites(header: WebpHeader) -> Iterator[Pixels]:
    """What a viewer shows, frame by frame: height x width x 4, on a transparent canvas.

    The array is the same one each time, overwritten; copy it to keep it.

    Raises:
        CorruptImageError: a frame is truncated or damaged.
    """
    canvas = np.zeros((header.height, header.width, 4), dtype=np.uint8)
    previous: Frame | None = None
    for frame in header.pictures:
        if previous is not None and previous.dispose:
            _covered(canvas, previous)[...] = 0
        pixels = decode(frame.bitstream)
        area = _covered(canvas, frame)
        if pixels.shape[2] == 3:
            area[..., :3] = pixels
            area[..., 3] = 255
        elif frame.blend:
            _blend(area, pixels)
        else:
            area[...] = pixels
        yield canvas
        previous = frame


def _covered(canvas: Pixels, frame: Frame) -> Pixels:
    bitstream = frame.bitstream
    return canvas[frame.y : frame.y + bitstream.height, frame.x : frame.x + bitstream.width]


def _blend(area: Pixels, pixels: Pixels) -> None:
    """Blend `pixels` over `area`, in place, by the integer arithmetic of libwebp's decoder."""
    opaque = pixels[..., 3] == 255
    area[opaque] = pixels[opaque]
    mixed = ~opaque & (pixels[..., 3] != 0)
    if not mixed.any():
        return
    above, below = pixels[mixed].astype(np.uint32), area[mixed].astype(np.uint32)
    alpha = above[:, 3:]
    below_alpha = below[:, 3:] * (256 - alpha) >> 8
    sum_alpha = alpha + below_alpha
    scale = (1 << 24) // sum_alpha
    colour = (above[:, :3] * alpha + below[:, :3] * below_alpha) * scale >> 24
    area[mixed] = np.concatenate([colour, sum_alpha], axis=1).astype(np.uint8)


def _repacked(header: WebpHeader, request: Request) -> tuple[Frame, ...]:
    """The frames of `header`, the same pixels in fewer bytes; every one is decoded."""
    exact = request.lossless

    # Animations often show the same bitstream several times in a row.
    @functools.lru_cache(maxsize=2)
    def repack(bitstream: Bitstream) -> Bitstream:
        pixels = decode(bitstream)
        if request.deadline.passed:
            return bitstream
        if not bitstream.lossless:
            return with_packed_alpha(bitstream, pixels, count=header.pixels)
        source = pixels if exact else normalised(pixels)
        made = encode_lossless(source, exact=exact, count=header.pixels)
        if made.size < bitstream.size and is_identical(decode(made), source):
            return made
        return bitstream

    return tuple(replace(one, bitstream=repack(one.bitstream)) for one in header.pictures)


def _reframed(base: WebpHeader, request: Request) -> WebpHeader | None:
    """`base` with frames that libwebp chose for it; None where these do not show the same."""
    made = parse(webp.encode_animation(write(base), exact=request.lossless))
    if made.animation is None or made.frames != base.frames:
        return None
    frames = tuple(
        replace(frame, duration=source.duration)
        for frame, source in zip(made.pictures, base.pictures, strict=True)
    )
    reframed = replace(base, pictures=frames)
    reframed = replace(reframed, pictures=_repacked(reframed, request))
    shown = zip(composites(base), composites(reframed), strict=True)
    if request.lossless:
        same = all(np.array_equal(before, after) for before, after in shown)
    else:
        same = all(is_identical(normalised(before), normalised(after)) for before, after in shown)
    return reframed if same else None


def _lossy(base: WebpHeader, request: Request) -> Iterator[Candidate]:
    quality = request.quality
    if all(is_settled(frame.bitstream, quality) for frame in base.pictures):
        return

    encode = _FrameEncoder(base, request)

    def attempt(setting: int) -> Attempt[WebpHeader]:
        made = encode(setting)
        return Attempt(setting, _worst_score(base, made, request), made.stored_size, made)

    found = cheapest(request, attempt, expected=WEBP_LOSSY, settings=SETTINGS).best
    if found is None:
        return
    frames = found.result.pictures
    settled = all(is_settled(frame.bitstream, quality) for frame in frames)
    marked = replace(found.result, marked_quality=None if settled else quality)
    yield Candidate(write(marked), f"libwebp Q{found.setting} frames", found.score)


class _FrameEncoder:
    """Makes each frame of an animation lossy where that is smaller; alpha planes stay exact."""

    def __init__(self, base: WebpHeader, request: Request) -> None:
        self._base = base
        self._deadline = request.deadline
        first = normalised(decode(base.pictures[0].bitstream))
        self._coding = coding_for(opaque(first), request.quality)
        # They are the same at every setting, and take longer to encode than the colours.
        self._alphas: dict[Bitstream, bytes | None] = {}

    def __call__(self, setting: int) -> WebpHeader:
        """The animation at libwebp's quality `setting`."""

        # Animations often show the same bitstream several times in a row.
        @functools.lru_cache(maxsize=2)
        def encode(bitstream: Bitstream) -> Bitstream:
            if is_coarser(bitstream, setting) or self._deadline.passed:
                return bitstream
            pixels = normalised(decode(bitstream))
            colours = encode_colours(opaque(pixels), setting, self._coding, effort=_EFFORT)
            lossy = lossy_bitstream(colours.payload, self._alpha(bitstream, pixels))
            return min(bitstream, lossy, key=lambda one: one.size)

        frames = (replace(one, bitstream=encode(one.bitstream)) for one in self._base.pictures)
        return replace(self._base, pictures=tuple(frames))

    def _alpha(self, bitstream: Bitstream, pixels: Pixels) -> bytes | None:
        if not bitstream.lossless:
            return bitstream.alpha
        if bitstream not in self._alphas:
            self._alphas[bitstream] = encode_alpha(pixels, EXACT_ALPHA, count=self._base.pixels)
        return self._alphas[bitstream]


def _worst_score(base: WebpHeader, made: WebpHeader, request: Request) -> float:
    """The lowest score of any composited frame; below all others when time runs out."""
    worst = 100.0
    for before, after in zip(composites(base), composites(made), strict=True):
        if request.deadline.passed:
            return float("-inf")
        if np.array_equal(before, after):
            continue
        profile = base.icc_profile
        score = Verifier(webp.as_shown(before, profile)).score(webp.as_shown(after, profile))
        worst = min(worst, score)
    return worst
