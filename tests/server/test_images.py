"""Images as rows: found only by their owner, listed in pages, deleted once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.server.accounting import (
    NOON,
    OUTCOME,
    assert_balanced,
    grab,
    make_caller,
    make_upload,
    take,
    usage_rows,
)
from tinyjpg_server.db.database import Database
from tinyjpg_server.jobs.images import delete, find, find_by_name, page
from tinyjpg_server.jobs.queue import finish

pytestmark = pytest.mark.anyio


async def test_found_by_its_owner_only(database: Database) -> None:
    owner, other = await make_caller(database), await make_caller(database)
    image = (await take(database, owner)).image
    async with database.read() as connection:
        assert await find(connection, owner.account_id, image.id) == image
        assert await find(connection, other.account_id, image.id) is None
        assert await find(connection, owner.account_id, image.id + 1) is None
        assert await find_by_name(connection, image.name) == image
        assert await find_by_name(connection, image.name[:-1]) is None


async def test_pages_go_back_in_time(database: Database) -> None:
    owner, other = await make_caller(database), await make_caller(database)
    ids = []
    for number in range(7):
        ids.append((await take(database, owner)).image.id)
        await take(database, other, make_upload(size=2000 + number))
    seen: list[int] = []
    before = None
    async with database.read() as connection:
        while batch := await page(connection, owner.account_id, limit=3, before_id=before):
            assert len(batch) <= 3
            seen += [image.id for image in batch]
            before = seen[-1]
    assert seen == ids[::-1]


async def test_pages_of_a_status_or_a_format(database: Database) -> None:
    caller = await make_caller(database)
    for name in ("jpeg", "png", "png"):
        await take(database, caller, make_upload(format=name))
    await finish(database, await grab(database), OUTCOME, NOON)
    async with database.read() as connection:
        pngs = await page(connection, caller.account_id, limit=9, format="png")
        assert [image.format for image in pngs] == ["png", "png"]
        done = await page(connection, caller.account_id, limit=9, status="completed")
        assert [image.format for image in done] == ["jpeg"]
        assert await page(connection, caller.account_id, limit=9, status="failed") == []


async def test_a_deleted_image_is_gone_but_stays_charged(database: Database) -> None:
    caller, other = await make_caller(database), await make_caller(database)
    image = (await take(database, caller)).image
    await finish(database, await grab(database), OUTCOME, NOON)
    later = NOON + timedelta(hours=1)
    assert await delete(database, other.account_id, image.id, later) is None
    deleted = await delete(database, caller.account_id, image.id, later)
    assert deleted is not None
    assert (deleted.status, deleted.deleted_at, deleted.expires_at) == ("completed", later, later)
    assert await delete(database, caller.account_id, image.id, later) is None
    async with database.read() as connection:
        assert await find(connection, caller.account_id, image.id) is None
        assert await find_by_name(connection, image.name) is None
        assert await page(connection, caller.account_id, limit=9) == []
    assert await usage_rows(database) == {(caller.account_id, "2026-11"): (1, 0)}
    await assert_balanced(database)
