"""People without an account: what an address may do in a day, counted exactly."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from tests.server.account_tools import CHEAP
from tests.server.accounting import take
from tests.server.pages.seeding import restore_anonymous
from tinyjpg_server.accounts.users import (
    authenticate,
    create_user,
    find_user,
    list_users,
)
from tinyjpg_server.accounts.visitors import (
    ANONYMOUS,
    anonymous_caller,
    forget_visits,
    visit,
    visits_of,
)
from tinyjpg_server.db import migrate
from tinyjpg_server.db.database import Database
from tinyjpg_server.db.tables import visitors
from tinyjpg_server.errors import (
    DatabaseError,
    TooManyRequestsError,
    UnauthorizedError,
    ValidationFailedError,
)
from tinyjpg_server.first_start import first_account

pytestmark = pytest.mark.anyio

EVENING = datetime(2026, 11, 25, 22, 30, tzinfo=UTC)
HERE = "192.0.2.7"


async def used(database: Database, address: str = HERE, now: datetime = EVENING) -> int:
    async with database.read() as connection:
        return (await visits_of(connection, address, 3, now)).used


async def come(
    database: Database, address: str = HERE, limit: int = 3, now: datetime = EVENING
) -> None:
    async with visit(database, address, limit, now):
        pass


async def come_and_fail(database: Database, error: BaseException) -> None:
    async with visit(database, HERE, 3, EVENING):
        assert await used(database) == 1
        raise error


async def test_an_address_has_so_many_images_a_day(database: Database) -> None:
    for count in range(3):
        assert await used(database) == count
        await come(database)
    with pytest.raises(TooManyRequestsError) as raised:
        await come(database)
    assert raised.value.code == "daily_allowance"
    # An hour and a half to midnight UTC.
    assert raised.value.headers["Retry-After"] == "5400"
    assert await used(database) == 3
    async with database.read() as connection:
        visits = await visits_of(connection, HERE, 3, EVENING)
    assert (visits.remaining, visits.resets_at) == (0, datetime(2026, 11, 26, tzinfo=UTC))


async def test_other_addresses_and_other_days_have_their_own(database: Database) -> None:
    await come(database, limit=1)
    await come(database, "192.0.2.8", limit=1)
    await come(database, limit=1, now=EVENING + timedelta(hours=2))
    with pytest.raises(TooManyRequestsError):
        await come(database, limit=1)


async def test_what_was_refused_is_given_back(database: Database) -> None:
    for error in (ValidationFailedError("damaged"), asyncio.CancelledError()):
        with pytest.raises(type(error)):
            await come_and_fail(database, error)
        assert await used(database) == 0


async def test_nobody_takes_the_last_one_twice(database: Database) -> None:
    visits = [come(database, limit=5) for _ in range(12)]
    outcomes = await asyncio.gather(*visits, return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, TooManyRequestsError)]
    assert (len(refused), await used(database)) == (7, 5)


async def test_a_limit_of_none_takes_none(database: Database) -> None:
    with pytest.raises(TooManyRequestsError):
        await come(database, limit=0)
    assert await used(database) == 0


async def test_a_limit_that_was_lowered_leaves_nothing(database: Database) -> None:
    for _ in range(3):
        await come(database)
    async with database.read() as connection:
        assert (await visits_of(connection, HERE, 1, EVENING)).remaining == 0


async def test_no_address_is_kept(database: Database) -> None:
    await come(database)
    async with database.read() as connection:
        (row,) = (await connection.execute(select(visitors))).all()
    assert len(row.visitor) == 64
    assert HERE not in str(row)


async def test_counts_are_forgotten_after_two_days(database: Database) -> None:
    await come(database)
    await come(database, "192.0.2.8", now=EVENING + timedelta(days=1))
    assert await forget_visits(database, EVENING + timedelta(days=1)) == 0
    assert await forget_visits(database, EVENING + timedelta(days=2)) == 1
    async with database.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(visitors)) == 1


async def test_the_account_is_nobody(database: Database) -> None:
    await restore_anonymous(database)
    async with database.read() as connection:
        caller = await anonymous_caller(connection)
        assert (caller.email, caller.plan.name, caller.plan.offered) == (
            ANONYMOUS,
            "Anonymous",
            False,
        )
        assert caller.plan.max_upload_bytes == 10 * 2**20
        assert await list_users(connection) == []
        # So that no command and no form can name it: a key, a plan, a password need its user.
        with pytest.raises(ValidationFailedError):
            await find_user(connection, ANONYMOUS)
    with pytest.raises(ValidationFailedError):
        await create_user(database, ANONYMOUS, "a long sentence", "Free", EVENING, passwords=CHEAP)
    for password in ("", "a long sentence"):
        with pytest.raises(UnauthorizedError):
            await authenticate(database, ANONYMOUS, password, passwords=CHEAP)


async def test_it_is_not_taken_for_the_first_account(database: Database) -> None:
    await restore_anonymous(database)
    made = await first_account(database)
    assert made is not None
    assert await first_account(database) is None


async def test_without_the_account_the_operator_is_told(database: Database) -> None:
    async with database.read() as connection:
        with pytest.raises(DatabaseError, match="TINYJPG_VISITOR_IMAGES=0"):
            await anonymous_caller(connection)


def test_the_migration_makes_the_account_and_takes_it_away(empty_database_url: str) -> None:
    async def with_an_image() -> int:
        async with Database(empty_database_url) as database:
            async with database.read() as connection:
                caller = await anonymous_caller(connection)
            return (await take(database, caller)).image.account_id

    # What earlier tests left of the account, the fixture may have cleared.
    migrate.downgrade(empty_database_url, "0001")
    migrate.upgrade(empty_database_url)
    assert asyncio.run(with_an_image()) > 0
    migrate.downgrade(empty_database_url, "0001")
    migrate.upgrade(empty_database_url)
    assert asyncio.run(with_an_image()) > 0
