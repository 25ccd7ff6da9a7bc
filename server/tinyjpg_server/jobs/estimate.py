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

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from tinyjpg_server.db.tables import savings
from tinyjpg_server.db.upsert import upsert
from tinyjpg_server.jobs.images import Image

_QUALITY_EDGES: Final = (40, 60, 75, 85, 92, 100)
_DENSITY_EDGES: Final = (0.0625, 0.125, 0.25, 0.5, 1.0, 2.0, 4.0)
_PRIOR_IMAGES: Final = 8.0

# Percent of the original's size that was left: a line per band of quality, a column per band of
# density, the lowest first. Geometric means, measured with this engine at quality 30, 50, 70, 80,
# 88, 95 and 100: 347 JPEG files (57 photographs brought to 560 pixels and saved by Pillow at 40 to
# 98, and five as found), 38 PNG (photographs, screens, logos), 33 WebP, 17 GIF. Each cell is drawn
# to the mean of its line with the weight of two files, so a cell without files is that mean.
# fmt: off
_PRIORS: Final[dict[str, tuple[tuple[int, ...], ...]]] = {
    "jpeg": (
        (28, 28, 20, 11,  8,  8, 18, 18),
        (37, 39, 30, 17, 12, 12, 26, 26),
        (61, 65, 51, 31, 22, 21, 45, 45),
        (78, 83, 74, 49, 36, 33, 64, 64),
        (81, 92, 91, 75, 59, 47, 82, 82),
        (81, 93, 95, 93, 90, 70, 92, 92),
        (81, 93, 95, 93, 90, 70, 92, 92),
    ),
    "png": (
        (13, 13,  8,  7,  8, 10, 10,  9),
        (15, 15,  9,  8, 11, 13, 12, 11),
        (18, 17, 11, 10, 15, 18, 16, 13),
        (21, 18, 13, 12, 19, 26, 19, 16),
        (23, 21, 15, 15, 29, 38, 27, 20),
        (30, 30, 21, 28, 57, 65, 46, 34),
        (57, 62, 70, 74, 84, 86, 79, 72),
    ),
    "webp": (
        (49, 25, 23, 17, 20, 11, 23, 23),
        (53, 32, 31, 27, 29, 15, 31, 31),
        (76, 53, 58, 51, 48, 27, 53, 53),
        (94, 81, 96, 67, 69, 40, 78, 78),
        (97, 97, 98, 84, 93, 58, 90, 90),
        (98, 98, 99, 85, 94, 90, 95, 95),
        (99, 98, 99, 86, 95, 98, 96, 96),
    ),
    "gif": (
        (81, 65, 36, 46, 55, 39, 46, 14),
        (81, 65, 37, 47, 55, 41, 47, 14),
        (82, 66, 38, 48, 56, 45, 48, 14),
        (82, 67, 43, 50, 57, 49, 50, 14),
        (83, 68, 45, 51, 58, 52, 51, 14),
        (83, 69, 48, 52, 60, 59, 52, 15),
        (84, 70, 49, 53, 61, 65, 53, 15),
    ),
}
# fmt: on


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


async def estimate(connection: AsyncConnection, facts: Facts) -> int:
    """The size to expect, in bytes: 1 to `facts.size`. A single look-up."""
    quality = quality_band(facts.quality)
    density = density_band(facts.size, facts.width, facts.height, facts.frames)
    row = (
        await connection.execute(
            select(savings.c.images, savings.c.log_ratio_sum).where(
                savings.c.format == facts.format,
                savings.c.quality_band == quality,
                savings.c.density_band == density,
            )
        )
    ).first()
    images, log_ratio_sum = (row.images, row.log_ratio_sum) if row else (0, 0.0)
    prior = math.log(_PRIORS[facts.format][quality][density] / 100)
    mean = (_PRIOR_IMAGES * prior + log_ratio_sum) / (_PRIOR_IMAGES + images)
    return min(facts.size, max(1, round(facts.size * math.exp(mean))))


async def record_savings(connection: AsyncConnection, image: Image, optimized_size: int) -> None:
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
