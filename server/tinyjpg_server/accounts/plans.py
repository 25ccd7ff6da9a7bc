"""Plans: what an account may do in a month, at once and in a minute, and what it costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from tinyjpg_server.db.connection import Connection
from tinyjpg_server.db.tables import plans
from tinyjpg_server.errors import ConflictError, NotFoundError, ValidationFailedError

# Labelled, so that a statement may join plans to tables that have an id and a name, too.
PLAN_COLUMNS: Final = tuple(column.label(f"plan_{column.name}") for column in plans.columns)

_LARGEST: Final = 2**31 - 1
_LARGEST_UPLOAD: Final = 2**40


@dataclass(frozen=True, slots=True)
class Plan:
    """A row of `plans`.

    Attributes:
        id: of the row.
        name: what people call it, unique.
        monthly_quota: images a calendar month (UTC).
        max_upload_bytes: of one file.
        requests_per_minute: of one API key.
        price_cents: a month, in hundredths of `currency`.
        currency: three letters (ISO 4217).
        offered: whether it is shown to customers.
    """

    id: int
    name: str
    monthly_quota: int
    max_upload_bytes: int
    requests_per_minute: int
    price_cents: int
    currency: str
    offered: bool


def plan_from(row: Row[Any]) -> Plan:
    """The plan in a row that has `PLAN_COLUMNS`."""
    return Plan(
        id=row.plan_id,
        name=row.plan_name,
        monthly_quota=row.plan_monthly_quota,
        max_upload_bytes=row.plan_max_upload_bytes,
        requests_per_minute=row.plan_requests_per_minute,
        price_cents=row.plan_price_cents,
        currency=row.plan_currency,
        offered=row.plan_offered,
    )


async def list_plans(connection: Connection, *, offered: bool = False) -> list[Plan]:
    """All plans, or only those shown to customers, the cheapest first."""
    statement = select(*PLAN_COLUMNS).order_by(plans.c.price_cents, plans.c.monthly_quota)
    if offered:
        statement = statement.where(plans.c.offered)
    return [plan_from(row) for row in await connection.execute(statement)]


async def plan_named(connection: Connection, name: str) -> Plan:
    """The plan called `name`, in small or capital letters.

    Raises:
        NotFoundError: there is none; code `plan_not_found`.
    """
    statement = select(*PLAN_COLUMNS).where(func.lower(plans.c.name) == name.lower())
    row = (await connection.execute(statement)).first()
    if row is None:
        names = ", ".join(plan.name for plan in await list_plans(connection))
        raise NotFoundError(
            f"there is no plan {name!r}; the plans are {names}", code="plan_not_found"
        )
    return plan_from(row)


async def add_plan(connection: Connection, name: str, **values: Any) -> Plan:
    """Make a plan from all fields of `Plan` except `id`.

    Raises:
        ConflictError: there is one of this name; code `plan_exists`.
        ValidationFailedError: a value is out of range.
    """
    _check({"name": name, **values})
    taken = select(plans.c.name).where(func.lower(plans.c.name) == name.lower())
    error = ConflictError(f"there is a plan {name!r} already", code="plan_exists")
    if await connection.scalar(taken):
        raise error
    try:
        await connection.execute(insert(plans).values(name=name, **values))
    except IntegrityError as cause:
        raise error from cause
    return await plan_named(connection, name)


async def change_plan(connection: Connection, name: str, **values: Any) -> Plan:
    """Set some fields of the plan called `name`; the accounts on it follow at once.

    Raises:
        NotFoundError: there is none.
        ValidationFailedError: a value is out of range.
    """
    _check(values)
    plan = await plan_named(connection, name)
    if values:
        await connection.execute(update(plans).where(plans.c.id == plan.id).values(**values))
    return await plan_named(connection, name)


_RANGES: Final = {
    "monthly_quota": (0, _LARGEST),
    "max_upload_bytes": (1, _LARGEST_UPLOAD),
    "requests_per_minute": (1, _LARGEST),
    "price_cents": (0, _LARGEST),
}


def _check(values: dict[str, Any]) -> None:
    errors = {
        name: [f"The {name.replace('_', ' ')} must be between {lowest} and {highest}."]
        for name, (lowest, highest) in _RANGES.items()
        if name in values and not lowest <= values[name] <= highest
    }
    name = values.get("name", "x")
    if not (1 <= len(name) <= 40 and name.isprintable() and name == name.strip()):
        errors["name"] = ["The name must have 1 to 40 characters."]
    currency = values.get("currency", "USD")
    if not (len(currency) == 3 and currency.isascii() and currency.isupper()):
        errors["currency"] = ["The currency must be three capital letters, as in USD."]
    if errors:
        raise ValidationFailedError(
            " ".join(message for messages in errors.values() for message in messages),
            errors=errors,
        )
