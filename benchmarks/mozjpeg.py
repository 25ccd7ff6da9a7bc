"""mozjpeg's lossy encoder, through libvips: the rival, and the scale that tables are read by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tinyjpg.backends import vips
from tinyjpg.codecs.jpeg_scales import Chroma
from tinyjpg.formats import Format

SETTINGS: Final = range(1, 101)
"""mozjpeg's quality scale."""

# mozjpeg's numbers for published quantisation tables. Bytes at equal score against table 3, its
# default, on 79 photographs: the table of Klein, Silverstein and Carney (1992) takes 95 % at a
# score of 70 and 98 % at 80; that tuned for MS-SSIM takes 96 % at 90, where the other takes 99 %.
_KLEIN: Final = 5
_MS_SSIM: Final = 2
# The quality from which the latter is the better choice: within 0.4 % of choosing per image.
_MS_SSIM_FROM: Final = 88

_SUBSAMPLE_MODES: Final = {Chroma.SUBSAMPLED: "on", Chroma.FULL: "off", Chroma.NONE: "on"}


@dataclass(frozen=True, slots=True)
class Manner:
    """What is chosen once for an image.

    Attributes:
        chroma: how the colour channels are stored.
        table: number of the quantisation table in mozjpeg.
    """

    chroma: Chroma
    table: int = _KLEIN

    @classmethod
    def near(cls, chroma: Chroma, setting: float) -> Manner:
        """With the table that is the better one for settings about `setting`."""
        return cls(chroma, _MS_SSIM if setting >= _MS_SSIM_FROM else _KLEIN)


def encode(image: vips.Image, manner: Manner, quality: int, *, scans: bool) -> bytes:
    """A progressive file without metadata, with trellis quantisation.

    Args:
        image: 8-bit RGB or, for greyscale, one band; decoded while it is encoded.
        quality: one of `SETTINGS`.
        scans: whether to search for the best progressive scans: the same pixels in 1 to 2 % fewer
            bytes for 40 % more time.

    Raises:
        CorruptImageError: `image` turns out truncated or damaged.
    """
    with vips.decoding(Format.JPEG):
        return vips.save(
            image,
            Format.JPEG,
            Q=quality,
            quant_table=manner.table,
            subsample_mode=_SUBSAMPLE_MODES[manner.chroma],
            optimize_coding=True,
            keep="none",
            interlace=True,
            trellis_quant=True,
            overshoot_deringing=True,
            optimize_scans=scans,
        )
