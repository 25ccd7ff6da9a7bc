"""Users: made, moved between plans, disabled, deleted; and log-in that tells strangers nothing."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from argon2 import PasswordHasher, extract_parameters
from sqlalchemy import func, insert, select

from tests.server.account_tools import CHEAP, NOW, PASSWORD, make_user
from tinyjpg_server.accounts import users
from tinyjpg_server.accounts.keys import issue
from tinyjpg_server.accounts.passwords import Passwords
from tinyjpg_server.accounts.sessions import open_session
from tinyjpg_server.db.database import Database
from tinyjpg_server.db.tables import accounts, metadata, sessions, usage
from tinyjpg_server.errors import (
    ApiError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    UnauthorizedError,
    ValidationFailedError,
)

pytestmark = pytest.mark.anyio

OTHER = "another sentence of words"


async def stored_hash(database: Database) -> str:
    async with database.read() as connection:
        return str(await connection.scalar(select(accounts.c.password_hash)))


async def count(database: Database, table_name: str) -> int:
    async with database.read() as connection:
        return int(
            await connection.scalar(select(func.count()).select_from(metadata.tables[table_name]))
            or 0
        )


async def log_in(database: Database, email: str, password: str) -> users.User:
    return await users.authenticate(database, email, password, passwords=CHEAP)


async def refusal(database: Database, email: str, password: str) -> ApiError:
    with pytest.raises(ApiError) as caught:
        await log_in(database, email, password)
    return caught.value


async def test_a_user_is_made_with_a_plan_and_a_hash(database: Database) -> None:
    made = await make_user(database, "  Ann@Example.COM ", "pro")
    assert (made.email, made.plan.name) == ("ann@example.com", "Pro")
    assert (made.created_at, made.disabled_at) == (NOW, None)
    assert (await stored_hash(database)).startswith("$argon2id$")
    async with database.read() as connection:
        assert await users.find_user(connection, "ANN@example.com") == made
        assert await users.list_users(connection) == [made]


async def test_an_address_has_one_user(database: Database) -> None:
    await make_user(database)
    with pytest.raises(ConflictError) as caught:
        await make_user(database, "ANN@example.com")
    assert caught.value.code == "user_exists"
    assert await count(database, "accounts") == 1


async def test_an_address_asked_for_twice_at_once_has_one_user(database: Database) -> None:
    made = await asyncio.gather(*(make_user(database) for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(one, users.User) for one in made) == 1
    assert sum(isinstance(one, ConflictError) for one in made) == 4


@pytest.mark.parametrize(
    "email",
    ["", "ann", "@example.com", "ann@", "an n@example.com", "a\0@b.c", "\ud800@b.c", "a@b\n.c",
     "a" * 250 + "@b.cd"],
)  # fmt: skip
async def test_what_is_no_address_is_refused(database: Database, email: str) -> None:
    with pytest.raises(ValidationFailedError) as caught:
        await make_user(database, email)
    assert list(caught.value.errors) == ["email"]
    # Nobody has it, and asking is no error of ours.
    assert (await refusal(database, email, PASSWORD)).code == "wrong_credentials"


async def test_a_machine_s_own_address_is_one(database: Database) -> None:
    assert (await make_user(database, "admin@localhost", "Operator")).email == "admin@localhost"


async def test_bad_passwords_and_plans_make_no_user(database: Database) -> None:
    with pytest.raises(ValidationFailedError):
        await users.create_user(database, "a@b.c", "short", "Free", NOW, passwords=CHEAP)
    with pytest.raises(NotFoundError):
        await make_user(database, plan="Gold")
    assert await count(database, "accounts") == 0


async def test_log_in_with_address_and_password(database: Database) -> None:
    made = await make_user(database)
    assert await log_in(database, " ANN@example.com", PASSWORD) == made


async def test_a_stranger_does_not_learn_who_has_an_account(database: Database) -> None:
    await make_user(database)
    unknown = await refusal(database, "bob@example.com", PASSWORD)
    wrong = await refusal(database, "ann@example.com", OTHER)
    async with database.write() as connection:
        await users.disable(connection, "ann@example.com", NOW)
    disabled = await refusal(database, "ann@example.com", OTHER)
    answers = {(type(one), one.message, one.code, one.status) for one in (unknown, wrong, disabled)}
    assert answers == {
        (UnauthorizedError, "The email or the password is wrong.", "wrong_credentials", 401)
    }


async def test_an_account_without_password_cannot_log_in(database: Database) -> None:
    user = await make_user(database)
    async with database.write() as connection:
        await connection.execute(accounts.update().values(password_hash=None))
    for password in ("", "None", PASSWORD):
        assert (await refusal(database, user.email, password)).code == "wrong_credentials"


async def test_whoever_knows_the_password_learns_that_the_account_is_disabled(
    database: Database,
) -> None:
    user = await make_user(database)
    async with database.write() as connection:
        await open_session(connection, user.id, NOW)
        disabled = await users.disable(connection, user.email, NOW)
        again = await users.disable(connection, user.email, NOW + timedelta(days=1))
    assert disabled.disabled_at == again.disabled_at == NOW
    assert await count(database, "sessions") == 0
    error = await refusal(database, user.email, PASSWORD)
    assert isinstance(error, ForbiddenError)
    assert error.code == "account_disabled"
    async with database.write() as connection:
        assert (await users.enable(connection, user.email)).disabled_at is None
    assert (await log_in(database, user.email, PASSWORD)).id == user.id


async def test_a_log_in_renews_a_hash_of_other_parameters(database: Database) -> None:
    user = await make_user(database)
    stronger = Passwords(PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    with pytest.raises(UnauthorizedError):
        await users.authenticate(database, user.email, OTHER, passwords=stronger)
    assert extract_parameters(await stored_hash(database)).time_cost == 1
    await users.authenticate(database, user.email, PASSWORD, passwords=stronger)
    parameters = extract_parameters(await stored_hash(database))
    assert (parameters.time_cost, parameters.memory_cost) == (2, 16)
    await users.authenticate(database, user.email, PASSWORD, passwords=stronger)


async def test_another_password_ends_the_sessions(database: Database) -> None:
    user = await make_user(database)
    bob = await make_user(database, "bob@example.com")
    async with database.write() as connection:
        await open_session(connection, user.id, NOW)
        await open_session(connection, bob.id, NOW)
    await users.change_password(database, user.email, OTHER, passwords=CHEAP)
    assert (await log_in(database, user.email, OTHER)).id == user.id
    assert (await refusal(database, user.email, PASSWORD)).code == "wrong_credentials"
    async with database.read() as connection:
        assert list(await connection.scalars(select(sessions.c.account_id))) == [bob.id]
    assert (await log_in(database, bob.email, PASSWORD)).id == bob.id


async def test_a_bad_password_changes_nothing(database: Database) -> None:
    user = await make_user(database)
    with pytest.raises(ValidationFailedError):
        await users.change_password(database, user.email, "password123", passwords=CHEAP)
    with pytest.raises(NotFoundError):
        await users.change_password(database, "bob@example.com", OTHER, passwords=CHEAP)
    assert (await log_in(database, user.email, PASSWORD)).id == user.id


async def test_another_plan(database: Database) -> None:
    user = await make_user(database)
    async with database.write() as connection:
        assert (await users.set_plan(connection, user.email, "business")).plan.name == "Business"
        with pytest.raises(NotFoundError):
            await users.set_plan(connection, user.email, "Gold")
        with pytest.raises(NotFoundError):
            await users.set_plan(connection, "bob@example.com", "Pro")
    async with database.read() as connection:
        assert (await users.find_user(connection, user.email)).plan.name == "Business"


async def test_deleting_takes_all_that_is_the_user_s(database: Database) -> None:
    user = await make_user(database)
    bob = await make_user(database, "bob@example.com")
    async with database.write() as connection:
        for account in (user, bob):
            await open_session(connection, account.id, NOW)
            await issue(connection, account.id, "shop", NOW)
            await connection.execute(
                insert(usage).values(account_id=account.id, month="2026-11", used=3)
            )
    async with database.write() as connection:
        await users.delete_user(connection, user.email)
        with pytest.raises(NotFoundError):
            await users.delete_user(connection, user.email)
    for table in ("accounts", "sessions", "api_keys", "usage"):
        assert await count(database, table) == 1, table
    assert (await log_in(database, bob.email, PASSWORD)).id == bob.id
