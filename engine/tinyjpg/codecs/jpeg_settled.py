"""What the quantisation tables of a JPEG say: whether it is at the quality asked for, or packed."""

from __future__ import annotations

import math
from typing import Final

from tinyjpg.calibration import MOZJPEG_420, MOZJPEG_444
from tinyjpg.codecs.jpeg_scales import Chroma
from tinyjpg.containers.jpeg import JpegHeader, Process, QuantisationTable

# Steps of mozjpeg's quality scale by which the source must be finer than the target before
# another generation of loss is worth having.
_FINER_BY: Final = 3

# The low frequencies of luma tables that mozjpeg scales, as they are at its quality of 50
# (jcparam.c), in rows. By its numbers: 5 is the table of Klein, Silverstein and Carney (1992), 2 is
# tuned for MS-SSIM, 3 is what it takes by default. Nobody but mozjpeg has them.
_KLEIN: Final = (
    *(10, 12, 14, 19, 26, 38),
    *(12, 18, 21, 28, 35),
    *(14, 21, 25, 32),
    *(19, 28, 32),
    *(26, 35),
    38,
)
_MS_SSIM: Final = (
    *(12, 17, 20, 21, 30, 34),
    *(18, 20, 20, 26, 28),
    *(19, 20, 21, 26),
    *(26, 26, 26),
    *(31, 33),
    40,
)
_DEFAULT: Final = (
    *(16, 16, 16, 18, 25, 37),
    *(16, 17, 20, 27, 34),
    *(16, 20, 24, 31),
    *(18, 27, 31),
    *(25, 34),
    37,
)
_QUALITIES: Final = range(1, 101)

# libjpeg's tables differ most in high frequencies, which matter least: compare the low ones.
_LOW_FREQUENCIES: Final = tuple(
    8 * down + across for down in range(6) for across in range(6 - down)
)


def is_settled(header: JpegHeader, quality: int) -> bool:
    """Whether the file is at or below `quality`, 1 to 100, by its mark or quantisation tables."""
    if header.marked_quality is not None and header.marked_quality <= quality:
        return True
    # Where 4:2:0 does not reach the quality on the median photograph, its tables say nothing.
    curve = MOZJPEG_444 if header.subsampling == Chroma.FULL else MOZJPEG_420
    return is_coarser(header, curve.at(quality) + _FINER_BY - 1)


def is_packed(header: JpegHeader) -> bool:
    """Whether mozjpeg made the file: packing its scans anew is not worth it.

    Leaving such files alone is also what makes a second pass return the same bytes.
    """
    return (
        header.process is Process.PROGRESSIVE
        and header.luma_table is not None
        and _low(header.luma_table) in _TABLES_OF_MOZJPEG
    )


def is_coarser(header: JpegHeader, quality: float) -> bool:
    """Whether the luma quantisation is at least as coarse as mozjpeg's at `quality`, 1 to 100."""
    if header.luma_table is None:
        return False
    return _coarseness(_low(header.luma_table)) >= _coarseness(
        _scaled(_KLEIN, round(min(100, quality)))
    )


def _low(table: QuantisationTable) -> QuantisationTable:
    return tuple(table[i] for i in _LOW_FREQUENCIES)


def _coarseness(quantisers: QuantisationTable) -> float:
    """Their mean binary logarithm."""
    return sum(math.log2(max(1, one)) for one in quantisers) / len(quantisers)


def _scaled(table: QuantisationTable, quality: int) -> QuantisationTable:
    """A table as libjpeg's jcparam.c scales it from that at 50."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return tuple(min(255, max(1, (one * scale + 50) // 100)) for one in table)


_TABLES_OF_MOZJPEG: Final = frozenset(
    _scaled(table, quality) for table in (_KLEIN, _MS_SSIM, _DEFAULT) for quality in _QUALITIES
)
