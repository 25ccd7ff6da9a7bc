"""What an account did: months, formats, savings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Float, Row, bindparam, cast, func, select

from tinyjpg_server.db.clock import month_of
from tinyjpg_server.db.connection import Connection
from tinyjpg_server.db.tables import images

MONTHS: Final = 12


@dataclass(frozen=True, slots=True)
class Totals:
    """Completed images together: numbers, and sizes in bytes."""

    images: int = 0
    original_bytes: int = 0
    optimized_bytes: int = 0

    @property
    def saved_bytes(self) -> int:
        """How much smaller all files became."""
        return self.original_bytes - self.optimized_bytes

    @property
    def compression_ratio(self) -> float:
        """Percent saved of all bytes; 0.0 where there are none."""
        if self.original_bytes == 0:
            return 0.0
        return round(100.0 * self.saved_bytes / self.original_bytes, 2)


@dataclass(frozen=True, slots=True)
class Month:
    """A calendar month (UTC), "2026-11"."""

    month: str
    totals: Totals
    average_compression_ratio: float
    failed: int


@dataclass(frozen=True, slots=True)
class ImageType:
    """A format; `share` is the percentage of the completed images that have it."""

    format: str
    totals: Totals
    share: float
    average_compression_ratio: float


@dataclass(frozen=True, slots=True)
class Compression:
    """All completed images of the report. Ratios are percent saved of an image, times seconds."""

    totals: Totals
    average_compression_ratio: float
    best_compression_ratio: float
    average_score: float | None
    average_processing_time: float | None
    failed: int


@dataclass(frozen=True, slots=True)
class UsageReport:
    """The last `MONTHS` months: `months` the oldest first, months without images too;
    `types` the most frequent first.
    """

    months: list[Month]
    types: list[ImageType]
    compression: Compression


async def usage_report(connection: Connection, account_id: int, now: datetime) -> UsageReport:
    """The report of the month of `now` and the eleven before it. Deleted images count."""
    names = _months(now)
    rows = (await connection.execute(_SUMS, {"account": account_id, "first": names[0]})).all()
    completed = [row for row in rows if row.status == "completed"]
    failed = [row for row in rows if row.status == "failed"]
    everything = _totals(completed)
    return UsageReport(
        months=[
            _month(name, [row for row in completed if row.month == name], failed) for name in names
        ],
        types=sorted(
            (
                _type(name, [row for row in completed if row.format == name], everything)
                for name in {row.format for row in completed}
            ),
            key=lambda entry: (-entry.totals.images, entry.format),
        ),
        compression=Compression(
            totals=everything,
            average_compression_ratio=_average_ratio(completed),
            best_compression_ratio=round(max((row.best for row in completed), default=0.0), 2),
            average_score=_mean(completed, "scores", "scored"),
            average_processing_time=_mean(completed, "seconds", "timed"),
            failed=sum(row.images for row in failed),
        ),
    )


_RATIO: Final = 100.0 * (1.0 - cast(images.c.optimized_size, Float) / images.c.original_size)
_SUMS: Final = (
    select(
        images.c.month,
        images.c.format,
        images.c.status,
        func.count().label("images"),
        func.sum(images.c.original_size).label("original_bytes"),
        func.sum(images.c.optimized_size).label("optimized_bytes"),
        func.sum(_RATIO).label("ratios"),
        func.max(_RATIO).label("best"),
        func.sum(images.c.score).label("scores"),
        func.count(images.c.score).label("scored"),
        func.sum(images.c.processing_time).label("seconds"),
        func.count(images.c.processing_time).label("timed"),
    )
    .where(images.c.account_id == bindparam("account"), images.c.month >= bindparam("first"))
    .group_by(images.c.month, images.c.format, images.c.status)
)

_Rows = Sequence[Row[Any]]


def _months(now: datetime) -> list[str]:
    year, month = (int(part) for part in month_of(now).split("-"))
    last = year * 12 + month - 1
    return [f"{at // 12:04}-{at % 12 + 1:02}" for at in range(last - MONTHS + 1, last + 1)]


def _totals(completed: _Rows) -> Totals:
    return Totals(
        images=sum(row.images for row in completed),
        # PostgreSQL adds big integers up to a decimal number.
        original_bytes=sum(int(row.original_bytes) for row in completed),
        optimized_bytes=sum(int(row.optimized_bytes) for row in completed),
    )


def _month(name: str, completed: _Rows, failed: _Rows) -> Month:
    return Month(
        month=name,
        totals=_totals(completed),
        average_compression_ratio=_average_ratio(completed),
        failed=sum(row.images for row in failed if row.month == name),
    )


def _type(name: str, completed: _Rows, everything: Totals) -> ImageType:
    totals = _totals(completed)
    return ImageType(
        format=name,
        totals=totals,
        share=round(100.0 * totals.images / everything.images, 2),
        average_compression_ratio=_average_ratio(completed),
    )


def _average_ratio(completed: _Rows) -> float:
    return _mean(completed, "ratios", "images") or 0.0


def _mean(rows: _Rows, total: str, count: str) -> float | None:
    number = sum(getattr(row, count) for row in rows)
    if number == 0:
        return None
    value: float = sum(getattr(row, total) or 0.0 for row in rows) / number
    return round(value, 2)
