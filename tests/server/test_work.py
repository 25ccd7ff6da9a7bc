"""The work on one image: whatever goes wrong, the row says it and the unit is right."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import signal
from collections.abc import AsyncIterator
from concurrent.futures import Future
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pyvips

import tinyjpg
from tests.server.accounting import assert_balanced, make_caller
from tests.server.clients import picture
from tests.server.running import command_line, descendants
from tinyjpg.pool import LEAST_MEMORY
from tinyjpg_server.db import clock
from tinyjpg_server.db.database import Database
from tinyjpg_server.errors import StorageFullError
from tinyjpg_server.jobs import images, intake, queue
from tinyjpg_server.jobs.bell import Bell
from tinyjpg_server.jobs.images import Image
from tinyjpg_server.jobs.queue import Claim
from tinyjpg_server.jobs.work import Tools, work_on
from tinyjpg_server.settings import Settings
from tinyjpg_server.storage.store import Store, memory_store

pytestmark = pytest.mark.anyio
LEASE = timedelta(seconds=30)


class Bench:
    """An accepted image, and what is needed to work on it."""

    def __init__(self, database: Database, tools: Tools, image: Image) -> None:
        self.database = database
        self.tools = tools
        self.image = image

    async def claim(self) -> Claim:
        claim = await queue.claim(self.database, "worker", LEASE, 3, clock.now())
        assert claim is not None
        return claim

    async def row(self) -> Image:
        async with self.database.read() as connection:
            found = await images.find(connection, self.image.account_id, self.image.id)
        assert found is not None
        await assert_balanced(self.database)
        return found

    async def objects(self) -> list[str]:
        return [stored.name async for stored in self.tools.store.list()]


@asynccontextmanager
async def bench(
    database: Database, data: Path, pool: Any, image: bytes | None = None, **settings: Any
) -> AsyncIterator[Bench]:
    content = picture() if image is None else image
    caller = await make_caller(database)
    upload = intake.Upload("a" * 32, "png", 48, 40, 1, 80, len(content), 100)
    accepted = await intake.accept(
        database,
        caller,
        upload,
        clock.now(),
        retention=timedelta(days=7),
        idempotency=None,
        queue_limit=10,
    )
    async with memory_store() as store:
        await store.put(accepted.image.original_object, content)
        tools = Tools(
            settings=Settings(data=data, **settings),
            database=database,
            store=store,
            pool=pool,
            finished=Bell(data, "finished"),
        )
        yield Bench(database, tools, accepted.image)


@pytest.fixture(scope="module")
def pool() -> Any:
    with tinyjpg.Pool(workers=1) as opened:
        yield opened


class Failing:
    """A pool whose images all end with `error`."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def submit(self, *_: object, **__: object) -> Any:
        future: Future[Any] = Future()
        future.set_exception(self.error)
        return future


async def test_a_result_is_stored_and_charged(
    database: Database, tmp_path: Path, pool: Any
) -> None:
    async with bench(database, tmp_path, pool) as one:
        assert await work_on(await one.claim(), one.tools)
        row = await one.row()
        assert row.status == "completed"
        assert row.result_object is not None
        assert await one.tools.store.get(row.result_object) == tinyjpg.optimize(picture()).data


async def test_a_missing_original_fails(database: Database, tmp_path: Path, pool: Any) -> None:
    async with bench(database, tmp_path, pool) as one:
        await one.tools.store.delete(one.image.original_object)
        assert await work_on(await one.claim(), one.tools)
        assert (await one.row()).error_code == "original_missing"


async def test_a_damaged_image_fails_at_once(database: Database, tmp_path: Path, pool: Any) -> None:
    async with bench(database, tmp_path, pool, picture()[:200]) as one:
        assert await work_on(await one.claim(), one.tools)
        row = await one.row()
        assert (row.status, row.error_code) == ("failed", "corrupt_image")


async def test_a_child_that_dies_gets_another_try_then_fails(
    database: Database, tmp_path: Path
) -> None:
    died = Failing(tinyjpg.WorkerError("the worker died"))
    async with bench(database, tmp_path, died) as one:
        for _ in range(2):
            assert await work_on(await one.claim(), one.tools)
            assert (await one.row()).status == "processing"
        assert await work_on(await one.claim(), one.tools)
        row = await one.row()
        assert (row.status, row.error_code) == ("failed", "worker_failed")


async def test_an_image_that_takes_all_memory_is_tried_twice(
    database: Database, tmp_path: Path
) -> None:
    large = pyvips.Image.black(9000, 9000, bands=3).write_to_buffer(".png")
    with tinyjpg.Pool(workers=1, memory=LEAST_MEMORY) as small:
        async with bench(database, tmp_path, small, large) as one:
            assert await work_on(await one.claim(), one.tools)
            assert (await one.row()).status == "processing"
            assert await work_on(await one.claim(), one.tools)
            row = await one.row()
            assert (row.status, row.error_code) == ("failed", "image_too_large")
            assert "memory" in str(row.error_message)
            assert "Pool" not in str(row.error_message)


