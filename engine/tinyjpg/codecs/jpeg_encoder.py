"""mozjpeg (through libvips) as this engine uses it: what can be set, and how much work it does."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from tinyjpg.backends import vips
from tinyjpg.containers.jpeg import JpegHeader, Process, QuantisationTable, parse
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

# What a progressive file with one of these tables comes from: nobody but mozjpeg has them, and 3 is
# what it takes by default.
_TABLES: Final = (_KLEIN, _MS_SSIM, 3)

# libjpeg's tables differ most in high frequencies, which matter least: compare the low ones.
_LOW_FREQUENCIES: Final = tuple(
    8 * down + across for down in range(6) for across in range(6 - down)
)


class Chroma(StrEnum):
    """How the colour channels are stored."""

    SUBSAMPLED = "4:2:0"
    FULL = "4:4:4"
    NONE = "greyscale"


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
    return _save(
        image,
        manner,
        quality,
        interlace=True,
        trellis_quant=True,
        overshoot_deringing=True,
        optimize_scans=scans,
    )


def encode_plainly(image: vips.Image, manner: Manner, quality: int) -> bytes:
    """A baseline file without trellis quantisation: seven times as fast, and scores a bit higher.

    Raises:
        CorruptImageError: `image` turns out truncated or damaged.
    """
    return _save(image, manner, quality)


def _save(image: vips.Image, manner: Manner, quality: int, **options: object) -> bytes:
    with vips.decoding(Format.JPEG):
        return vips.save(
            image,
            Format.JPEG,
            Q=quality,
            quant_table=manner.table,
            subsample_mode=_SUBSAMPLE_MODES[manner.chroma],
            optimize_coding=True,
            keep="none",
            **options,
        )


def is_as_encoded(header: JpegHeader) -> bool:
    """Whether mozjpeg made the file as `encode` does: packing its scans anew is not worth it.

    Leaving such files alone is also what makes a second pass return the same bytes.
    """
    return (
        header.process is Process.PROGRESSIVE
        and header.luma_table is not None
        and _low(header.luma_table) in _known_tables()
    )


def is_coarser(header: JpegHeader, quality: float) -> bool:
    """Whether the luma quantisation is at least as coarse as mozjpeg's at `quality`, 1 to 100."""
    if header.luma_table is None:
        return False
    table = _low_of_mozjpeg(_KLEIN, round(min(100, quality)))
    return _coarseness(_low(header.luma_table)) >= _coarseness(table)


def _low(table: QuantisationTable) -> QuantisationTable:
    return tuple(table[i] for i in _LOW_FREQUENCIES)


def _coarseness(quantisers: QuantisationTable) -> float:
    """Their mean binary logarithm."""
    return sum(math.log2(max(1, one)) for one in quantisers) / len(quantisers)


@functools.cache
def _known_tables() -> frozenset[QuantisationTable]:
    return frozenset(_low_of_mozjpeg(table, quality) for table in _TABLES for quality in SETTINGS)


def _low_of_mozjpeg(table: int, quality: int) -> QuantisationTable:
    """Low frequencies of mozjpeg's luma table, scaled from that at 50 as libjpeg's jcparam.c does.

    Only high frequencies are so coarse at 50 that they are cut off at 255.
    """
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return tuple(min(255, max(1, (one * scale + 50) // 100)) for one in _low_at_50(table))


@functools.cache
def _low_at_50(table: int) -> QuantisationTable:
    picture = encode_plainly(vips.black(8, 8), Manner(Chroma.NONE, table), 50)
    found = parse(picture).luma_table
    assert found is not None  # noqa: S101  (mozjpeg always writes one)
    return _low(found)
