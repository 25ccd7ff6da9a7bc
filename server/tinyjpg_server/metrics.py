"""Figures for Prometheus: counted where things happen, or read from the database when asked for.

A route is counted under its template, never under the path that was sent, or anyone could make
series without end.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from tinyjpg_server.db import clock
from tinyjpg_server.db.database import Database
from tinyjpg_server.db.tables import images
from tinyjpg_server.storage.store import Store

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST

# From a status that is read from memory to an upload that waits for its image.
_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# Seconds that a reading of the queue holds.
_FRESH: Final = 5.0
# The sums take a pass over all images, so they may take this share of the time and no more.
_SHARE: Final = 0.02
# Where several web processes share their counts (prometheus_client's own name).
_SHARED_FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"


@dataclass(frozen=True, slots=True)
class QueueState:
    """The queue: how many wait, how many are worked on, and since when the oldest waits."""

    waiting: int = 0
    working: int = 0
    oldest: datetime | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """All images that were ever finished."""

    completed: int = 0
    failed: int = 0
    original_bytes: int = 0
    optimized_bytes: int = 0


async def queue_state(connection: AsyncConnection) -> QueueState:
    """The queue as it is; reads no other images."""
    waits = images.c.lease_until.is_(None)
    rows = await connection.execute(
        select(waits, func.count(), func.min(images.c.created_at))
        .where(images.c.status == "processing")
        .group_by(waits)
    )
    found = {bool(waiting): (count, oldest) for waiting, count, oldest in rows}
    waiting, oldest = found.get(True, (0, None))
    return QueueState(waiting, found.get(False, (0, None))[0], oldest)


async def totals(connection: AsyncConnection) -> Totals:
    """The sums over all images, deleted ones too."""
    rows = await connection.execute(
        select(
            images.c.status,
            func.count(),
            func.sum(images.c.original_size),
            func.sum(images.c.optimized_size),
        )
        .where(images.c.status != "processing")
        .group_by(images.c.status)
    )
    found = {row[0]: row for row in rows}
    completed = found.get("completed")
    failed = found.get("failed")
    return Totals(
        completed=completed[1] if completed else 0,
        failed=failed[1] if failed else 0,
        original_bytes=int(completed[2] or 0) if completed else 0,
        optimized_bytes=int(completed[3] or 0) if completed else 0,
    )


class Metrics:
    """The figures of one application.

    With several web processes, name a folder in PROMETHEUS_MULTIPROC_DIR, empty at start, before
    they begin: then each answers for all. Otherwise each process tells what it saw itself.
    """

    def __init__(self) -> None:
        registry = CollectorRegistry()
        self._requests: Final = Counter(
            "tinyjpg_http_requests",
            "Requests that were answered, by the template of their route.",
            ["method", "route", "status"],
            registry=registry,
        )
        self._durations: Final = Histogram(
            "tinyjpg_http_request_duration_seconds",
            "Time from a request's head to the end of its answer.",
            ["method", "route"],
            buckets=_BUCKETS,
            registry=registry,
        )
        self._uploads: Final = Counter(
            "tinyjpg_uploads",
            "Uploads, by what became of them: accepted, or the code of the refusal.",
            ["outcome"],
            registry=registry,
        )
        self._upload_bytes: Final = Counter(
            "tinyjpg_upload_bytes", "Bytes of accepted images.", registry=registry
        )
        self._readings: Final = _Readings()
        if os.environ.get(_SHARED_FOLDER):
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        else:
            ProcessCollector(registry=registry)
            PlatformCollector(registry=registry)
            GCCollector(registry=registry)
        registry.register(self._readings)
        self._registry: Final = registry

    def observe_request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count an answered request; `route` is the template of its path."""
        method = method if method in _METHODS else "other"
        self._requests.labels(method, route, str(status)).inc()
        self._durations.labels(method, route).observe(seconds)

    def upload_accepted(self, size: int) -> None:
        """Count an image of `size` bytes that was taken on."""
        self._uploads.labels("accepted").inc()
        self._upload_bytes.inc(size)

    def upload_refused(self, code: str) -> None:
        """Count a refused upload; `code` is one of the API's own."""
        self._uploads.labels(code).inc()

    async def render(self, database: Database, store: Store | None = None) -> bytes:
        """All figures in Prometheus' text format, whose type is CONTENT_TYPE."""
        await self._readings.refresh(database, store)
        return generate_latest(self._registry)


class _Readings(Collector):
    """What is read from the database and the storage, a few seconds old at most."""

    def __init__(self) -> None:
        self._lock: Final = asyncio.Lock()
        self._queue = QueueState()
        self._queue_until = 0.0
        self._totals = Totals()
        self._totals_until = 0.0
        self._free: int | None = None

    async def refresh(self, database: Database, store: Store | None) -> None:
        """Read again what has grown old. Those who ask at the same time share one reading."""
        async with self._lock:
            started = time.monotonic()
            if started >= self._queue_until:
                async with database.read(long=True) as connection:
                    self._queue = await queue_state(connection)
                self._free = None if store is None else store.free_bytes()
                self._queue_until = started + _FRESH
            if started >= self._totals_until:
                before = time.monotonic()
                async with database.read(long=True) as connection:
                    self._totals = await totals(connection)
                took = time.monotonic() - before
                self._totals_until = started + max(_FRESH, took / _SHARE)

    def collect(self) -> Iterator[Metric]:
        """The readings as Prometheus has them."""
        queue, sums = self._queue, self._totals
        oldest = (clock.now() - queue.oldest).total_seconds() if queue.oldest else 0.0
        yield _gauge("tinyjpg_queue_depth", "Images that wait for a worker.", queue.waiting)
        yield _gauge("tinyjpg_images_in_work", "Images that a worker has.", queue.working)
        yield _gauge(
            "tinyjpg_oldest_waiting_seconds", "Age of the image that waits longest.", max(0, oldest)
        )
        finished = CounterMetricFamily(
            "tinyjpg_images", "Images that were finished, by how.", labels=["status"]
        )
        finished.add_metric(["completed"], sums.completed)
        finished.add_metric(["failed"], sums.failed)
        yield finished
        yield CounterMetricFamily(
            "tinyjpg_original_bytes", "Bytes of completed images before.", sums.original_bytes
        )
        yield CounterMetricFamily(
            "tinyjpg_optimized_bytes", "Bytes of completed images after.", sums.optimized_bytes
        )
        yield CounterMetricFamily(
            "tinyjpg_bytes_saved",
            "Bytes by which completed images became smaller.",
            sums.original_bytes - sums.optimized_bytes,
        )
        if self._free is not None:
            yield _gauge(
                "tinyjpg_storage_free_bytes", "Bytes that may still be stored.", self._free
            )

    def describe(self) -> list[Metric]:
        """Nothing, so that registering reads nothing."""
        return []


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value)
