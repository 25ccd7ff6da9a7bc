"""People without an account: a few images a day for each address.

Their images belong to one account, `anonymous`, that the migrations make. What it is called is no
address of mail, so nobody can sign up with it, log in as it or be issued a key for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import delete, select, update

from tinyjpg_server.accounts.caller import Caller
from tinyjpg_server.accounts.plans import PLAN_COLUMNS, plan_from
from tinyjpg_server.addresses import network_of
from tinyjpg_server.db.connection import Connection
from tinyjpg_server.db.database import Database
from tinyjpg_server.db.tables import accounts, plans, visitors
from tinyjpg_server.db.upsert import insert_for
from tinyjpg_server.errors import DatabaseError, TooManyRequestsError

ANONYMOUS: Final = "anonymous"

# Days after which rows are of no use: today's count, and yesterday's may still be given back.
_KEPT: Final = timedelta(days=2)

_ANONYMOUS: Final = (
    select(accounts.c.id, accounts.c.email, *PLAN_COLUMNS)
    .select_from(accounts.join(plans))
    .where(accounts.c.email == ANONYMOUS)
)


@dataclass(frozen=True, slots=True)
class Visits:
    """What an address has left of a day.

    Attributes:
        limit: images a day.
        used: of them.
        resets_at: midnight UTC, when the next day begins.
    """

    limit: int
    used: int
    resets_at: datetime

    @property
    def remaining(self) -> int:
        """Images that would be taken now; 0 too where the limit was lowered since."""
        return max(0, self.limit - self.used)


async def anonymous_caller(connection: Connection) -> Caller:
    """The account of everybody who has none.

    Raises:
        DatabaseError: somebody took it out of the database.
    """
    row = (await connection.execute(_ANONYMOUS)).first()
    if row is None:
        raise DatabaseError(
            f"the account {ANONYMOUS} is missing; set TINYJPG_VISITOR_IMAGES=0, or restore it"
        )
    return Caller(row.id, row.email, plan_from(row), key_id=None)


async def visits_of(connection: Connection, address: str, limit: int, now: datetime) -> Visits:
    """What `address` has left today, of `limit` images."""
    statement = select(visitors.c.images).where(visitors.c.visitor == _visitor(address, now))
    return Visits(limit, await connection.scalar(statement) or 0, _tomorrow(now))


@asynccontextmanager
async def visit(database: Database, address: str, limit: int, now: datetime) -> AsyncIterator[None]:
    """Count an image of `address` before it is taken, and give it back if the block raises.

    Raises:
        TooManyRequestsError: it has had its `limit` today; code `daily_allowance`.
    """
    visitor = _visitor(address, now)
    if not limit or not await _count(database, visitor, limit, now):
        raise allowance_used_up(Visits(limit, limit, _tomorrow(now)), now)
    try:
        yield
    except BaseException:
        await _give_back(database, visitor)
        raise


def allowance_used_up(visits: Visits, now: datetime) -> TooManyRequestsError:
    """The answer to an address that has had its images of today."""
    return TooManyRequestsError(
        f"The {visits.limit} images a day that are free without an account are used up. Sign up "
        "or log in to go on, or come back after midnight UTC.",
        code="daily_allowance",
        retry_after=round((visits.resets_at - now).total_seconds()),
    )


async def forget_visits(database: Database, now: datetime) -> int:
    """Remove the rows of days long over; how many."""
    async with database.write() as connection:
        over = visitors.c.day <= _day(now - _KEPT)
        return (await connection.execute(delete(visitors).where(over))).rowcount


async def _count(database: Database, visitor: str, limit: int, now: datetime) -> bool:
    """One image more, unless there are `limit`: a single statement, so no two take the last."""
    async with database.write() as connection:
        statement = (
            insert_for(connection, visitors)
            .values(visitor=visitor, day=_day(now), images=1)
            .on_conflict_do_update(
                index_elements=[visitors.c.visitor],
                set_={"images": visitors.c.images + 1},
                where=visitors.c.images < limit,
            )
            .returning(visitors.c.images)
        )
        return (await connection.execute(statement)).first() is not None


async def _give_back(database: Database, visitor: str) -> None:
    async with database.write() as connection:
        await connection.execute(
            update(visitors)
            .where(visitors.c.visitor == visitor, visitors.c.images > 0)
            .values(images=visitors.c.images - 1)
        )


def _visitor(address: str, now: datetime) -> str:
    return hashlib.sha256(f"{_day(now)} {network_of(address)}".encode()).hexdigest()


def _day(now: datetime) -> str:
    return now.astimezone(UTC).strftime("%Y-%m-%d")


def _tomorrow(now: datetime) -> datetime:
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + timedelta(days=1)
