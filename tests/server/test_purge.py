"""The purge: what is over goes, what is needed stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, insert, select

from tests.server.accounting import (
    LEASE,
    NOON,
    OUTCOME,
    WEEK,
    assert_balanced,
    grab,
    make_caller,
    take,
)
from tinyjpg_server.db.database import Database
from tinyjpg_server.db.tables import idempotency_keys, images, sessions
from tinyjpg_server.jobs.images import delete
from tinyjpg_server.jobs.intake import IdempotencyKey
from tinyjpg_server.jobs.purge import ORPHAN_AGE, Purged, purge, purge_expired, purge_orphans
from tinyjpg_server.jobs.queue import finish, sweep
from tinyjpg_server.storage.store import Store, memory_store

pytestmark = pytest.mark.anyio


async def names(store: Store) -> set[str]:
    return {stored.name async for stored in store.list()}


async def test_files_go_when_they_expire_and_rows_stay(database: Database) -> None:
    store = memory_store()
    caller = await make_caller(database)
    image = (await take(database, caller)).image
    kept = (await take(database, caller, now=NOON + timedelta(hours=1))).image
    for one in (image, kept):
        await store.put(one.original_object, b"original")
        held = await grab(database)
        await store.put(one.optimized_object(held.attempt), b"result")
        await finish(database, held, OUTCOME, NOON)
    just_before = NOON + WEEK - timedelta(seconds=1)
    assert await purge_expired(database, store, just_before) == 0
    assert len(await names(store)) == 4
    assert await purge_expired(database, store, NOON + WEEK) == 1
    assert await names(store) == {kept.original_object, kept.optimized_object(1)}
    assert await purge_expired(database, store, NOON + WEEK) == 0
    async with database.read() as connection:
        removed = await connection.scalar(
            select(images.c.files_removed_at).where(images.c.id == image.id)
        )
    assert removed == NOON + WEEK
    await assert_balanced(database)


async def test_files_of_a_deleted_image_go_at_once_with_all_attempts(database: Database) -> None:
    store = memory_store()
    caller = await make_caller(database)
    image = (await take(database, caller)).image
    await store.put(image.original_object, b"original")
    for attempt in (1, 2):
        await grab(database)
        await store.put(image.optimized_object(attempt), b"result")
        await sweep(database, 3, NOON + LEASE)
    await delete(database, caller.account_id, image.id, NOON)
    assert await purge_expired(database, store, NOON) == 1
    assert await names(store) == set()


async def test_work_that_waited_too_long_keeps_its_file(database: Database) -> None:
    store = memory_store()
    image = (await take(database, await make_caller(database))).image
    await store.put(image.original_object, b"original")
    assert await purge_expired(database, store, NOON + 2 * WEEK) == 0
    assert await names(store) == {image.original_object}


async def test_orphans_go_when_they_are_old(database: Database) -> None:
    store = memory_store()
    caller = await make_caller(database)
    done = (await take(database, caller)).image
    held = await grab(database)
    await sweep(database, 3, NOON + LEASE)
    held = await grab(database)
    await finish(database, held, OUTCOME, NOON)
    waiting = (await take(database, caller)).image
    needed = {done.original_object, done.optimized_object(2), waiting.original_object}
    orphans = {"original/" + "0" * 32 + ".png", done.optimized_object(1)}
    for name in needed | orphans:
        await store.put(name, b"x")
    written = datetime.now(UTC)
    assert await purge_orphans(database, store, written) == 0
    assert await names(store) == needed | orphans
    old = written + ORPHAN_AGE + timedelta(minutes=1)
    assert await purge_orphans(database, store, old) == 2
    assert await names(store) == needed


async def test_keys_and_sessions_go_when_they_are_over(database: Database) -> None:
    caller = await make_caller(database)
    hour = timedelta(hours=1)
    for number in range(3):
        key = IdempotencyKey(f"key-{number}", "a" * 64)
        await take(database, caller, key=key, now=NOON + number * hour)
    async with database.write() as connection:
        for number in range(3):
            await connection.execute(
                insert(sessions).values(
                    account_id=caller.account_id,
                    token_hash=str(number),
                    created_at=NOON,
                    expires_at=NOON + timedelta(hours=23 + number),
                )
            )
    assert await purge(database, memory_store(), NOON + timedelta(hours=24)) == Purged(
        0, 0, 1, 2, 0
    )
    async with database.read() as connection:
        for table, left in ((idempotency_keys, 2), (sessions, 1)):
            assert await connection.scalar(select(func.count()).select_from(table)) == left
