"""What a search for a JPEG looks at: the pixels of a picture or of squares of it, as coefficients.

Colour conversion and forward DCT happen once for each way to store the colours; an attempt is
quantised, shown as decoders will show it, and scored. No file is written for it.
"""

from __future__ import annotations

from typing import Final

from tinyjpg.backends import vips
from tinyjpg.backends.jpeg import Averaging, Coefficients, Tables
from tinyjpg.backends.vips import Pixels
from tinyjpg.codecs.jpeg_picture import Picture
from tinyjpg.codecs.jpeg_scales import SUBSAMPLINGS, Chroma, Manner, scale_of
from tinyjpg.colour_loss import keeps_colours
from tinyjpg.formats import Format
from tinyjpg.verify import Verifier

# By how many points squares score higher than the picture they are taken from.
_BIAS: Final = 0.4
# Files below this size may be smaller with one scan than with six and their tables.
_TINY: Final = 8192
# Of that many blocks without variation above some code values a picture is taken for a drawing:
# of 79 photographs 6 have so many, of 49 screenshots and logos 44.
_DRAWN: Final = 0.2
_PLAIN: Final = 2
_SIDE: Final = 8
# Parts of a drawing say less of the rest than those of a photograph do, and it is tried in several
# manners, which costs less on coefficients than by files: up to this size, which takes 100 MB.
_MOST_PIXELS_OF_DRAWING: Final = 4_000_000
# What coefficients depend on.
_Stored = tuple[Chroma, Averaging]
# The effort at which the gradient of the score is followed.
GRADIENT_EFFORT: Final = 9


def quantise(
    coefficients: Coefficients,
    setting: int,
    effort: int,
    original: Pixels,
    tables: Tables = Tables.PHOTOGRAPH,
) -> None:
    """Decide how to quantise, with what `effort` is worth.

    Args:
        coefficients: what `original` was pushed to.
        setting: one of `SETTINGS`.
        effort: 1 to 9.
        tables: which quantisation tables.
    """
    coefficients.plan(scale_of(setting), effort=effort, tables=tables)
    if effort >= GRADIENT_EFFORT:
        coefficients.refine(original)


class Sample:
    """Pixels that stand for a picture, and how they look at any setting.

    Args:
        picture: what they stand for.
        effort: 1 to 9, how the encoder quantises.

    Attributes:
        is_part: whether they are only a part of the picture.
        is_grey: whether they have one band.
        is_drawn: whether much of it is plain, as in screenshots and logos.
    """

    def __init__(self, picture: Picture, effort: int) -> None:
        self._pixels, self.is_part = picture.sample()
        self.is_drawn = _plain_part(self._pixels) >= _DRAWN
        if self.is_drawn and picture.width * picture.height <= _MOST_PIXELS_OF_DRAWING:
            self._pixels, self.is_part = picture.whole(), False
        self._picture = picture
        self._effort = effort
        self._verifier = Verifier(self._as_shown(self._pixels))
        self._bias = _BIAS if self.is_part else 0.0
        self._coefficients: dict[_Stored, Coefficients] = {}
        self._settings: dict[_Stored, tuple[Manner, int]] = {}
        self._shown: tuple[Manner, int, Pixels] | None = None
        self.is_grey = self._pixels.shape[2] == 1

    def score(self, manner: Manner, setting: int) -> float:
        """What the whole picture is expected to score at one of `SETTINGS`."""
        return self._score(self._promised(manner, setting)) - self._bias

    def size(self, manner: Manner, setting: int) -> int:
        """Bytes of the sample at a setting."""
        return len(self.planned(manner, setting).write())

    @property
    def follows_gradient(self) -> bool:
        """Whether how a pixel is quantised depends on all around it."""
        return self._effort >= GRADIENT_EFFORT

    def whole(self, pixels: Pixels, manner: Manner, setting: int) -> bytes:
        """A file of `pixels`, the whole picture, quantised as the sample is."""
        height, width, _ = pixels.shape
        made = Coefficients(width, height, SUBSAMPLINGS[manner.chroma], manner.averaging)
        made.push(pixels)
        quantise(made, setting, self._effort, pixels, manner.tables)
        return made.write()

    def planned(self, manner: Manner, setting: int) -> Coefficients:
        """The sample's coefficients, to be quantised for a setting."""
        stored = manner.chroma, manner.averaging
        if stored not in self._coefficients:
            height, width, _ = self._pixels.shape
            made = Coefficients(width, height, SUBSAMPLINGS[manner.chroma], manner.averaging)
            made.push(self._pixels)
            self._coefficients[stored] = made
        coefficients = self._coefficients[stored]
        if self._settings.get(stored) != (manner, setting):
            quantise(coefficients, setting, self._effort, self._pixels, manner.tables)
            self._settings[stored] = manner, setting
        return coefficients

    def file(self, manner: Manner, setting: int) -> bytes:
        """The sample as a file at a setting: that of the picture, where it is not only a part."""
        coefficients = self.planned(manner, setting)
        jpeg = coefficients.write()
        if len(jpeg) > _TINY:
            return jpeg
        return min(jpeg, coefficients.write(progressive=False), key=len)

    def score_of(self, jpeg: bytes, expected: float, manner: Manner, setting: int) -> float:
        """The score of a file that `file` made, by decoding it.

        Args:
            jpeg: the file.
            expected: what `score` said, which is right where the decoder shows what was promised.
        """
        with vips.decoding(Format.JPEG):
            decoded = vips.pixels(vips.load(jpeg, Format.JPEG))
        promised = self._promised(manner, setting)
        if decoded.shape == promised.shape and bool((decoded == promised).all()):
            return expected
        return self._score(decoded) - self._bias

    def keeps_colours(self, manner: Manner, setting: int, quality: int) -> bool:
        """Whether small coloured things keep their colour at a setting; for `quality` 1 to 99."""
        if self.is_grey:
            return True
        shown = self._as_shown(self._promised(manner, setting))
        return keeps_colours(self._as_shown(self._pixels), shown, quality)

    def _promised(self, manner: Manner, setting: int) -> Pixels:
        if self._shown is None or self._shown[:2] != (manner, setting):
            self._shown = manner, setting, self.planned(manner, setting).show()
        return self._shown[2]

    def _score(self, pixels: Pixels) -> float:
        return self._verifier.score(self._as_shown(pixels))

    def _as_shown(self, pixels: Pixels) -> Pixels:
        if self._picture.icc_profile is None:
            return pixels
        with vips.decoding(Format.JPEG):
            return vips.pixels(self._picture.as_shown(vips.from_pixels(pixels)))


def _plain_part(pixels: Pixels) -> float:
    """The part of all whole blocks, 0 to 1, that hardly vary."""
    down, across = pixels.shape[0] // _SIDE, pixels.shape[1] // _SIDE
    if not (down and across):
        return 0.0
    whole = pixels[: down * _SIDE, : across * _SIDE]
    blocks = whole.reshape(down, _SIDE, across, _SIDE, pixels.shape[2])
    # Row by row first: a tenth of the time of both sides at once.
    most = blocks.max(axis=1).max(axis=2)
    least = blocks.min(axis=1).min(axis=2)
    return float(((most - least) <= _PLAIN).all(axis=-1).mean())
