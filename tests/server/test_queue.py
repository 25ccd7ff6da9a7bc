"""The queue: every change happens exactly once, and only for a claim that still holds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy import insert, select, update

from tests.server.accounting import (
    ATTEMPTS,
    LEASE,
    NOON,
    OUTCOME,
    assert_balanced,
    grab,
    make_caller,
    take,
    usage_rows,
)
from tinyjpg_server.db.database import Database
from tinyjpg_server.db.tables import images, savings
from tinyjpg_server.errors import Failure
from tinyjpg_server.jobs.images import Image, delete, find
from tinyjpg_server.jobs.queue import (
    Claim,
    Outcome,
    Swept,
    claim,
    depth,
    extend,
    fail,
    finish,
    release,
    release_worker,
    sweep,
)

pytestmark = pytest.mark.anyio

BROKEN = Failure("corrupt_image", "the file ends in the middle of the picture")
LATER = NOON + LEASE + timedelta(seconds=1)


async def the(database: Database, image: Image) -> Image:
    async with database.read() as connection:
        found = await find(connection, image.account_id, image.id)
    assert found is not None
    return found


async def nothing_is_claimed(database: Database) -> bool:
    return await claim(database, "worker", LEASE, ATTEMPTS, NOON) is None


async def test_nothing_waits(database: Database) -> None:
    assert await nothing_is_claimed(database)
    assert await sweep(database, ATTEMPTS, NOON) == Swept(0, 0)


async def test_the_oldest_is_claimed_first_and_once(database: Database) -> None:
    caller = await make_caller(database)
    accepted = [(await take(database, caller)).image.id for _ in range(3)]
    claims = [await grab(database, f"worker-{n}") for n in range(3)]
    assert [one.image.id for one in claims] == accepted
    assert [one.image.claimed_by for one in claims] == ["worker-0", "worker-1", "worker-2"]
    assert {one.image.lease_until for one in claims} == {NOON + LEASE}
    assert await nothing_is_claimed(database)


async def test_claims_at_once_never_share_an_image(database: Database) -> None:
    caller = await make_caller(database)
    accepted = {(await take(database, caller)).image.id for _ in range(20)}
    claims = await asyncio.gather(
        *(claim(database, f"worker-{n}", LEASE, ATTEMPTS, NOON) for n in range(30))
    )
    assert sorted(one.image.id for one in claims if one) == sorted(accepted)


async def test_finishing_tells_what_became_of_it(database: Database) -> None:
    caller = await make_caller(database)
    image = (await take(database, caller)).image
    assert await finish(database, await grab(database), OUTCOME, LATER)
    done = await the(database, image)
    assert (done.status, done.finished_at) == ("completed", LATER)
    assert (done.optimized_size, done.score, done.method) == (400, 81.5, "mozjpeg")
    assert (done.processing_time, done.result_attempt, done.attempt) == (0.25, 1, 1)
    assert done.result_object == f"optimized/{image.name}/1.jpg"
    assert done.lease_until is None
    assert done.error_code is None


async def test_failing_tells_why(database: Database) -> None:
    caller = await make_caller(database)
    image = (await take(database, caller)).image
    assert await fail(database, await grab(database), Failure("corrupt_image", "x" * 900), LATER)
    failed = await the(database, image)
    assert (failed.status, failed.finished_at) == ("failed", LATER)
    assert (failed.error_code, failed.error_message) == ("corrupt_image", "x" * 500)
    assert failed.result_object is None


async def end_by_finish(database: Database, one: Claim) -> bool:
    return await finish(database, one, OUTCOME, NOON)


async def end_by_fail(database: Database, one: Claim) -> bool:
    return await fail(database, one, BROKEN, NOON)


async def end_by_release(database: Database, one: Claim) -> bool:
    return await release(database, one)


async def end_by_delete(database: Database, one: Claim) -> bool:
    return await delete(database, one.image.account_id, one.image.id, NOON) is not None


End = Callable[[Database, Claim], Awaitable[bool]]
ENDS: list[End] = [end_by_finish, end_by_fail, end_by_release, end_by_delete]


@pytest.mark.parametrize("end", ENDS)
async def test_each_end_is_exactly_once_when_repeated(database: Database, end: End) -> None:
    caller = await make_caller(database)
    await take(database, caller)
    held = await grab(database)
    assert [await end(database, held) for _ in range(3)] == [True, False, False]
    await assert_balanced(database)


@pytest.mark.parametrize("end", ENDS)
async def test_each_end_is_exactly_once_when_called_at_once(database: Database, end: End) -> None:
    caller = await make_caller(database)
    await take(database, caller)
    held = await grab(database)
    ends = await asyncio.gather(*(end(database, held) for _ in range(12)))
    assert sorted(ends) == [False] * 11 + [True]
    await assert_balanced(database)


async def test_of_all_ends_at_once_one_wins(database: Database) -> None:
    caller = await make_caller(database)
    for _ in range(10):
        await take(database, caller)
        held = await grab(database)
        ends = await asyncio.gather(
            *(end(database, held) for end in (end_by_finish, end_by_fail) for _ in range(3)),
            sweep(database, 1, LATER),
        )
        swept = ends.pop()
        assert isinstance(swept, Swept)
        assert sum(map(bool, ends)) + swept.failed == 1
        await assert_balanced(database)


async def test_a_worker_that_lost_its_lease_changes_nothing(database: Database) -> None:
    caller = await make_caller(database)
    image = (await take(database, caller)).image
    lost = await grab(database, "slow")
    assert await sweep(database, ATTEMPTS, LATER) == Swept(requeued=1, failed=0)
    # Not even before somebody else takes it.
    assert not await finish(database, lost, OUTCOME, LATER)
    held = await grab(database, "quick", LATER)
    assert (held.image.id, held.attempt) == (image.id, 2)
    assert not await extend(database, lost, LEASE, LATER)
    assert not await finish(database, lost, OUTCOME, LATER)
    assert not await fail(database, lost, BROKEN, LATER)
    assert not await release(database, lost)
    assert (await the(database, image)).claimed_by == "quick"
    assert await finish(database, held, OUTCOME, LATER)
    assert (await the(database, image)).result_attempt == 2
    assert await usage_rows(database) == {(caller.account_id, "2026-11"): (1, 0)}


async def test_a_lease_that_is_extended_is_not_swept(database: Database) -> None:
    caller = await make_caller(database)
    await take(database, caller)
    held = await grab(database)
    assert await extend(database, held, LEASE, NOON + LEASE / 2)
    assert await sweep(database, ATTEMPTS, LATER) == Swept(0, 0)
    assert await finish(database, held, OUTCOME, LATER)


async def test_the_last_try_that_breaks_off_fails_the_image(database: Database) -> None:
    caller = await make_caller(database, quota=1)
    image = (await take(database, caller)).image
    now = NOON
    for attempt in range(1, ATTEMPTS + 1):
        assert (await grab(database, now=now)).attempt == attempt
        now += LEASE + timedelta(seconds=1)
        last = attempt == ATTEMPTS
        assert await sweep(database, ATTEMPTS, now) == Swept(int(not last), int(last))
        await assert_balanced(database)
    failed = await the(database, image)
    assert (failed.status, failed.error_code) == ("failed", "worker_failed")
    assert await usage_rows(database) == {}
    assert await sweep(database, ATTEMPTS, now + LEASE) == Swept(0, 0)


async def test_sweeps_at_once_count_each_image_once(database: Database) -> None:
    callers = [await make_caller(database) for _ in range(3)]
    for caller in callers * 4:
        await take(database, caller)
        await grab(database)
    sweeps = await asyncio.gather(*(sweep(database, 1, LATER) for _ in range(6)))
    assert sum(one.failed for one in sweeps) == 12
    await assert_balanced(database)


async def test_a_released_image_is_tried_again_at_once(database: Database) -> None:
    caller = await make_caller(database)
    image = (await take(database, caller)).image
    assert await release(database, await grab(database))
    again = await grab(database)
    assert (again.image.id, again.attempt, again.image.tries) == (image.id, 2, 2)


async def test_a_worker_told_to_stop_costs_no_try(database: Database) -> None:
    caller = await make_caller(database)
    await take(database, caller)
    for _ in range(5):
        assert await release(database, await grab(database), counts=False)
    held = await grab(database)
    assert (held.attempt, held.image.tries) == (6, 1)
    assert await finish(database, held, OUTCOME, NOON)
    await assert_balanced(database)


async def test_released_after_the_last_try_the_sweep_fails_it(database: Database) -> None:
    caller = await make_caller(database)
    image = (await take(database, caller)).image
    for _ in range(ATTEMPTS):
        assert await release(database, await grab(database))
    assert await nothing_is_claimed(database)
    assert await sweep(database, ATTEMPTS, NOON) == Swept(0, 1)
    assert (await the(database, image)).error_code == "worker_failed"
    await assert_balanced(database)


async def test_a_dead_workers_images_are_released_and_only_its(database: Database) -> None:
    caller = await make_caller(database)
    for _ in range(4):
        await take(database, caller)
    for worker in ("host:1:0", "host:1:1", "host:12:0", "host_1:0"):
        await grab(database, worker)
    assert await release_worker(database, "host:1:") == 2
    assert await release_worker(database, "host:1:") == 0
    assert await release_worker(database, "host_") == 1
    claims = [await grab(database, "other") for _ in range(3)]
    assert [one.attempt for one in claims] == [2, 2, 2]
    assert await nothing_is_claimed(database)
    await assert_balanced(database)


async def test_deleted_while_it_is_worked_on(database: Database) -> None:
    caller = await make_caller(database, quota=1)
    image = (await take(database, caller)).image
    held = await grab(database)
    deleted = await delete(database, caller.account_id, image.id, LATER)
    assert deleted is not None
    assert (deleted.status, deleted.error_code, deleted.deleted_at) == ("failed", "deleted", LATER)
    assert not await extend(database, held, LEASE, LATER)
    assert not await finish(database, held, OUTCOME, LATER)
    await assert_balanced(database)
    assert (await take(database, caller)).quota.remaining == 0


async def test_deleted_while_it_waits(database: Database) -> None:
    caller = await make_caller(database)
    image = (await take(database, caller)).image
    assert await delete(database, caller.account_id, image.id, NOON)
    assert await nothing_is_claimed(database)
    await assert_balanced(database)


async def test_depth_counts_what_waits(database: Database) -> None:
    caller = await make_caller(database)
    for _ in range(3):
        await take(database, caller)
    held = await grab(database)
    async with database.read() as connection:
        assert await depth(connection) == 2
        await release(database, held)
        assert await depth(connection) == 3


async def test_savings_are_recorded_once_per_image(database: Database) -> None:
    caller = await make_caller(database)
    for optimized in (250, 1000):
        await take(database, caller)
        held = await grab(database)
        for _ in range(2):
            await finish(database, held, Outcome(optimized, None, "mozjpeg", 0.1), NOON)
    async with database.read() as connection:
        row = (await connection.execute(select(savings))).one()
    assert (row.format, row.images) == ("jpeg", 2)
    assert row.log_ratio_sum == pytest.approx(-1.386294, abs=1e-6)


async def test_more_than_one_batch_is_swept(database: Database) -> None:
    caller = await make_caller(database, quota=2000)
    first = (await take(database, caller)).image
    async with database.write() as connection:
        row = dict((await connection.execute(select(images))).mappings().one())
        del row["id"]
        for number in range(3):
            copies = [{**row, "name": f"{number}-{n}"} for n in range(400)]
            await connection.execute(insert(images), copies)
        await connection.execute(update(images).values(lease_until=NOON, attempt=1, tries=1))
    assert await sweep(database, ATTEMPTS, LATER) == Swept(1201, 0)
    assert (await grab(database)).image.id == first.id
