"""What a JPEG shows, upright: an image to encode, rows to compare with, a sample to search on.

Up to a size the pixels are held in memory; larger pictures are decoded anew each time, a strip of
rows after the other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final, TypeVar

import numpy as np

from tinyjpg.backends import vips
from tinyjpg.backends.vips import Pixels
from tinyjpg.colour_loss import keeps_colours
from tinyjpg.containers.jpeg import JpegHeader
from tinyjpg.errors import CorruptImageError
from tinyjpg.formats import Format
from tinyjpg.metric import Comparison

T = TypeVar("T")

_MOST_PIXELS_IN_MEMORY: Final = 16_000_000

# Rows of a strip where pixels are not held: libvips takes 4.5 kB a column for 8, 10 kB for 64.
_STREAMED_ROWS: Final = 8

# A picture of more pixels than this is sampled: 4 x 4 squares of 256 pixels, evenly spread, score
# 0.4 points more than 16 camera photographs of 3 to 13 megapixels, standard deviation 0.25. The
# squares begin at multiples of 16, so that the blocks of a JPEG source stay where they are.
_MOST_PIXELS_WHOLE: Final = 1_500_000
_SQUARE: Final = 256
_SQUARES: Final = 16
_BLOCK: Final = 16

# Left-over bytes after a complete scan: some cameras pad there, nothing is lost.
_HARMLESS: Final = re.compile(r"Corrupt JPEG data: \d+ extraneous bytes before marker 0x\w\w; ")

_DAMAGE: Final = re.compile("corrupt|premature", re.IGNORECASE)


class Picture:
    """The picture in one file.

    Args:
        data: the file.
        header: its header.

    Attributes:
        width, height: pixels, upright.
        icc_profile: what its code values mean, None where that is sRGB.
        is_subsampled: whether the file holds its colours at a lower resolution.
        is_grey: whether red, green and blue are the same everywhere.

    Raises:
        CorruptImageError: it is truncated or damaged.
    """

    def __init__(self, data: bytes, header: JpegHeader) -> None:
        self.width, self.height = header.upright_size
        profile = header.icc_profile
        self.icc_profile = None if profile is None or vips.is_srgb(profile) else profile
        self.is_subsampled = header.is_subsampled
        self._data = data
        self._orientation = header.orientation
        self._decoded: vips.Image | None = None
        if header.pixels <= _MOST_PIXELS_IN_MEMORY:
            self._decoded, self._fail_on = strictly(
                lambda fail_on: self._decode(fail_on).copy_memory()
            )
        else:
            _, self._fail_on = strictly(lambda fail_on: self._decode(fail_on).avg())
        has_one_meaning = len(header.components) == 1 or self.icc_profile is None
        self.is_grey = has_one_meaning and all(map(_is_grey, self._strips(self._code_values())))

    @property
    def is_held(self) -> bool:
        """Whether its pixels are in memory."""
        return self._decoded is not None

    def convert_to_srgb(self) -> bool:
        """Turn the code values into sRGB, which needs no profile, where that loses nothing.

        Returns:
            Whether it was done; pictures that are not held in memory stay as they are.
        """
        if self.icc_profile is None or self._decoded is None or self._decoded.bands != 3:
            return False
        with vips.decoding(Format.JPEG):
            converted = vips.in_srgb(self._decoded)
        if converted is None:
            return False
        self._decoded, self.icc_profile = converted, None
        return True

    def image(self) -> vips.Image:
        """The code values to encode: one band where the picture is grey, else RGB."""
        image = self._code_values()
        if self.is_grey and image.bands == 3:
            return image.extract_band(0).copy(interpretation="b-w")
        return image

    def as_shown(self, image: vips.Image) -> vips.Image:
        """`image`, whose code values mean what the picture's do, in sRGB."""
        return vips.as_srgb(vips.tagged(image, self.icc_profile))

    def rows(self) -> Iterator[Pixels]:
        """The code values to encode, some rows at a time: rows x width x 1 or 3."""
        return self._strips(self.image())

    def shown(self) -> Iterator[Pixels]:
        """The rows in sRGB, some at a time: rows x width x 1 or 3."""
        return self._strips(self.as_shown(self.image()))

    def score(self, jpeg: bytes) -> float:
        """The SSIMULACRA2 of an upright `jpeg` whose code values mean what the picture's do.

        Both are compared while they are decoded; memory grows with the width only.
        """
        comparison = Comparison(self.width, self.height)
        for mine, its in self._beside(jpeg):
            comparison.push(mine, its)
        return comparison.finish()

    def keeps_colours(self, jpeg: bytes, quality: int) -> bool:
        """Whether small coloured things keep their colour in such a file; `quality` is 1 to 99."""
        return self.is_grey or all(
            keeps_colours(mine, its, quality) for mine, its in self._beside(jpeg)
        )

    def whole(self) -> Pixels:
        """All code values to encode: height x width x 1 or 3."""
        return np.concatenate(list(self.rows()))

    def sample(self) -> tuple[Pixels, bool]:
        """Code values, height x width x 1 or 3, that score about like the picture.

        Returns:
            The pixels, and whether they are only a part of the picture.
        """
        places = _squares(self.width, self.height)
        if places is None:
            return self.whole(), False
        strips = self._strips(self.image())
        tops, lefts = places
        sample: Pixels | None = None
        for number, strip in enumerate(strips):
            if sample is None:
                size = (len(tops) * _SQUARE, len(lefts) * _SQUARE, strip.shape[2])
                sample = np.empty(size, dtype=np.uint8)
            first = number * self._strip_rows
            for row, top in enumerate(tops):
                start, stop = max(first, top), min(first + len(strip), top + _SQUARE)
                into = sample[row * _SQUARE + start - top : row * _SQUARE + max(start, stop) - top]
                for column, left in enumerate(lefts):
                    into[:, column * _SQUARE : (column + 1) * _SQUARE] = strip[
                        start - first : max(start, stop) - first, left : left + _SQUARE
                    ]
        assert sample is not None  # noqa: S101  (no picture is without rows)
        return sample, True

    def _beside(self, jpeg: bytes) -> Iterator[tuple[Pixels, Pixels]]:
        """The same rows of the picture and of `jpeg`, in sRGB."""
        other = self.as_shown(vips.load(jpeg, Format.JPEG))
        return zip(self.shown(), self._strips(other), strict=True)

    def _code_values(self) -> vips.Image:
        return self._decode(self._fail_on) if self._decoded is None else self._decoded

    def _decode(self, fail_on: str) -> vips.Image:
        if self._orientation == 1:
            return vips.load(self._data, Format.JPEG, fail_on=fail_on)
        image = vips.load(self._data, Format.JPEG, sequential=False, fail_on=fail_on)
        return vips.upright(image, self._orientation)

    @property
    def _strip_rows(self) -> int:
        return vips.STRIP_ROWS if self.is_held else _STREAMED_ROWS

    def _strips(self, image: vips.Image) -> Iterator[Pixels]:
        with vips.decoding(Format.JPEG):
            yield from vips.strips(image, self._strip_rows)


