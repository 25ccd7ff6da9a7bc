"""Whether two GIFs show the same, or nearly the same, at every moment.

Decoders disagree about a few corners of the format, so "the same" means: in browsers, which clear a
frame to transparent, and in libvips, which clears some to the background colour and takes some
screen sizes for a mistake.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from tinyjpg.backends import vips
from tinyjpg.codecs.gif_frames import (
    Canvas,
    Decoder,
    Region,
    alpha_of,
    channels,
    paints_unknown_colours,
    play_together,
)
from tinyjpg.containers.gif import shows_through
from tinyjpg.containers.gif_blocks import KEEP, Gif, Image, write
from tinyjpg.errors import CorruptImageError
from tinyjpg.formats import Format
from tinyjpg.limits import Deadline
from tinyjpg.verify import Verifier

# A frame is scored where more of the square error has come or gone than this share of it since the
# last one that was: frames between look alike. The worst of all frames of real animations lay at
# most 0.13 below the worst of those; with twice the share 0.6 once. Animations that move everywhere
# would be scored entirely; the share grows with every so many pixels scored.
_DRIFT: Final = 0.1
_DRIFT_PIXELS: Final = 48_000_000
# Pictures with transparency are scored over four backgrounds.
_BACKGROUNDS: Final = 4


def check(gif: Gif, decoder: Decoder) -> bool:
    """Decode every image of `gif`; tell whether all viewers agree about the colours.

    Raises:
        CorruptImageError: image data is damaged or cut short.
        DeadlineExceededError: time ran out before the end.
    """
    agreed = True
    for image in gif.images:
        if image.width and image.height:
            agreed &= not paints_unknown_colours(gif, image, decoder.decode(image))
    return agreed


def same_timeline(one: Gif, other: Gif) -> bool:
    """Whether canvas, frames, delays and loops are equal."""
    return (
        one.canvas == other.canvas
        and one.loops == other.loops
        and len(one.images) == len(other.images)
        and all(map(_same_timing, one.images, other.images))
    )


def identical(original: Gif, other: Gif, decoder: Decoder) -> bool:
    """Whether both show the same pixels in every frame, in browsers and in libvips.

    `original` must have passed `check`.

    Raises:
        DeadlineExceededError: time ran out before the end.
    """
    if not same_timeline(original, other):
        return False
    try:
        for one, two, changed in play_together(original, other, decoder):
            if not np.array_equal(one[changed], two[changed]):
                return False
    except CorruptImageError:
        return False  # `original` has been decoded before, so this is about the other
    if _plain(original) and _plain(other):
        return True
    return _identical_in_libvips(original, other, decoder.deadline)


def frame_scores(
    original: Gif, other: Gif, at_least: float, decoder: Decoder
) -> dict[int, float] | None:
    """The SSIMULACRA2 scores of frames by number: of all that look unlike the one scored before.

    Args:
        at_least: scoring ends at the first frame below it.

    Returns:
        The scores; frames before the first are identical. None where timeline or transparency
        differ.

    Raises:
        DeadlineExceededError: time ran out before the end.
    """
    if not same_timeline(original, other):
        return None
    errors = _Errors(original.canvas)
    scores: dict[int, float] = {}
    drift = scored_error = scored_pixels = 0.0
    width, height = original.canvas
    pixels = width * height * (_BACKGROUNDS if shows_through(original) else 1)
    try:
        for index, (one, two, changed) in enumerate(play_together(original, other, decoder)):
            change = errors.update(one, two, changed)
            if change is None:
                return None
            drift += change
            share = _DRIFT * (1 + scored_pixels / _DRIFT_PIXELS)
            if drift > share * scored_error:
                scores[index] = Verifier(channels(one)).score(channels(two))
                if scores[index] < at_least:
                    return scores
                drift, scored_error = 0.0, errors.sum
                scored_pixels += pixels
    except CorruptImageError:
        return None
    return scores


def worst_score(original: Gif, other: Gif, at_least: float, decoder: Decoder) -> float | None:
    """The lowest of `frame_scores`, 100 where there are none."""
    scores = frame_scores(original, other, at_least, decoder)
    return None if scores is None else min(scores.values(), default=100.0)


class _Errors:
    """The square errors between two pictures, kept up to date as parts of them change.

    Attributes:
        sum: over all pixels.
    """

    def __init__(self, canvas: tuple[int, int]) -> None:
        width, height = canvas
        self._map: npt.NDArray[np.float32] = np.zeros((height, width), np.float32)
        self.sum = 0.0

    def update(self, one: Canvas, two: Canvas, changed: Region) -> float | None:
        """Take in the part that `changed`.

        Returns:
            How much error came and went; None where the alpha of the pictures differs.
        """
        left, right = one[changed], two[changed]
        differing = left != right
        errors = np.zeros(differing.shape, np.float32)
        if differing.any():
            a, b = left[differing], right[differing]
            if not np.array_equal(alpha_of(a), alpha_of(b)):
                return None
            errors[differing] = _square_error(a, b)
        known = self._map[changed]
        change = errors - known
        self.sum = max(0.0, self.sum + float(change.sum(dtype=np.float64)))
        known[...] = errors
        return float(np.abs(change).sum(dtype=np.float64))


def _square_error(one: Canvas, two: Canvas) -> npt.NDArray[np.float32]:
    difference = one.view(np.uint8).astype(np.float32) - two.view(np.uint8)
    squares: npt.NDArray[np.float32] = np.square(difference).reshape(-1, 4)
    return squares[:, 0] + squares[:, 1] + squares[:, 2]


def _same_timing(one: Image, other: Image) -> bool:
    if one.control is None or other.control is None:
        return one.control is other.control
    return (one.control.delay, one.control.waits) == (other.control.delay, other.control.waits)


def _plain(gif: Gif) -> bool:
    """Whether decoders have nothing to disagree about: all frames add to a first that fills all."""
    first = gif.images[0]
    return (first.left, first.top, (first.width, first.height)) == (0, 0, gif.canvas) and all(
        image.control is None or image.control.disposal <= KEEP for image in gif.images[:-1]
    )


def _identical_in_libvips(original: Gif, other: Gif, deadline: Deadline) -> bool:
    try:
        one = vips.load(write(original), Format.GIF)
    except CorruptImageError:
        return True  # libvips refuses some files that browsers show: there is nothing to compare
    try:
        two = vips.load(write(other), Format.GIF)
        if _shape(one) != _shape(two):
            return False
        pages = zip(_pages(one), _pages(two), strict=True)
        for left, right in pages:
            deadline.check("the result was verified")
            if not np.array_equal(left, right):
                return False
    except CorruptImageError:
        return False
    return True


def _shape(stack: vips.Image) -> tuple[object, ...]:
    timing = (stack.get(name) if stack.get_typeof(name) else None for name in ("delay", "loop"))
    return (stack.width, stack.height, stack.get_page_height(), *timing)


def _pages(stack: vips.Image) -> Iterator[vips.Pixels]:
    height = stack.get_page_height()
    if not stack.hasalpha():
        stack = stack.addalpha()
    for top in range(0, stack.height, height):
        with vips.decoding(Format.GIF):
            page = vips.pixels(stack.crop(0, top, stack.width, height))
        yield page
