"""The JPEG encoder of the native module: pictures as coefficients, shown and written at any scale.

Standard 8-bit Huffman-coded files (ITU-T T.81, JFIF): chroma averaged and luma corrected for it,
tables and trellis tuned for SSIMULACRA2, optimal Huffman codes. What `show` returns is what
libjpeg-turbo makes of the file, so a setting is scored without writing one.
"""

from __future__ import annotations

import threading
from enum import IntEnum
from typing import Final

import numpy as np

from tinyjpg.errors import InvalidOptionError
from tinyjpg.metric import Pixels, check_pixels, check_same_size
from tinyjpg.native import ffi, lib
from tinyjpg.options import DEFAULT_EFFORT, check_effort

LARGEST_SIDE: Final = 65500
"""Pixels that a JPEG can have in each dimension; libjpeg draws the line here."""

SCALES: Final = range(1, (1 << 20) + 1)
"""What the built-in quantisation tables can be multiplied by, in 256ths."""


class Subsampling(IntEnum):
    """How colours are stored; the numbers are those of native/cdef.h."""

    GREY = 0
    CHROMA_444 = 1
    CHROMA_422 = 2
    CHROMA_420 = 3


class Tables(IntEnum):
    """What the quantisation tables are for; the numbers are those of native/cdef.h."""

    PHOTOGRAPH = 0
    DRAWING = 1


class Averaging(IntEnum):
    """What colour pixels get that share chroma; the numbers are those of native/cdef.h.

    The mean of their linear light scores best, but thin coloured strokes beside white turn grey:
    most of what chroma they spread is clipped. `AS_SHOWN` makes up for that.
    """

    LINEAR_LIGHT = 0
    AS_SHOWN = 1


class _Encoding:
    """Rows that go in from top to bottom. Not for two threads at a time: they take turns."""

    __slots__ = ("_handle", "_lock", "height", "subsampling", "width")

    def __init__(
        self, handle: object, width: int, height: int, subsampling: Subsampling, size: int
    ) -> None:
        if handle == ffi.NULL:
            raise _out_of_memory(width, height)
        self.width: Final = width
        self.height: Final = height
        self.subsampling: Final = subsampling
        self._handle: Final = ffi.gc(handle, lib.tinyjpg_jpeg_free, size)
        self._lock: Final = threading.Lock()

    @property
    def bands(self) -> int:
        """1 where the picture is grey, else 3."""
        return 1 if self.subsampling is Subsampling.GREY else 3

    def push(self, rows: Pixels) -> None:
        """Take in the next rows; releases the GIL.

        Args:
            rows: rows x width x 1 or 3 as `bands` says, uint8 code values, any number of rows.

        Raises:
            InvalidOptionError: they are not such rows, or more than are missing.
        """
        checked = check_pixels(rows, smallest_side=1)
        check_same_size((checked.shape[0], self.width), checked)
        if checked.shape[2] != self.bands:
            raise InvalidOptionError(
                f"the rows have {checked.shape[2]} bands; give {self.bands} for "
                f"{self.subsampling.name}"
            )
        with self._lock:
            missing = lib.tinyjpg_jpeg_missing(self._handle)
            data = ffi.from_buffer("uint8_t[]", checked)
            if lib.tinyjpg_jpeg_push(self._handle, data, checked.shape[0]):
                raise InvalidOptionError(
                    f"{checked.shape[0]} rows are given, but only {missing} of {self.height} are "
                    "missing; give each row once"
                )

    def _check_complete(self) -> None:
        missing = lib.tinyjpg_jpeg_missing(self._handle)
        if missing:
            raise InvalidOptionError(
                f"{missing} of {self.height} rows are missing; push them first"
            )

    def _write(self, *, progressive: bool) -> bytes:
        self._check_complete()
        size = ffi.new("size_t *")
        if lib.tinyjpg_jpeg_write(self._handle, progressive, size):
            raise _out_of_memory(self.width, self.height)
        file = bytearray(size[0])
        lib.tinyjpg_jpeg_take(self._handle, ffi.from_buffer("uint8_t[]", file))
        return bytes(file)


