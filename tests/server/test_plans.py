"""Plans are rows: found by name, made and changed within bounds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import delete

from tinyjpg_server.accounts.plans import add_plan, change_plan, list_plans, plan_named
from tinyjpg_server.db.connection import Connection
from tinyjpg_server.db.database import Database
from tinyjpg_server.db.tables import plans
from tinyjpg_server.errors import ConflictError, NotFoundError, ValidationFailedError

pytestmark = pytest.mark.anyio

TEAM: dict[str, Any] = {
    "monthly_quota": 50,
    "max_upload_bytes": 1_000_000,
    "requests_per_minute": 7,
    "price_cents": 750,
    "currency": "EUR",
    "offered": True,
}


@pytest.fixture
async def connection(database: Database) -> AsyncIterator[Connection]:
    """A transaction; the plans that a test adds are gone afterwards."""
    async with database.write() as opened:
        yield opened
        await opened.execute(delete(plans).where(plans.c.name == "Team"))


async def test_offered_plans_come_cheapest_first(connection: Connection) -> None:
    offered = await list_plans(connection, offered=True)
    assert [plan.name for plan in offered] == ["Free", "Pro", "Business"]
    assert "Operator" in {plan.name for plan in await list_plans(connection)}


async def test_a_plan_is_found_in_any_case(connection: Connection) -> None:
    assert (await plan_named(connection, "pRO")).name == "Pro"


async def test_an_unknown_plan_names_those_there_are(connection: Connection) -> None:
    with pytest.raises(NotFoundError, match=r"Free, .*Business") as caught:
        await plan_named(connection, "Gold")
    assert caught.value.code == "plan_not_found"


async def test_a_plan_is_added_and_changed(connection: Connection) -> None:
    made = await add_plan(connection, "Team", **TEAM)
    assert {field: getattr(made, field) for field in TEAM} == TEAM
    changed = await change_plan(connection, "team", price_cents=900)
    assert changed.price_cents == 900
    assert changed.monthly_quota == 50


async def test_two_plans_of_one_name_cannot_be(connection: Connection) -> None:
    with pytest.raises(ConflictError) as caught:
        await add_plan(connection, "free", **TEAM)
    assert caught.value.code == "plan_exists"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("monthly_quota", -1),
        ("monthly_quota", 2**31),
        ("max_upload_bytes", 0),
        ("requests_per_minute", 0),
        ("price_cents", -1),
        ("currency", "euro"),
    ],
)
async def test_values_out_of_range_are_refused(
    connection: Connection, field: str, value: object
) -> None:
    with pytest.raises(ValidationFailedError) as caught:
        await add_plan(connection, "Team", **{**TEAM, field: value})
    assert list(caught.value.errors) == [field]
    with pytest.raises(ValidationFailedError):
        await change_plan(connection, "Free", **{field: value})


@pytest.mark.parametrize("name", ["", " Team", "x" * 41, "a\nb"])
async def test_a_plan_needs_a_plain_name(connection: Connection, name: str) -> None:
    with pytest.raises(ValidationFailedError):
        await add_plan(connection, name, **TEAM)
