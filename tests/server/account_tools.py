"""What tests of accounts share: users that cost nothing to make, and what browsers ask."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any, Final

import httpx
from argon2 import PasswordHasher

from tinyjpg_server.accounts.caller import caller_of_key
from tinyjpg_server.accounts.passwords import Passwords
from tinyjpg_server.accounts.users import User, create_user
from tinyjpg_server.db import clock
from tinyjpg_server.db.database import Database
from tinyjpg_server.errors import UnauthorizedError

HERE: Final = "http://127.0.0.1:8000"
HTTPS: Final = "https://img.example.com"

Connect = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]
"""See the fixture `connect`."""

NOW: Final = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
PASSWORD: Final = "a long sentence of words"  # noqa: S105 - of users that tests make

# The real parameters take 64 MiB and a tenth of a second each time.
CHEAP: Final = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


async def make_user(database: Database, email: str = "ann@example.com", plan: str = "Free") -> User:
    """A user whose password is `PASSWORD`."""
    return await create_user(database, email, PASSWORD, plan, NOW, passwords=CHEAP)


async def log_in(
    client: httpx.AsyncClient, email: str = "ann@example.com", password: str = PASSWORD
) -> httpx.Response:
    """POST /api/session."""
    return await client.post("/api/session", json={"email": email, "password": password})


def data_of(answer: httpx.Response) -> Any:
    """The data of an answer that must be a success."""
    body = answer.json()
    assert (answer.status_code, body["success"]) == (200, True), body
    return body["data"]


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, list[str]]:
    """The messages by field of an answer that must be this refusal."""
    body = answer.json()
    assert (answer.status_code, body["success"], body["code"]) == (status, False, code), body
    assert set(body) == {"success", "message", "errors", "code"}
    assert body["message"]
    errors: dict[str, list[str]] = body["errors"]
    return errors


def cookie_of(answer: httpx.Response) -> tuple[str, set[str]]:
    """The cookie that an answer sets, and its attributes."""
    first, *attributes = answer.headers["set-cookie"].split("; ")
    return first, set(attributes)


async def works(database: Database, secret: str, now: datetime | None = None) -> bool:
    """Whether a key is valid."""
    async with database.read() as connection:
        try:
            await caller_of_key(connection, secret, now or clock.now())
        except UnauthorizedError:
            return False
    return True
