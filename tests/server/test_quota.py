"""The quota: exactly as many images as the plan allows, each charged once and to its month."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from tests.server.accounting import (
    NOON,
    OUTCOME,
    assert_balanced,
    grab,
    make_caller,
    take,
    usage_rows,
)
from tinyjpg_server.accounts.caller import Caller
from tinyjpg_server.accounts.quota import Quota, give_back, quota_of, settle
from tinyjpg_server.db.database import Database
from tinyjpg_server.errors import AccountingError, Failure, QuotaExceededError
from tinyjpg_server.jobs.intake import Accepted
from tinyjpg_server.jobs.queue import fail, finish

pytestmark = pytest.mark.anyio

DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)


async def quota(database: Database, caller: Caller, now: datetime = NOON) -> Quota:
    async with database.read() as connection:
        return await quota_of(connection, caller.account_id, caller.plan, now)


async def test_a_new_account_has_all_of_it(database: Database) -> None:
    caller = await make_caller(database, quota=7)
    assert await quota(database, caller) == Quota(7, 0, 0, DECEMBER)


async def test_an_image_is_reserved_then_used(database: Database) -> None:
    caller = await make_caller(database, quota=7)
    accepted = await take(database, caller)
    assert accepted.quota == await quota(database, caller) == Quota(7, 0, 1, DECEMBER)
    assert await finish(database, await grab(database), OUTCOME, NOON)
    assert await quota(database, caller) == Quota(7, 1, 0, DECEMBER)
    await assert_balanced(database)


async def test_a_failed_image_is_given_back(database: Database) -> None:
    caller = await make_caller(database, quota=1)
    await take(database, caller)
    with pytest.raises(QuotaExceededError, match="1 images a month of the Free plan"):
        await take(database, caller)
    assert await fail(database, await grab(database), Failure("corrupt_image", "no"), NOON)
    assert (await quota(database, caller)).remaining == 1
    await take(database, caller)
    await assert_balanced(database)


def test_a_smaller_plan_leaves_nothing_rather_than_less() -> None:
    assert Quota(5, 6, 1, DECEMBER).remaining == 0


async def test_200_at_once_at_the_last_image_of_the_month(database: Database) -> None:
    caller = await make_caller(database, quota=20)
    for _ in range(19):
        await take(database, caller)
    answers = await asyncio.gather(
        *(take(database, caller) for _ in range(200)), return_exceptions=True
    )
    accepted = [answer for answer in answers if isinstance(answer, Accepted)]
    assert len(accepted) == 1
    assert accepted[0].quota == Quota(20, 0, 20, DECEMBER)
    refused = [answer for answer in answers if isinstance(answer, QuotaExceededError)]
    assert len(refused) == 199
    await assert_balanced(database)


_RACER = """
import asyncio, json, sys
from tests.server.accounting import take
from tinyjpg_server.accounts.caller import Caller
from tinyjpg_server.accounts.plans import Plan
from tinyjpg_server.db.database import Database
from tinyjpg_server.errors import QuotaExceededError

async def race(url, account_id, quota, count):
    caller = Caller(account_id, "", Plan(1, "Free", quota, 1, 1, 0, "USD", True), None)
    async with Database(url) as database:
        async with database.read():
            print("ready", flush=True)
            sys.stdin.readline()
        answers = await asyncio.gather(
            *(take(database, caller) for _ in range(count)), return_exceptions=True
        )
    others = [a for a in answers if isinstance(a, Exception)]
    assert all(isinstance(a, QuotaExceededError) for a in others), others
    print(json.dumps(len(answers) - len(others)))

asyncio.run(race(*json.loads(sys.argv[1])))
"""


async def test_several_processes_share_the_last_images(database: Database) -> None:
    caller = await make_caller(database, quota=10)
    for _ in range(7):
        await take(database, caller)
    arguments = json.dumps([database.url, caller.account_id, 10, 50])
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", _RACER, arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for racer in racers:
        assert racer.stdout
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin
        racer.stdin.write("go\n")
        racer.stdin.flush()
    taken = [int(racer.communicate(timeout=60)[0]) for racer in racers]
    assert [racer.returncode for racer in racers] == [0] * 4
    assert sum(taken) == 3
    assert await usage_rows(database) == {(caller.account_id, "2026-11"): (0, 10)}
    await assert_balanced(database)


async def test_reserved_in_november_and_finished_in_december(database: Database) -> None:
    caller = await make_caller(database)
    last_second = datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC)
    await take(database, caller, now=last_second)
    await take(database, caller, now=DECEMBER)
    first = await grab(database, now=DECEMBER)
    assert await finish(database, first, OUTCOME, DECEMBER)
    assert await usage_rows(database) == {
        (caller.account_id, "2026-11"): (1, 0),
        (caller.account_id, "2026-12"): (0, 1),
    }
    assert (await quota(database, caller, DECEMBER)).used == 0
    assert (await quota(database, caller, last_second)).used == 1
    await assert_balanced(database)


async def test_a_full_month_leaves_the_next_one_alone(database: Database) -> None:
    caller = await make_caller(database, quota=1)
    await take(database, caller)
    assert (await take(database, caller, now=DECEMBER)).quota.remaining == 0
    await assert_balanced(database)


async def test_accounts_do_not_share(database: Database) -> None:
    callers = [await make_caller(database, quota=3) for _ in range(5)]
    answers = await asyncio.gather(
        *(take(database, caller) for caller in callers * 6), return_exceptions=True
    )
    accepted = [answer for answer in answers if isinstance(answer, Accepted)]
    assert len(accepted) == 15
    assert set((await usage_rows(database)).values()) == {(0, 3)}
    await assert_balanced(database)


async def test_more_than_is_reserved_is_refused_and_changes_nothing(database: Database) -> None:
    caller = await make_caller(database)
    await take(database, caller)

    async def end_twice() -> None:
        async with database.write() as connection:
            await settle(connection, caller.account_id, "2026-11")
            await give_back(connection, {(caller.account_id, "2026-11"): 1})

    with pytest.raises(AccountingError, match="does not agree"):
        await end_twice()
    await assert_balanced(database)
