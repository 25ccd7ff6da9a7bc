"""Accounts whose session is opened in the database: nothing is typed, no log-in is counted."""

from __future__ import annotations

from dataclasses import dataclass

from tests.server.clients import in_database, new_account
from tests.server.running import RunningServer
from tinyjpg_server.accounts.sessions import open_session
from tinyjpg_server.accounts.users import find_user
from tinyjpg_server.db import clock
from tinyjpg_server.db.connection import Connection

COOKIE = "tinyjpg"


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

    async def log_in(connection: Connection) -> Member:
        user = await find_user(connection, account.email)
        token = await open_session(connection, user.id, clock.now())
        return Member(user.id, user.email, account.key, token)

    return in_database(server, log_in)
