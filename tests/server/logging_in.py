"""Accounts whose password is known, and browsers that are logged in to them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import insert

from tests.server.account_tools import CHEAP
from tests.server.clients import in_database
from tests.server.people import PASSWORD, Person
from tests.server.running import RunningServer
from tinyjpg_server.accounts.plans import plan_named
from tinyjpg_server.db import clock
from tinyjpg_server.db.connection import Connection
from tinyjpg_server.db.tables import accounts


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


def new_session(server: RunningServer, plan: str = "Free") -> tuple[str, dict[str, str]]:
    """The address of a new account, and the cookies of a browser that is logged in to it."""
    with member(server, plan) as person:
        return person.email, dict(person.client.cookies)


@contextmanager
def member(server: RunningServer, plan: str = "Free") -> Iterator[Person]:
    """Somebody who is logged in, on the plan that is named."""
    email = new_login(server, plan)
    with Person(server, email) as person:
        answer = person.client.post("/api/session", json=person.credentials)
        assert answer.status_code == 200, answer.text
        yield person
