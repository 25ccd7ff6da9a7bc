"""The figures: counted by template, read from the database, in Prometheus' own format."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.server.accounting import NOON, OUTCOME, grab, make_caller, make_upload, take
from tinyjpg_server.db import clock
from tinyjpg_server.db.database import Database
from tinyjpg_server.errors import Failure
from tinyjpg_server.jobs.queue import fail, finish
from tinyjpg_server.metrics import Metrics, QueueState, Totals, queue_state, totals
from tinyjpg_server.storage.store import folder_store

pytestmark = pytest.mark.anyio

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def parsed(text: bytes) -> Samples:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


async def some_images(database: Database) -> None:
    """Two completed, one failed, one in work, two waiting."""
    caller = await make_caller(database)
    for number in range(6):
        await take(database, caller, make_upload(size=1000 + number))
    for _ in range(2):
        assert await finish(database, await grab(database), OUTCOME, NOON)
    assert await fail(database, await grab(database), Failure("corrupt_image", "broken"), NOON)
    await grab(database)


async def test_an_empty_service_has_figures_of_nothing(database: Database) -> None:
    async with database.read() as connection:
        assert await queue_state(connection) == QueueState()
        assert await totals(connection) == Totals()


async def test_the_queue_and_the_sums_are_read_from_the_rows(database: Database) -> None:
    await some_images(database)
    async with database.read() as connection:
        assert await queue_state(connection) == QueueState(waiting=2, working=1, oldest=NOON)
        assert await totals(connection) == Totals(
            completed=2, failed=1, original_bytes=1000 + 1001, optimized_bytes=800
        )


async def test_figures_of_the_database_are_told(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await some_images(database)
    monkeypatch.setattr(clock, "now", lambda: NOON + timedelta(seconds=90))
    async with folder_store(tmp_path) as store:
        told = parsed(await Metrics().render(database, store))
    assert told["tinyjpg_queue_depth", ()] == 2
    assert told["tinyjpg_images_in_work", ()] == 1
    assert told["tinyjpg_oldest_waiting_seconds", ()] == 90
    assert told["tinyjpg_images_total", (("status", "completed"),)] == 2
    assert told["tinyjpg_images_total", (("status", "failed"),)] == 1
    assert told["tinyjpg_original_bytes_total", ()] == 2001
    assert told["tinyjpg_optimized_bytes_total", ()] == 800
    assert told["tinyjpg_bytes_saved_total", ()] == 1201
    assert told["tinyjpg_storage_free_bytes", ()] > 0
    assert told["process_resident_memory_bytes", ()] > 0


async def test_the_database_is_asked_once_in_a_while(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    metrics = Metrics()
    asked = 0
    read = database.read

    def counted(**options: bool) -> object:
        nonlocal asked
        asked += 1
        return read(**options)

    monkeypatch.setattr(database, "read", counted)
    await asyncio.gather(*(metrics.render(database) for _ in range(20)))
    assert asked == 2


async def test_requests_are_counted_by_template_method_and_status(database: Database) -> None:
    metrics = Metrics()
    for status in (200, 200, 404):
        metrics.observe_request("/api/status/{image_id}", "GET", status, 0.02)
    told = parsed(await metrics.render(database))
    route = ("route", "/api/status/{image_id}")
    method = ("method", "GET")
    assert told["tinyjpg_http_requests_total", (method, route, ("status", "200"))] == 2
    assert told["tinyjpg_http_requests_total", (method, route, ("status", "404"))] == 1
    assert told["tinyjpg_http_request_duration_seconds_count", (method, route)] == 3
    duration = told["tinyjpg_http_request_duration_seconds_sum", (method, route)]
    assert duration == pytest.approx(0.06)
    bucket = "tinyjpg_http_request_duration_seconds_bucket"
    assert told[bucket, (("le", "0.01"), method, route)] == 0
    assert told[bucket, (("le", "0.025"), method, route)] == 3


async def test_invented_methods_make_no_series(database: Database) -> None:
    metrics = Metrics()
    for number in range(50):
        metrics.observe_request("unmatched", f"METHOD{number}", 405, 0.001)
    told = parsed(await metrics.render(database))
    assert [
        value for (name, _), value in told.items() if name == "tinyjpg_http_requests_total"
    ] == [50]


async def test_uploads_are_counted_by_outcome(database: Database) -> None:
    metrics = Metrics()
    metrics.upload_accepted(1000)
    metrics.upload_accepted(500)
    metrics.upload_refused("quota_exceeded")
    told = parsed(await metrics.render(database))
    assert told["tinyjpg_uploads_total", (("outcome", "accepted"),)] == 2
    assert told["tinyjpg_uploads_total", (("outcome", "quota_exceeded"),)] == 1
    assert told["tinyjpg_upload_bytes_total", ()] == 1500


async def test_applications_count_apart(database: Database) -> None:
    first, second = Metrics(), Metrics()
    first.upload_accepted(1)
    told = parsed(await second.render(database))
    assert ("tinyjpg_uploads_total", (("outcome", "accepted"),)) not in told


_WEB_PROCESS = """
import asyncio, sys
from tinyjpg_server.db.database import Database
from tinyjpg_server.metrics import Metrics

async def main():
    metrics = Metrics()
    metrics.observe_request("/healthz", "GET", 200, 0.01)
    async with Database(sys.argv[1]) as database:
        sys.stdout.buffer.write(await metrics.render(database))

asyncio.run(main())
"""


def test_web_processes_that_share_a_folder_answer_for_all(tmp_path: Path, sqlite_url: str) -> None:
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    for expected in (1, 2):
        output = subprocess.run(
            [sys.executable, "-c", _WEB_PROCESS, sqlite_url],
            env=environment,
            stdout=subprocess.PIPE,
            check=True,
        ).stdout
        told = parsed(output)
        labels = (("method", "GET"), ("route", "/healthz"), ("status", "200"))
        assert told["tinyjpg_http_requests_total", labels] == expected
        assert told["tinyjpg_queue_depth", ()] >= 0
