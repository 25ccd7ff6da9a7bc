"""SSIMULACRA2: how alike two images look to people, computed by the native module.

100 is identical, 90 visually lossless in a flicker test, 80 not noticeable side by side, 70
perceptible but not annoying, 50 fair, 30 poor; bad enough images score below 0. Definition:
github.com/cloudinary/ssimulacra2, version 2.1.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from tinyjpg.errors import InvalidOptionError, MissingToolError

try:
    from tinyjpg._native import ffi, lib
except ImportError as error:
    raise MissingToolError(
        f"the native part of TinyJPG cannot be loaded ({error}); build it with ./run setup in a "
        "checkout, or reinstall the package (both need a C compiler)"
    ) from error

Pixels = npt.NDArray[np.uint8]

SMALLEST_SIDE: Final = 8
"""Pixels that an image must have in both dimensions to be scored."""

REFERENCE_BYTES_PER_PIXEL: Final = 20
"""Memory that a `Reference` holds, an upper bound."""

# The greys that the reference program blends alpha over.
_PUBLIC_BACKGROUNDS: Final = (0.1, 0.9)


class Reference:
    """An original, prepared once, to score many distorted images against.

    Safe to share between threads; scoring releases the GIL. The pixels themselves are not kept.

    Args:
        pixels: height x width x bands, uint8 sRGB code values; 1 band is grey, 2 grey and alpha,
            3 RGB, 4 RGB and alpha. At least 8 x 8 pixels.
        background: grey that alpha is blended over, in code values: 0 is black, 1 white.

    Raises:
        InvalidOptionError: the array is not such an image, or the background is out of range.
        MemoryError: there is not enough memory, about 20 bytes a pixel.
    """

    __slots__ = ("_handle", "background", "height", "width")

    def __init__(self, pixels: Pixels, *, background: float = 0.0) -> None:
        checked = check_pixels(pixels)
        self.height: Final = int(checked.shape[0])
        self.width: Final = int(checked.shape[1])
        self.background: Final = _check_background(background)
        handle = lib.tinyjpg_reference_new(
            ffi.from_buffer("uint8_t[]", checked),
            checked.shape[2],
            self.width,
            self.height,
            self.background,
        )
        if handle == ffi.NULL:
            raise _out_of_memory(self.width, self.height)
        self._handle: Final = ffi.gc(
            handle,
            lib.tinyjpg_reference_free,
            REFERENCE_BYTES_PER_PIXEL * self.width * self.height,
        )

    def score(self, pixels: Pixels) -> float:
        """Score a distorted image of the same height and width; its bands may differ.

        Returns:
            The score, at most 100.0, which is given exactly where the shown pixels are identical.

        Raises:
            InvalidOptionError: the array is not an image of the reference's size.
            MemoryError: there is not enough memory.
        """
        checked = check_pixels(pixels)
        check_same_size((self.height, self.width), checked)
        result = ffi.new("double *")
        if lib.tinyjpg_reference_score(
            self._handle, ffi.from_buffer("uint8_t[]", checked), checked.shape[2], result
        ):
            raise _out_of_memory(self.width, self.height)
        return float(result[0])


def compare(original: Pixels, distorted: Pixels, *, background: float = 0.0) -> float:
    """Score one pair in memory that grows with the width only; arguments as for `Reference`.

    Raises:
        InvalidOptionError: an array is not an image, or the sizes differ.
        MemoryError: there is not enough memory.
    """
    one, other = check_pixels(original), check_pixels(distorted)
    height, width = one.shape[:2]
    check_same_size((height, width), other)
    result = ffi.new("double *")
    if lib.tinyjpg_ssimulacra2(
        ffi.from_buffer("uint8_t[]", one),
        one.shape[2],
        ffi.from_buffer("uint8_t[]", other),
        other.shape[2],
        width,
        height,
        _check_background(background),
        result,
    ):
        raise _out_of_memory(width, height)
    return float(result[0])


def ssimulacra2(reference: Pixels, distorted: Pixels) -> float:
    """Score a pair as the reference program does: alpha over grey 0.1 and 0.9, the lower counts.

    Args:
        reference: height x width x 1 to 4 bands, uint8 sRGB code values, at least 8 x 8.
        distorted: the same height and width.

    Raises:
        InvalidOptionError: an array is not an image, or the sizes differ.
        MemoryError: there is not enough memory.
    """
    one, other = check_pixels(reference), check_pixels(distorted)
    backgrounds = _PUBLIC_BACKGROUNDS if has_alpha(one) or has_alpha(other) else (0.0,)
    return min(compare(one, other, background=grey) for grey in backgrounds)


def has_alpha(pixels: Pixels) -> bool:
    """Whether any pixel of a height x width x bands image is not opaque."""
    return pixels.shape[2] in (2, 4) and not bool((pixels[..., -1] == 255).all())


def check_pixels(pixels: Pixels, *, smallest_side: int = SMALLEST_SIDE) -> Pixels:
    """Return `pixels` as a contiguous array if they are an image as `Reference` takes it.

    Raises:
        InvalidOptionError: they are not.
    """
    if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8:
        found = pixels.dtype if isinstance(pixels, np.ndarray) else type(pixels).__name__
        raise InvalidOptionError(f"the pixels are {found}; give a numpy array of uint8")
    if pixels.ndim != 3 or not 1 <= pixels.shape[2] <= 4:
        raise InvalidOptionError(
            f"the pixels have the shape {pixels.shape}; give height x width x 1 to 4 bands"
        )
    if min(pixels.shape[:2]) < smallest_side:
        raise InvalidOptionError(
            f"the image has {pixels.shape[1]} x {pixels.shape[0]} pixels; "
            f"a score needs at least {smallest_side} x {smallest_side}"
        )
    return np.ascontiguousarray(pixels)


def check_same_size(expected: tuple[int, int], pixels: Pixels) -> None:
    """Refuse `pixels` of another height and width than `expected`.

    Raises:
        InvalidOptionError: the size differs.
    """
    height, width = pixels.shape[:2]
    if (height, width) != expected:
        raise InvalidOptionError(
            f"the images have {expected[1]} x {expected[0]} and {width} x {height} pixels; "
            "only images of equal size can be compared"
        )


def _check_background(background: float) -> float:
    if not 0.0 <= background <= 1.0:
        raise InvalidOptionError(
            f"the background is {background!r}; give a grey from 0 (black) to 1 (white)"
        )
    return float(background)


def _out_of_memory(width: int, height: int) -> MemoryError:
    return MemoryError(f"there is not enough memory to score {width} x {height} pixels")
