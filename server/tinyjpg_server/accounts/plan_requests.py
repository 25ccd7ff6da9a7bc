"""Who asks the operator for which plan: at most one request an account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, delete, select

from tinyjpg_server.db.connection import Connection
from tinyjpg_server.db.tables import accounts, plan_requests, plans
from tinyjpg_server.db.upsert import upsert

_CURRENT: Final = plans.alias("current_plans")
_REQUEST: Final = select(
    accounts.c.email,
    _CURRENT.c.name.label("current"),
    plans.c.name.label("wanted"),
    plan_requests.c.created_at,
).select_from(
    plan_requests.join(plans)
    .join(accounts, accounts.c.id == plan_requests.c.account_id)
    .join(_CURRENT, _CURRENT.c.id == accounts.c.plan_id)
)


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """A row of `plan_requests`. `current` and `wanted` are names of plans."""

    email: str
    current: str
    wanted: str
    created_at: datetime


async def ask(connection: Connection, account_id: int, plan_id: int, now: datetime) -> None:
    """Record that the account asks for the plan, in place of any other."""
    wanted = {"plan_id": plan_id, "created_at": now}
    await upsert(connection, plan_requests, {"account_id": account_id, **wanted}, wanted)


async def close_request(connection: Connection, account_id: int) -> None:
    """The account asks for nothing any more: it was answered or withdrawn."""
    await connection.execute(delete(plan_requests).where(plan_requests.c.account_id == account_id))


async def request_of(connection: Connection, account_id: int) -> PlanRequest | None:
    """What the account asks for."""
    statement = _REQUEST.where(plan_requests.c.account_id == account_id)
    row = (await connection.execute(statement)).first()
    return None if row is None else _request_from(row)


async def list_requests(connection: Connection) -> list[PlanRequest]:
    """All requests, the oldest first."""
    statement = _REQUEST.order_by(plan_requests.c.created_at, plan_requests.c.account_id)
    return [_request_from(row) for row in await connection.execute(statement)]


def _request_from(row: Row[Any]) -> PlanRequest:
    return PlanRequest(row.email, row.current, row.wanted, row.created_at)
