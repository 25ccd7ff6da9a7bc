"""Whose image is next: accounts take turns, whoever sent more."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from tests.server.accounting import (
    ATTEMPTS,
    NOON,
    OUTCOME,
    assert_balanced,
    grab,
    make_caller,
    take,
)
from tinyjpg_server.accounts.caller import Caller
from tinyjpg_server.db.database import Database
from tinyjpg_server.jobs.queue import finish, next_waiting, release

pytestmark = pytest.mark.anyio

SECOND = timedelta(seconds=1)


async def send(database: Database, caller: Caller, count: int, seconds: float = 0) -> list[int]:
    """Ids of `count` images that came so long after noon, all at once."""
    now = NOON + seconds * SECOND
    return [(await take(database, caller, now=now)).image.id for _ in range(count)]


async def order(database: Database, count: int) -> list[int]:
    """The next images, each finished before the next is claimed."""
    claimed = []
    for _ in range(count):
        claim = await grab(database)
        claimed.append(claim.image.id)
        assert await finish(database, claim, OUTCOME, NOON)
    return claimed


async def test_who_sends_many_keeps_nobody_waiting_who_sends_few(database: Database) -> None:
    many, few, one = [await make_caller(database) for _ in range(3)]
    flood = await send(database, many, 30)
    some = await send(database, few, 3, seconds=1)
    single = await send(database, one, 1, seconds=2)
    assert await order(database, 7) == [
        flood[0], some[0], *single, flood[1], some[1], flood[2], some[2]
    ]  # fmt: skip
    assert await order(database, 27) == flood[3:]
    await assert_balanced(database)


async def test_who_sends_many_is_not_kept_waiting_for_ever(database: Database) -> None:
    many, *others = [await make_caller(database) for _ in range(4)]
    flood = await send(database, many, 10)
    done: list[int] = []
    # More come all the time than are worked on.
    for second in range(1, 100):
        for other in others:
            await send(database, other, 1, seconds=second)
        done += await order(database, 2)
    assert flood[0] in done
    assert len(set(flood) & set(done)) >= 3


async def test_the_images_of_one_account_keep_their_order(database: Database) -> None:
    caller = await make_caller(database)
    first = await send(database, caller, 6)
    assert await order(database, 4) == first[:4]
    # Few are left, so that by their number alone it would come earlier than those.
    later = await send(database, caller, 2, seconds=1)
    assert await order(database, 4) == [*first[4:], *later]


async def test_what_was_sent_before_is_not_held_against_anyone(database: Database) -> None:
    many, other = await make_caller(database), await make_caller(database)
    await order(database, len(await send(database, many, 20)))
    mine = await send(database, many, 1, seconds=1)
    theirs = await send(database, other, 1, seconds=2)
    assert await order(database, 2) == [*mine, *theirs]


async def test_an_image_that_is_given_back_keeps_its_turn(database: Database) -> None:
    many, other = await make_caller(database), await make_caller(database)
    flood = await send(database, many, 3)
    claim = await grab(database)
    await send(database, other, 1, seconds=1)
    assert await release(database, claim)
    assert (await grab(database)).image.id == flood[0]


async def test_the_next_one_is_found_by_an_index_alone(database: Database) -> None:
    await send(database, await make_caller(database), 5)
    async with database.write() as connection:
        statement = next_waiting(ATTEMPTS).compile(
            dialect=connection.dialect, compile_kwargs={"literal_binds": True}
        )
        if not database.is_sqlite:
            # Of a table this small it would read all.
            await connection.execute(text("SET LOCAL enable_seqscan = off"))
        explain = "EXPLAIN QUERY PLAN" if database.is_sqlite else "EXPLAIN"
        rows = await connection.execute(text(f"{explain} {statement}"))
        plan = " ".join(str(row[-1]) for row in rows)
    assert "ix_images_waiting" in plan
    assert "TEMP B-TREE" not in plan
    assert "Sort" not in plan
