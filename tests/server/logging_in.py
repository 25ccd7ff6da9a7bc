"""Accounts whose password is known, and accounts that are logged in already."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from sqlalchemy import insert

from tests.server.account_tools import CHEAP
from tests.server.clients import in_database, new_account
from tests.server.people import PASSWORD, Person
from tests.server.running import RunningServer
from tinyjpg_server.accounts.plans import plan_named
from tinyjpg_server.accounts.sessions import open_session
from tinyjpg_server.accounts.users import find_user
from tinyjpg_server.db import clock
from tinyjpg_server.db.connection import Connection
from tinyjpg_server.db.tables import accounts

COOKIE: Final = "tinyjpg"


@dataclass(frozen=True, slots=True)
class Member:
    """Who has an account, a key, and a session: the value of the cookie `COOKIE`."""

    id: int
    email: str
    key: str
    session: str


def new_member(server: RunningServer, plan: str = "Free") -> Member:
    """A new account on a plan, logged in."""
    account = new_account(server, plan)
    user = in_database(server, lambda connection: find_user(connection, account.email))
    return Member(user.id, user.email, account.key, new_session(server, account.email))


def new_session(server: RunningServer, email: str) -> str:
    """The token of a new session of an account; no log-in is counted."""

    async def log_in(connection: Connection) -> str:
        user = await find_user(connection, email)
        return await open_session(connection, user.id, clock.now())

    return in_database(server, log_in)


def new_login(server: RunningServer, plan: str = "Free") -> str:
    """The address of a new account whose password is `PASSWORD`."""
    email = f"{uuid.uuid4().hex}@example.com"

    async def make(connection: Connection) -> None:
        chosen = await plan_named(connection, plan)
        await connection.execute(
            insert(accounts).values(
                email=email,
                password_hash=await CHEAP.hash(PASSWORD),
                plan_id=chosen.id,
                created_at=clock.now(),
            )
        )

    in_database(server, make)
    return email


@contextmanager
def member(server: RunningServer, plan: str = "Free") -> Iterator[Person]:
    """Somebody who is logged in, without a key, on the plan that is named."""
    email = new_login(server, plan)
    with Person(server, email) as person:
        person.client.cookies.set(COOKIE, new_session(server, email))
        yield person