def strictly(decode: Callable[[str], T]) -> tuple[T, str]:
    """Call `decode` with libvips' strictest checks, or past damage that is none.

    Returns:
        What `decode` returned, and the checks that it passed.

    Raises:
        CorruptImageError: the picture is truncated or damaged.
    """
    with vips.decoding(Format.JPEG):
        try:
            with vips.decoding(Format.JPEG):
                return decode("warning"), "warning"
        except CorruptImageError as error:
            # libvips' workers may add to its messages late: those of another file may be in it.
            others, harmless = _HARMLESS.subn("", str(error))
            if not harmless or _DAMAGE.search(others):
                raise
        return decode("error"), "error"


def _squares(width: int, height: int) -> tuple[list[int], list[int]] | None:
    """Rows and columns at which the squares of a sample begin; None to take the whole picture."""
    if width * height <= _MOST_PIXELS_WHOLE or min(width, height) < _SQUARE:
        return None
    across = down = round(_SQUARES**0.5)
    if height < down * _SQUARE:
        down = height // _SQUARE
        across = min(_SQUARES // down, width // _SQUARE)
    elif width < across * _SQUARE:
        across = width // _SQUARE
        down = min(_SQUARES // across, height // _SQUARE)
    return _starts(height, down), _starts(width, across)


def _starts(length: int, count: int) -> list[int]:
    """Where `count` squares begin that lie in the middle of equal parts of `length` pixels."""
    return [
        (length * (2 * one + 1) // (2 * count) - _SQUARE // 2) // _BLOCK * _BLOCK
        for one in range(count)
    ]


def _is_grey(pixels: Pixels) -> bool:
    return pixels.shape[2] == 1 or bool(
        (pixels[..., 0] == pixels[..., 1]).all() and (pixels[..., 1] == pixels[..., 2]).all()
    )
