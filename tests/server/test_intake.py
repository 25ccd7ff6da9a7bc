"""Accepting: the row, the reservation and the idempotency key together, or none of them."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import Table, func, select
from sqlalchemy import delete as sql_delete

from tests.server.accounting import (
    NOON,
    OUTCOME,
    WEEK,
    assert_balanced,
    grab,
    make_caller,
    make_upload,
    take,
    usage_rows,
)
from tinyjpg_server.accounts.caller import Caller
from tinyjpg_server.db.database import Database
from tinyjpg_server.db.tables import accounts, idempotency_keys, images
from tinyjpg_server.errors import (
    QuotaExceededError,
    UnauthorizedError,
    UnavailableError,
    ValidationFailedError,
)
from tinyjpg_server.jobs.images import delete
from tinyjpg_server.jobs.intake import REMEMBERED, Accepted, IdempotencyKey
from tinyjpg_server.jobs.queue import finish

pytestmark = pytest.mark.anyio

KEY = IdempotencyKey("order-1", "a" * 64)
OTHER_BODY = IdempotencyKey("order-1", "b" * 64)


async def count(database: Database, table: Table) -> int:
    async with database.read() as connection:
        return await connection.scalar(select(func.count()).select_from(table)) or 0


async def test_the_row_says_what_was_uploaded(database: Database) -> None:
    caller = await make_caller(database)
    upload = make_upload(format="gif", width=7, height=9, frames=12, quality=66, size=1234)
    accepted = await take(database, caller, upload)
    image = accepted.image
    assert not accepted.replayed
    assert (image.account_id, image.key_id, image.name) == (caller.account_id, None, upload.name)
    assert (image.format, image.width, image.height, image.frames) == ("gif", 7, 9, 12)
    assert (image.quality, image.original_size, image.estimated_size) == (66, 1234, 500)
    assert (image.status, image.attempt, image.tries, image.lease_until) == (
        "processing",
        0,
        0,
        None,
    )
    assert (image.month, image.created_at, image.expires_at) == ("2026-11", NOON, NOON + WEEK)
    assert image.file_name == f"{upload.name}.gif"
    assert image.original_object == f"original/{upload.name}.gif"


async def test_answers_go_to_who_asked(database: Database) -> None:
    callers = [await make_caller(database, quota=50) for _ in range(4)]
    asked = [(callers[n % 4], make_upload(size=1000 + n)) for n in range(150)]
    answers = await asyncio.gather(*(take(database, *pair) for pair in asked))
    for (caller, upload), answer in zip(asked, answers, strict=True):
        assert answer.image.name == upload.name
        assert answer.image.account_id == caller.account_id
        assert answer.image.original_size == upload.size
    assert len({answer.image.id for answer in answers}) == 150
    await assert_balanced(database)


async def test_nothing_is_left_of_a_refused_one(database: Database) -> None:
    caller = await make_caller(database, quota=0)
    with pytest.raises(QuotaExceededError) as refused:
        await take(database, caller, key=KEY)
    assert (refused.value.status, refused.value.code) == (403, "quota_exceeded")
    assert await count(database, images) == 0
    assert await count(database, idempotency_keys) == 0
    await assert_balanced(database)


async def test_the_same_request_again_is_the_same_image(database: Database) -> None:
    caller = await make_caller(database, quota=1)
    first = await take(database, caller, key=KEY)
    again = await take(database, caller, key=KEY, now=NOON + timedelta(hours=23))
    assert (first.replayed, again.replayed) == (False, True)
    assert again.image == first.image
    assert again.quota == first.quota
    assert await count(database, images) == 1
    await assert_balanced(database)


async def test_a_replay_shows_the_image_as_it_is_now(database: Database) -> None:
    caller = await make_caller(database)
    first = await take(database, caller, key=KEY)
    await finish(database, await grab(database), OUTCOME, NOON)
    assert (await take(database, caller, key=KEY)).image.status == "completed"
    await delete(database, caller.account_id, first.image.id, NOON)
    again = await take(database, caller, key=KEY)
    assert (again.replayed, again.image.deleted_at) == (True, NOON)
    await assert_balanced(database)


async def test_another_request_under_the_same_key_is_refused(database: Database) -> None:
    caller = await make_caller(database)
    await take(database, caller, key=KEY)
    with pytest.raises(ValidationFailedError) as refused:
        await take(database, caller, key=OTHER_BODY)
    assert (refused.value.status, refused.value.code) == (422, "idempotency_key_reused")
    assert await count(database, images) == 1
    await assert_balanced(database)


async def test_the_same_request_many_times_at_once_is_charged_once(database: Database) -> None:
    caller = await make_caller(database, quota=2)
    answers = await asyncio.gather(*(take(database, caller, key=KEY) for _ in range(100)))
    assert sum(not answer.replayed for answer in answers) == 1
    assert len({answer.image.id for answer in answers}) == 1
    assert await usage_rows(database) == {(caller.account_id, "2026-11"): (0, 1)}
    await assert_balanced(database)


async def test_two_connections_with_the_same_request_charge_once(database: Database) -> None:
    caller = await make_caller(database)
    async with Database(database.url) as other:
        for number in range(10):
            key = IdempotencyKey(f"order-{number}", "a" * 64)
            answers = await asyncio.gather(
                *(take(side, caller, key=key) for side in (database, other) for _ in range(4))
            )
            assert sum(not answer.replayed for answer in answers) == 1
            assert len({answer.image.id for answer in answers}) == 1
    await assert_balanced(database)


async def test_the_same_request_at_once_in_two_months_charges_once(database: Database) -> None:
    caller = await make_caller(database)
    december = NOON + timedelta(hours=12) + timedelta(days=5)
    november = december - timedelta(seconds=1)
    async with Database(database.url) as other:
        for number in range(10):
            key = IdempotencyKey(f"order-{number}", "a" * 64)
            answers = await asyncio.gather(
                take(database, caller, key=key, now=november),
                take(other, caller, key=key, now=december),
            )
            assert sum(not answer.replayed for answer in answers) == 1
    assert await count(database, images) == 10
    await assert_balanced(database)


async def test_two_bodies_at_once_under_one_key(database: Database) -> None:
    caller = await make_caller(database)
    keys = [KEY, OTHER_BODY] * 10
    answers = await asyncio.gather(
        *(take(database, caller, key=key) for key in keys), return_exceptions=True
    )
    accepted = [answer for answer in answers if isinstance(answer, Accepted)]
    refused = [answer for answer in answers if isinstance(answer, ValidationFailedError)]
    assert (len(accepted), len(refused)) == (10, 10)
    assert sum(not answer.replayed for answer in accepted) == 1
    await assert_balanced(database)


async def test_keys_are_forgotten_after_a_day(database: Database) -> None:
    caller = await make_caller(database)
    first = await take(database, caller, key=KEY)
    tomorrow = NOON + REMEMBERED
    second = await take(database, caller, key=OTHER_BODY, now=tomorrow)
    assert not second.replayed
    assert second.image.id != first.image.id
    third = await take(database, caller, key=OTHER_BODY, now=tomorrow + timedelta(hours=1))
    assert third.image.id == second.image.id
    async with database.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(idempotency_keys)) == 1
    await assert_balanced(database)


async def test_keys_are_an_accounts_own(database: Database) -> None:
    callers: list[Caller] = [await make_caller(database) for _ in range(2)]
    answers = await asyncio.gather(*(take(database, caller, key=KEY) for caller in callers))
    assert [answer.replayed for answer in answers] == [False, False]
    await assert_balanced(database)


async def test_a_replay_needs_neither_quota_nor_room(database: Database) -> None:
    caller = await make_caller(database, quota=1)
    await take(database, caller, key=KEY)
    assert (await take(database, caller, key=KEY, queue_limit=1)).replayed


async def test_the_queue_takes_no_more_than_its_limit(database: Database) -> None:
    caller = await make_caller(database)
    answers = await asyncio.gather(
        *(take(database, caller, queue_limit=5) for _ in range(20)), return_exceptions=True
    )
    refused = [answer for answer in answers if isinstance(answer, UnavailableError)]
    assert len(refused) == 15
    assert (refused[0].status, refused[0].code) == (503, "queue_full")
    assert int(refused[0].headers["Retry-After"]) > 0
    await grab(database)
    assert (await take(database, caller, queue_limit=5)).quota.reserved == 6
    await assert_balanced(database)


async def test_one_that_cannot_be_written_does_not_take_others_with_it(database: Database) -> None:
    caller = await make_caller(database)
    gone = await make_caller(database)
    async with database.write() as connection:
        await connection.execute(sql_delete(accounts).where(accounts.c.id == gone.account_id))
    answers = await asyncio.gather(
        *(take(database, who) for who in [caller, gone, caller]), return_exceptions=True
    )
    assert [isinstance(answer, Accepted) for answer in answers] == [True, False, True]
    await assert_balanced(database)


async def test_cancelled_ones_are_counted_if_they_were_accepted(database: Database) -> None:
    caller = await make_caller(database)
    tasks = [asyncio.create_task(take(database, caller)) for _ in range(80)]
    for number, task in enumerate(tasks):
        if number % 3 == 0:
            await asyncio.sleep(0)
            task.cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    told = sum(isinstance(answer, Accepted) for answer in answers)
    assert told >= 53
    assert await count(database, images) >= told
    await assert_balanced(database)


async def test_an_account_that_was_deleted_meanwhile_gets_nothing(database: Database) -> None:
    gone, neighbour = await make_caller(database), await make_caller(database)
    async with database.write() as connection:
        await connection.execute(sql_delete(accounts).where(accounts.c.id == gone.account_id))
    refused, taken = await asyncio.gather(
        take(database, gone), take(database, neighbour), return_exceptions=True
    )
    assert isinstance(refused, UnauthorizedError)
    assert isinstance(taken, Accepted)
    assert await count(database, images) == 1
