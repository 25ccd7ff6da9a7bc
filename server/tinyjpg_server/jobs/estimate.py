"""How large an optimised image will be, guessed before the work from the header and past results.

Results are remembered per format, band of quality and band of density (bytes a pixel) as the
number of images and the sum of ln(optimized size / original size). An estimate starts from a
prior, which counts as `_PRIOR_IMAGES` images, and moves to what this service has seen.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, select

from tinyjpg_server.db.connection import Connection
from tinyjpg_server.db.tables import savings
from tinyjpg_server.db.upsert import upsert
from tinyjpg_server.jobs.images import Image

_QUALITY_EDGES: Final = (40, 60, 75, 85, 92, 99.5)
_DENSITY_EDGES: Final = (0.0625, 0.125, 0.25, 0.5, 1.0, 2.0, 4.0)
_PRIOR_IMAGES: Final = 8.0


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known before the work: `tinyjpg.Format`'s value, pixels, bytes, quality 1 to 100."""

    format: str
    width: int
    height: int
    frames: int
    size: int
    quality: int


def quality_band(quality: int) -> int:
    """The band of a quality."""
    return bisect_right(_QUALITY_EDGES, quality)


def density_band(size: int, width: int, height: int, frames: int) -> int:
    """The band of a density: of bytes a pixel, all frames counted."""
    return bisect_right(_DENSITY_EDGES, size / max(1, width * height * frames))


_BAND: Final = select(savings.c.images, savings.c.log_ratio_sum).where(
    savings.c.format == bindparam("format"),
    savings.c.quality_band == bindparam("quality"),
    savings.c.density_band == bindparam("density"),
)


async def estimate(connection: Connection, facts: Facts) -> int:
    """The size to expect, in bytes: 1 to `facts.size`."""
    quality = quality_band(facts.quality)
    density = density_band(facts.size, facts.width, facts.height, facts.frames)
    band = {"format": facts.format, "quality": quality, "density": density}
    row = (await connection.execute(_BAND, band)).first()
    images, log_ratio_sum = (row.images, row.log_ratio_sum) if row else (0, 0.0)
    prior = math.log(0.5)
    mean = (_PRIOR_IMAGES * prior + log_ratio_sum) / (_PRIOR_IMAGES + images)
    return min(facts.size, max(1, round(facts.size * math.exp(mean))))


async def record_savings(connection: Connection, image: Image, optimized_size: int) -> None:
    """Remember a result, in the transaction that finishes the image."""
    ratio = math.log(max(1, optimized_size) / max(1, image.original_size))
    await upsert(
        connection,
        savings,
        {
            "format": image.format,
            "quality_band": quality_band(image.quality),
            "density_band": density_band(
                image.original_size, image.width, image.height, image.frames
            ),
            "images": 1,
            "log_ratio_sum": ratio,
        },
        {
            "images": savings.c.images + 1,
            "log_ratio_sum": savings.c.log_ratio_sum + ratio,
        },
    )
