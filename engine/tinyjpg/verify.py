"""How an encoded result compares with its original: the score that the quality promises."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from tinyjpg.metric import (
    REFERENCE_BYTES_PER_PIXEL,
    SMALLEST_SIDE,
    Pixels,
    Reference,
    check_pixels,
    check_same_size,
    compare,
    has_alpha,
)

# Nobody knows what a transparent image will be shown on. The greys are those of the metric's
# definition; black and white are up to 6.5 points stricter on logos.
_BACKGROUNDS: Final = (0.0, 1.0, 0.1, 0.9)
_OPAQUE: Final = (0.0,)

# The metric is tuned for six scales, which take 113 pixels in both dimensions. With fewer, its
# weights fall on the wrong ones: squares of 16 pixels, saved as JPEG, score 8 more than photographs
# do on average, those of 32 scatter by 31. Continued by mirroring they score like the whole.
_TRUSTED_SIDE: Final = 113

# Above this a reference is not cached: each score then takes 1.3 times as long and no memory.
_CACHE_BYTES: Final = 96 * 1024 * 1024


class Verifier:
    """Scores results against one original.

    For one thread at a time. It holds the original, and up to 96 MiB to score faster.

    Args:
        reference: height x width x bands, uint8 sRGB code values; 1 band is grey, 2 grey and alpha,
            3 RGB, 4 RGB and alpha. Any size from 1 x 1.

    Raises:
        InvalidOptionError: the array is not such an image.
    """

    def __init__(self, reference: Pixels) -> None:
        self._reference = check_pixels(reference, smallest_side=1)
        self._translucent = has_alpha(self._reference)
        self._cache: dict[tuple[float, int], Reference] = {}

    def score(self, other: Pixels) -> float:
        """The SSIMULACRA2 score of `other`, at most 100.0, the value for identical shown pixels.

        Where either image has transparency it is the lowest over black, white and two greys, so
        colours that nobody can see do not count. An image below 113 pixels in a dimension is also
        scored continued by mirroring to 113, below 8 only so, and the lower score is given.

        Args:
            other: an image of the reference's height and width; its bands may differ, and no alpha
                means opaque.

        Raises:
            InvalidOptionError: the array is not such an image.
            MemoryError: there is not enough memory.
        """
        other = check_pixels(other, smallest_side=1)
        height, width, _ = self._reference.shape
        check_same_size((height, width), other)
        if np.array_equal(self._reference, other):
            return 100.0
        backgrounds = _BACKGROUNDS if self._translucent or has_alpha(other) else _OPAQUE
        pairs = list(zip(_views(self._reference), _views(other), strict=True))
        needed = sum(original[..., 0].size for original, _ in pairs) * REFERENCE_BYTES_PER_PIXEL
        cached = needed * len(backgrounds) <= _CACHE_BYTES
        return min(
            self._score(pairs[view], (background, view), cached=cached)
            for background in backgrounds
            for view in range(len(pairs))
        )

    def _score(self, pair: tuple[Pixels, Pixels], key: tuple[float, int], *, cached: bool) -> float:
        original, distorted = pair
        if key not in self._cache:
            if not cached:
                return compare(original, distorted, background=key[0])
            self._cache[key] = Reference(original, background=key[0])
        return self._cache[key].score(distorted)


def _views(pixels: Pixels) -> Iterator[Pixels]:
    height, width, _ = pixels.shape
    if min(height, width) >= SMALLEST_SIDE:
        yield pixels
    if min(height, width) < _TRUSTED_SIDE:
        missing = (max(0, _TRUSTED_SIDE - height), max(0, _TRUSTED_SIDE - width))
        yield np.pad(pixels, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="symmetric")
