"""Plans change at once where they are free; of the others the operator hears and decides."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete

from tests.server.account_tools import NOW, make_user
from tinyjpg_server.accounts.billing import Billing, Outcome, SetByOperator
from tinyjpg_server.accounts.caller import Caller
from tinyjpg_server.accounts.plan_requests import PlanRequest, list_requests, request_of
from tinyjpg_server.accounts.plans import add_plan
from tinyjpg_server.accounts.users import delete_user, find_user, set_plan
from tinyjpg_server.db.connection import Connection
from tinyjpg_server.db.database import Database
from tinyjpg_server.db.tables import plans
from tinyjpg_server.errors import ConflictError, NotFoundError

pytestmark = pytest.mark.anyio

BILLING: Billing = SetByOperator()
SECRET: dict[str, Any] = {
    "monthly_quota": 1,
    "max_upload_bytes": 1,
    "requests_per_minute": 1,
    "price_cents": 0,
    "currency": "EUR",
    "offered": False,
}


async def caller_on(database: Database, plan: str, email: str = "ann@example.com") -> Caller:
    """A new account, as its pages see it."""
    user = await make_user(database, email, plan)
    return Caller(user.id, user.email, user.plan, None)


@pytest.fixture
async def connection(database: Database) -> AsyncIterator[Connection]:
    """Statements one by one, each seen at once."""
    async with database.read() as opened:
        yield opened


async def choose(database: Database, caller: Caller, plan: str, minutes: int = 0) -> Outcome:
    async with database.write() as connection:
        return await BILLING.choose(connection, caller, plan, NOW + timedelta(minutes=minutes))


async def plan_of(connection: Connection, caller: Caller) -> str:
    return (await find_user(connection, caller.email)).plan.name


async def test_a_free_plan_is_had_at_once(database: Database, connection: Connection) -> None:
    ann = await caller_on(database, "Business")
    assert await choose(database, ann, "free") is Outcome.CHANGED
    assert await plan_of(connection, ann) == "Free"
    assert await list_requests(connection) == []


async def test_a_paid_plan_is_only_asked_for(database: Database, connection: Connection) -> None:
    ann = await caller_on(database, "Free")
    assert await choose(database, ann, "Pro") is Outcome.ASKED
    assert await plan_of(connection, ann) == "Free"
    wanted = PlanRequest(ann.email, "Free", "Pro", NOW)
    assert await request_of(connection, ann.account_id) == wanted


async def test_the_last_request_of_an_account_counts(
    database: Database, connection: Connection
) -> None:
    ann = await caller_on(database, "Free")
    bob = await caller_on(database, "Pro", "bob@example.com")
    await choose(database, ann, "Pro")
    await choose(database, bob, "Business", 1)
    await choose(database, ann, "Business", 2)
    asked = [(one.email, one.current, one.wanted) for one in await list_requests(connection)]
    assert asked == [(bob.email, "Pro", "Business"), (ann.email, "Free", "Business")]


async def test_a_request_is_withdrawn(database: Database, connection: Connection) -> None:
    ann = await caller_on(database, "Free")
    bob = await caller_on(database, "Free", "bob@example.com")
    await choose(database, ann, "Pro")
    await choose(database, bob, "Pro")
    async with database.write() as writing:
        await BILLING.withdraw(writing, ann)
        await BILLING.withdraw(writing, ann)
    assert [one.email for one in await list_requests(connection)] == [bob.email]


@pytest.mark.parametrize("granted", ["Pro", "Business"])
async def test_what_the_operator_sets_answers_the_request(
    database: Database, connection: Connection, granted: str
) -> None:
    ann = await caller_on(database, "Free")
    await choose(database, ann, "Pro")
    async with database.write() as writing:
        await set_plan(writing, ann.email, granted)
    assert await plan_of(connection, ann) == granted
    assert await request_of(connection, ann.account_id) is None


async def test_choosing_a_free_plan_takes_the_request_back(
    database: Database, connection: Connection
) -> None:
    ann = await caller_on(database, "Pro")
    await choose(database, ann, "Business")
    await choose(database, ann, "Free")
    assert await request_of(connection, ann.account_id) is None


async def test_the_plan_that_one_is_on_is_not_chosen(database: Database) -> None:
    ann = await caller_on(database, "Pro")
    with pytest.raises(ConflictError) as caught:
        await choose(database, ann, "Pro")
    assert caught.value.code == "plan_not_changed"


@pytest.mark.parametrize("name", ["Operator", "Hidden", "Gold", "", "\0"])
async def test_what_is_not_offered_cannot_be_had_or_seen(
    database: Database, connection: Connection, name: str
) -> None:
    ann = await caller_on(database, "Free")
    async with database.write() as writing:
        await add_plan(writing, "Hidden", **SECRET)
    try:
        with pytest.raises(NotFoundError) as caught:
            await choose(database, ann, name)
    finally:
        async with database.write() as writing:
            await writing.execute(delete(plans).where(plans.c.name == "Hidden"))
    assert "Operator" not in caught.value.message
    assert await plan_of(connection, ann) == "Free"
    assert await list_requests(connection) == []


async def test_a_request_goes_with_its_account(database: Database, connection: Connection) -> None:
    ann = await caller_on(database, "Free")
    await choose(database, ann, "Pro")
    async with database.write() as writing:
        await delete_user(writing, ann.email)
    assert await list_requests(connection) == []
