"""Sessions: a random token, only its hash kept, 30 days, ended by the server."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from tests.server.account_tools import NOW, make_user
from tinyjpg_server.accounts.caller import Caller, caller_of_session
from tinyjpg_server.accounts.keys import issue
from tinyjpg_server.accounts.sessions import (
    LIFETIME,
    close_all_sessions,
    close_session,
    open_session,
)
from tinyjpg_server.accounts.users import disable, set_plan
from tinyjpg_server.db.database import Database
from tinyjpg_server.db.tables import sessions
from tinyjpg_server.errors import UnauthorizedError

pytestmark = pytest.mark.anyio


async def open_for(database: Database, account_id: int) -> str:
    async with database.write() as connection:
        return await open_session(connection, account_id, NOW)


async def who(database: Database, token: str, now: datetime = NOW) -> Caller:
    async with database.read() as connection:
        return await caller_of_session(connection, token, now)


async def test_only_the_hash_of_a_token_is_stored(database: Database) -> None:
    user = await make_user(database)
    token = await open_for(database, user.id)
    assert re.fullmatch(r"[0-9A-Za-z]{43}", token)
    assert token != await open_for(database, user.id)
    async with database.read() as connection:
        rows = list(await connection.execute(select(sessions).order_by(sessions.c.id)))
    assert rows[0].token_hash == hashlib.sha256(token.encode()).hexdigest()
    assert not any(token in str(value) for row in rows for value in row)


async def test_a_session_tells_account_and_plan_of_now(database: Database) -> None:
    user = await make_user(database)
    token = await open_for(database, user.id)
    assert await who(database, token) == Caller(user.id, user.email, user.plan, None)
    async with database.write() as connection:
        await set_plan(connection, user.email, "Pro")
    assert (await who(database, token)).plan.name == "Pro"


async def test_a_session_lasts_30_days(database: Database) -> None:
    user = await make_user(database)
    token = await open_for(database, user.id)
    assert timedelta(days=30) == LIFETIME
    assert (await who(database, token, NOW + LIFETIME - timedelta(seconds=1))).email == user.email
    with pytest.raises(UnauthorizedError):
        await who(database, token, NOW + LIFETIME)


async def test_a_closed_session_is_over_and_others_go_on(database: Database) -> None:
    user = await make_user(database)
    first, second = [await open_for(database, user.id) for _ in range(2)]
    async with database.write() as connection:
        assert await close_session(connection, first)
        assert not await close_session(connection, first)
        assert not await close_session(connection, "\ud800\0")
    with pytest.raises(UnauthorizedError):
        await who(database, first)
    assert (await who(database, second)).email == user.email


async def test_all_sessions_of_one_account_are_closed(database: Database) -> None:
    ann, bob = await make_user(database), await make_user(database, "bob@example.com")
    tokens = [await open_for(database, ann.id) for _ in range(3)]
    other = await open_for(database, bob.id)
    async with database.write() as connection:
        assert await close_all_sessions(connection, ann.id) == 3
    for token in tokens:
        with pytest.raises(UnauthorizedError):
            await who(database, token)
    assert (await who(database, other)).email == bob.email


async def test_a_disabled_account_has_no_sessions(database: Database) -> None:
    user = await make_user(database)
    token = await open_for(database, user.id)
    async with database.write() as connection:
        await disable(connection, user.email, NOW)
    # One that was opened in the same moment.
    late = await open_for(database, user.id)
    for one in (token, late):
        with pytest.raises(UnauthorizedError):
            await who(database, one)


@pytest.mark.parametrize("token", ["", "x", "a" * 43, "é" * 43, "a" * 100_000, "\0" * 43])
async def test_what_is_no_token_is_refused(database: Database, token: str) -> None:
    user = await make_user(database)
    await open_for(database, user.id)
    with pytest.raises(UnauthorizedError):
        await who(database, token)


async def test_an_api_key_is_no_token(database: Database) -> None:
    user = await make_user(database)
    async with database.write() as connection:
        _, secret = await issue(connection, user.id, "shop", NOW)
    for part in (secret, secret[3:]):
        with pytest.raises(UnauthorizedError):
            await who(database, part)
