"""SSIMULACRA2: how alike two images look to people, computed by the native module.

100 is identical, 90 visually lossless in a flicker test, 80 not noticeable side by side, 70
perceptible but not annoying, 50 fair, 30 poor; bad enough images score below 0. Definition:
github.com/cloudinary/ssimulacra2, version 2.1.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from tinyjpg.errors import InvalidOptionError
from tinyjpg.native import ffi, lib

Pixels = npt.NDArray[np.uint8]

SMALLEST_SIDE: Final = 8
"""Pixels that an image must have in both dimensions to be scored."""

_LARGEST_SIDE: Final = 1 << 30

REFERENCE_BYTES_PER_PIXEL: Final = 7
"""Memory that a `Reference` holds, an upper bound; 13 where a side is below 57 pixels."""

_COMPARISON_BYTES_PER_COLUMN: Final = 350

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
        MemoryError: there is not enough memory, about 7 bytes a pixel.
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


class Comparison:
    """Scores a pair whose rows come bit by bit, in memory that grows with the width only.

    `push` releases the GIL. A comparison may be handed from thread to thread.

    Args:
        width: pixels in a row, at least 8.
        height: rows of the whole images, at least 8.
        backgrounds: greys that alpha is blended over, in code values: 0 is black, 1 white. Each
            takes the time of a comparison of its own; the lowest score counts.

    Raises:
        InvalidOptionError: the size or a background is out of range, or there is no background.
        MemoryError: there is not enough memory, about 350 bytes a column for each background.
    """

    __slots__ = ("_handles", "_lock", "height", "width")

    def __init__(self, width: int, height: int, *, backgrounds: Sequence[float] = (0.0,)) -> None:
        if min(width, height) < SMALLEST_SIDE:
            raise _too_small(width, height, SMALLEST_SIDE)
        if max(width, height) > _LARGEST_SIDE:
            raise InvalidOptionError(
                f"the images have {width} x {height} pixels; "
                f"a score takes at most {_LARGEST_SIDE} in each dimension"
            )
        if not backgrounds:
            raise InvalidOptionError("there is no background; give at least one grey, such as 0.0")
        self.width: Final = width
        self.height: Final = height
        # Two threads in one native comparison would write out of bounds.
        self._lock: Final = threading.Lock()
        self._handles: Final = [
            self._open(_check_background(background)) for background in backgrounds
        ]

    def _open(self, background: float) -> object:
        handle = lib.tinyjpg_comparison_new(self.width, self.height, background)
        if handle == ffi.NULL:
            raise _out_of_memory(self.width, self.height)
        size = _COMPARISON_BYTES_PER_COLUMN * self.width
        return ffi.gc(handle, lib.tinyjpg_comparison_free, size)

    def push(self, original: Pixels, distorted: Pixels) -> None:
        """Take in the next rows of both images.

        Args:
            original: rows x width x bands as for `Reference`, any number of rows from 1.
            distorted: as many rows of the same width; its bands may differ.

        Raises:
            InvalidOptionError: the arrays are not such rows, or there are more than the height.
                Nothing is taken in then.
        """
        one, other = (check_pixels(rows, smallest_side=1) for rows in (original, distorted))
        check_same_size((one.shape[0], self.width), one)
        check_same_size((one.shape[0], self.width), other)
        with self._lock:
            missing = lib.tinyjpg_comparison_missing(self._handles[0])
            if one.shape[0] > missing:
                raise InvalidOptionError(
                    f"{one.shape[0]} rows are given, but only {missing} of {self.height} are "
                    "missing; give each row once"
                )
            for handle in self._handles:
                lib.tinyjpg_comparison_push(
                    handle,
                    ffi.from_buffer("uint8_t[]", one),
                    one.shape[2],
                    ffi.from_buffer("uint8_t[]", other),
                    other.shape[2],
                    one.shape[0],
                )

    def finish(self) -> float:
        """The score, once all rows are in: at most 100.0, the value for identical shown pixels.

        Raises:
            InvalidOptionError: rows are missing.
        """
        with self._lock:
            return min(self._score(handle) for handle in self._handles)

    def _score(self, handle: object) -> float:
        result = ffi.new("double *")
        if lib.tinyjpg_comparison_finish(handle, result):
            missing = lib.tinyjpg_comparison_missing(handle)
            raise InvalidOptionError(
                f"{missing} of {self.height} rows are missing; push them before the score is asked"
            )
        return float(result[0])


def compare(original: Pixels, distorted: Pixels, *, background: float = 0.0) -> float:
    """Score one pair in memory that grows with the width only; arguments as for `Reference`.

    Raises:
        InvalidOptionError: an array is not an image, or the sizes differ.
        MemoryError: there is not enough memory.
    """
    return _compare(original, distorted, [background])


def _compare(original: Pixels, distorted: Pixels, backgrounds: Sequence[float]) -> float:
    one, other = check_pixels(original), check_pixels(distorted)
    height, width = one.shape[:2]
    check_same_size((height, width), other)
    comparison = Comparison(width, height, backgrounds=backgrounds)
    comparison.push(one, other)
    return comparison.finish()


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
    return _compare(one, other, backgrounds)


def gradient(original: Pixels, distorted: Pixels) -> npt.NDArray[np.float32]:
    """How the weighted sum of errors, with which the score falls, grows with each code value.

    Args:
        original: height x width x 1 or 3 bands, uint8 sRGB code values, at least 8 x 8.
        distorted: the same shape.

    Returns:
        1 or 3 x height x width: per code value of `distorted`. The same bits everywhere.

    Raises:
        InvalidOptionError: an array is not such an image, or the shapes differ.
        MemoryError: there is not enough memory, about 130 bytes a pixel.
    """
    one, other = check_pixels(original), check_pixels(distorted)
    check_same_size((one.shape[0], one.shape[1]), other)
    height, width, bands = one.shape
    if bands not in (1, 3) or other.shape[2] != bands:
        raise InvalidOptionError(
            f"the images have {bands} and {other.shape[2]} bands; give both 1, or both 3"
        )
    planes = np.empty((3, height, width), dtype=np.float32)
    if lib.tinyjpg_gradient(
        ffi.from_buffer("uint8_t[]", one),
        ffi.from_buffer("uint8_t[]", other),
        bands,
        width,
        height,
        ffi.from_buffer("float[]", planes, require_writable=True),
    ):
        raise _out_of_memory(width, height)
    return planes[:bands]


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
        raise _too_small(pixels.shape[1], pixels.shape[0], smallest_side)
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


def _too_small(width: int, height: int, smallest_side: int) -> InvalidOptionError:
    return InvalidOptionError(
        f"the image has {width} x {height} pixels; "
        f"a score needs at least {smallest_side} x {smallest_side}"
    )


def _out_of_memory(width: int, height: int) -> MemoryError:
    return MemoryError(f"there is not enough memory to score {width} x {height} pixels")