async def test_what_a_process_wrote_is_not_the_owners_to_see(
    database: Database, tmp_path: Path
) -> None:
    died = Failing(tinyjpg.WorkerError("the worker process failed: /home/somebody/module.py"))
    async with bench(database, tmp_path, died, attempts=1) as one:
        assert await work_on(await one.claim(), one.tools)
        row = await one.row()
        assert row.error_code == "worker_failed"
        assert "somebody" not in str(row.error_message)


async def test_an_image_that_took_too_long_is_not_tried_again(
    database: Database, tmp_path: Path
) -> None:
    hung = Failing(tinyjpg.WorkerError("the worker took longer than the timeout"))
    async with bench(database, tmp_path, hung, image_timeout=1e-9) as one:
        assert await work_on(await one.claim(), one.tools)
        assert (await one.row()).error_code == "took_too_long"


async def test_a_bug_tells_nothing_of_the_inside(database: Database, tmp_path: Path) -> None:
    bug = Failing(tinyjpg.MissingToolError("/secret/path is missing"))
    async with bench(database, tmp_path, bug, attempts=1) as one:
        assert await work_on(await one.claim(), one.tools)
        row = await one.row()
        assert row.error_code == "internal_error"
        assert "secret" not in str(row.error_message)


async def test_a_full_storage_makes_the_image_wait(
    database: Database, tmp_path: Path, pool: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> None:
        raise StorageFullError("no room")

    async with bench(database, tmp_path, pool) as one:
        monkeypatch.setattr(Store, "put", full)
        assert not await work_on(await one.claim(), one.tools)
        row = await one.row()
        assert (row.status, row.tries, row.lease_until) == ("processing", 0, None)


async def test_a_lost_claim_leaves_no_file(database: Database, tmp_path: Path, pool: Any) -> None:
    async with bench(database, tmp_path, pool) as one:
        claim = await one.claim()
        await queue.release_worker(database, "worker")
        await work_on(claim, one.tools)
        assert (await one.row()).status == "processing"
        assert await one.objects() == [one.image.original_object]


async def test_a_deleted_image_is_given_up(database: Database, tmp_path: Path, pool: Any) -> None:
    slow = picture("png", 600, 600)
    async with bench(database, tmp_path, pool, slow, lease=1) as one:
        work = asyncio.create_task(work_on(await one.claim(), one.tools))
        await asyncio.sleep(0.1)
        await images.delete(database, one.image.account_id, one.image.id, clock.now())
        assert await work
        await assert_balanced(database)
        assert await one.objects() == [one.image.original_object]


async def test_a_worker_told_to_stop_gives_the_image_back(
    database: Database, tmp_path: Path, pool: Any
) -> None:
    async with bench(database, tmp_path, pool, picture("png", 600, 600)) as one:
        work = asyncio.create_task(work_on(await one.claim(), one.tools))
        await asyncio.sleep(0.2)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        row = await one.row()
        assert (row.status, row.tries, row.lease_until) == ("processing", 0, None)


async def test_the_lease_is_kept_while_the_work_lasts(
    database: Database, tmp_path: Path, pool: Any
) -> None:
    slow = picture("png", 600, 600)
    async with bench(database, tmp_path, pool, slow, lease=1) as one:
        claim = await one.claim()
        short = dataclasses.replace(claim)
        await queue.extend(database, short, timedelta(seconds=1), clock.now())
        work = asyncio.create_task(work_on(claim, one.tools))
        await asyncio.sleep(1.2)
        swept = await queue.sweep(database, 3, clock.now())
        assert swept.requeued == 0
        assert await work
        assert (await one.row()).status == "completed"


async def test_a_real_child_that_is_killed_costs_a_try(database: Database, tmp_path: Path) -> None:
    with tinyjpg.Pool(workers=1) as own:
        async with bench(database, tmp_path, own, picture("png", 600, 600)) as one:
            work = asyncio.create_task(work_on(await one.claim(), one.tools))
            children: list[int] = []
            while not children:
                await asyncio.sleep(0.02)
                children = _children()
            await asyncio.sleep(0.3)
            for pid in _children():
                os.kill(pid, signal.SIGKILL)
            assert await work
            row = await one.row()
            if row.status == "processing":
                assert (row.tries, row.lease_until) == (1, None)
                assert await work_on(await one.claim(), one.tools)
                row = await one.row()
            assert row.status == "completed"


def _children() -> list[int]:
    return [pid for pid in descendants(os.getpid()) if "tinyjpg" in command_line(pid)]
