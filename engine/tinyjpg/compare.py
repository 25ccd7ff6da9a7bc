"""The metric behind `quality`, for anybody: how alike two images look, whatever they come as.

Files are compared as they are shown: upright, in sRGB (ICC profiles applied, CMYK converted, 16
bits rounded to 8), animations composited. Alpha is blended over two greys as the reference program
does, 0.1 and 0.9 in code values, and the lower score counts. What does the work is loaded at the
first call: `import tinyjpg` needs neither NumPy nor libvips.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from tinyjpg.limits import Limits
from tinyjpg.optimize import BytesLike
from tinyjpg.similarity import Similarity

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Comparable: TypeAlias = "BytesLike | npt.NDArray[np.uint8] | npt.NDArray[np.uint16]"


def ssimulacra2(
    reference: Comparable, distorted: Comparable, *, limits: Limits | None = None
) -> float:
    """The SSIMULACRA2 score (version 2.1) of an image against its original.

    90 is visually lossless, 80 not noticeable side by side, 70 noticeable but not annoying, 50
    fair, 30 poor; bad enough images score below 0.

    Args:
        reference: the bytes of a JPEG, PNG, WebP or GIF file; or an array of sRGB code values,
            height x width or height x width x 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGB,
            alpha), uint8 or uint16. At least 8 x 8 pixels.
        distorted: the same size as shown, in any of these forms.
        limits: what files may cost; see `Limits`.

    Returns:
        At most 100.0, the score of images that are shown the same. Of animations that of the worst
        frame, as everywhere in this package; `compare` has the mean as well.

    Raises:
        InvalidOptionError: an argument is no image (floating-point pixels are not), or the two
            cannot be compared: too small, different sizes, one animated and one not, animations
            that do not take the same time.
        UnsupportedFormatError: a file is not a JPEG, PNG, WebP or GIF, or one that viewers do not
            agree how to show: an HDR PNG, a JPEG of 12 bits.
        CorruptImageError: a file is truncated or damaged.
        LimitExceededError: an image is larger than `limits` allow.
        DeadlineExceededError: `limits.deadline` passed; it is looked at before each frame.
        MissingToolError: a native part of the engine is not installed.
        MemoryError: there is not enough memory.
    """
    return compare(reference, distorted, limits=limits).score


def compare(
    reference: Comparable, distorted: Comparable, *, limits: Limits | None = None
) -> Similarity:
    """Like `ssimulacra2`, with the score of every frame and their mean.

    Frames are paired by the time they are shown at, so merged frames do no harm. A few canvases of
    an animation are in memory at a time, and a few rows of a JPEG or PNG that needs no turning.
    """
    from tinyjpg import scoring  # noqa: PLC0415

    return scoring.compare(reference, distorted, limits or Limits())


class Reference:
    """An original, prepared once, to compare many images with.

    Safe to share between threads. A still takes about 10 bytes a pixel, 18 with transparency; an
    animation only its file, and is decoded for each comparison.

    Args:
        image: as for `ssimulacra2`, which tells the errors too.
        limits: what this image, and each one compared with it, may cost.
    """

    __slots__ = ("_original",)

    def __init__(self, image: Comparable, *, limits: Limits | None = None) -> None:
        from tinyjpg import scoring  # noqa: PLC0415

        self._original = scoring.Original(image, limits or Limits())

    def score(self, other: Comparable) -> float:
        """The score of `other` against this image; see `ssimulacra2`."""
        return self.compare(other).score

    def compare(self, other: Comparable) -> Similarity:
        """The scores of all frames of `other` against this image; see `tinyjpg.compare`."""
        return self._original.compare(other)