class Coefficients(_Encoding):
    """A whole picture as DCT coefficients, made once, to be shown and written at many scales.

    `push` all rows, then `plan` a scale. Takes 6 bytes a pixel for 4:4:4, 3 for 4:2:0, 2 for grey.

    Args:
        width: pixels in a row, 1 to `LARGEST_SIDE`.
        height: rows, likewise.
        subsampling: how colours are stored.
        averaging: what colour pixels get that share chroma.

    Raises:
        InvalidOptionError: the size is out of range.
        MemoryError: there is not enough memory.
    """

    __slots__ = ("_planned",)

    def __init__(
        self,
        width: int,
        height: int,
        subsampling: Subsampling,
        averaging: Averaging = Averaging.LINEAR_LIGHT,
    ) -> None:
        _check_size(width, height)
        handle = lib.tinyjpg_jpeg_new(width, height, subsampling, averaging)
        super().__init__(handle, width, height, subsampling, 6 * width * height)
        self._planned = False

    def plan(
        self, scale: int, *, effort: int = DEFAULT_EFFORT, tables: Tables = Tables.PHOTOGRAPH
    ) -> None:
        """Decide how to quantise: with the built-in tables times `scale` / 256.

        Args:
            scale: one of `SCALES`; about 1150 for a score of 80 on photographs.
            effort: 1 to 9: 1 and 2 round with a dead zone; from 3 on a trellis weighs bits against
                errors.
            tables: which of the built-in tables.

        Raises:
            InvalidOptionError: an argument is out of range, or rows are missing.
            MemoryError: there is not enough memory.
        """
        if scale not in SCALES:
            raise InvalidOptionError(
                f"the scale is {scale!r}; give a whole number from {SCALES[0]} to {SCALES[-1]}"
            )
        check_effort(effort)
        with self._lock:
            self._check_complete()
            self._planned = False
            if lib.tinyjpg_jpeg_plan(self._handle, scale, effort, tables):
                raise _out_of_memory(self.width, self.height)
            self._planned = True

    def refine(self, original: Pixels) -> None:
        """Move what is quantised to where SSIMULACRA2 would rather have it; undone by `plan`.

        A gradient pass: the same score in fewer bytes, for a fifth of a second a megapixel and 150
        bytes a pixel, of 1.2 megapixels at most.

        Args:
            original: the rows that were pushed, all together.

        Raises:
            InvalidOptionError: they are other rows, or nothing is planned.
            MemoryError: there is not enough memory.
        """
        checked = check_pixels(original, smallest_side=1)
        check_same_size((self.height, self.width), checked)
        if checked.shape[2] != self.bands:
            raise InvalidOptionError(
                f"the original has {checked.shape[2]} bands; give the {self.bands} that were pushed"
            )
        with self._lock:
            self._check_planned()
            data = ffi.from_buffer("uint8_t[]", checked)
            if lib.tinyjpg_jpeg_refine(self._handle, data):
                raise _out_of_memory(self.width, self.height)

    def show(self) -> Pixels:
        """What decoders show of the file that `write` makes: height x width x 1 or 3.

        Raises:
            InvalidOptionError: nothing is planned.
            MemoryError: there is not enough memory.
        """
        with self._lock:
            self._check_planned()
            pixels = np.empty((self.height, self.width, self.bands), dtype=np.uint8)
            data = ffi.from_buffer("uint8_t[]", pixels, require_writable=True)
            if lib.tinyjpg_jpeg_show(self._handle, data):
                raise _out_of_memory(self.width, self.height)
            return pixels

    def write(self, *, progressive: bool = True) -> bytes:
        """The file, without metadata.

        Args:
            progressive: in scans of rising frequency, which is smaller but for tiny pictures;
                otherwise baseline.

        Raises:
            InvalidOptionError: nothing is planned.
            MemoryError: there is not enough memory.
        """
        with self._lock:
            self._check_planned()
            return self._write(progressive=progressive)

    def stream(self, width: int, height: int, *, progressive: bool = True) -> Stream:
        """Begin another picture, quantised as this one is, of which less is kept in memory.

        Args:
            width: pixels in a row, 1 to `LARGEST_SIDE`.
            height: rows, likewise.
            progressive: as for `write`.

        Raises:
            InvalidOptionError: nothing is planned, or the size is out of range.
            MemoryError: there is not enough memory.
        """
        _check_size(width, height)
        with self._lock:
            self._check_planned()
            handle = lib.tinyjpg_jpeg_stream(width, height, self._handle, progressive)
        return Stream(handle, width, height, self.subsampling, width * height // 4)

    def _check_planned(self) -> None:
        if not self._planned:
            raise InvalidOptionError("no scale is planned; call plan first")


class Stream(_Encoding):
    """A picture that is coded while its rows come; made by `Coefficients.stream`."""

    __slots__ = ()

    def finish(self) -> bytes:
        """The file, without metadata; once, after the last row.

        Raises:
            InvalidOptionError: rows are missing.
            MemoryError: there is not enough memory.
        """
        with self._lock:
            return self._write(progressive=True)


def _check_size(width: int, height: int) -> None:
    if not (1 <= width <= LARGEST_SIDE and 1 <= height <= LARGEST_SIDE):
        raise InvalidOptionError(
            f"the picture has {width} x {height} pixels; a JPEG takes 1 to {LARGEST_SIDE} in each "
            "dimension"
        )


def _out_of_memory(width: int, height: int) -> MemoryError:
    return MemoryError(f"there is not enough memory to encode {width} x {height} pixels")
