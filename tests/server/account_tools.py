"""What tests of accounts share: users that cost nothing to make."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from argon2 import PasswordHasher

from tinyjpg_server.accounts.passwords import Passwords
from tinyjpg_server.accounts.users import User, create_user
from tinyjpg_server.db.database import Database

NOW: Final = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
PASSWORD: Final = "a long sentence of words"  # noqa: S105 - of users that tests make

# The real parameters take 64 MiB and a tenth of a second each time.
CHEAP: Final = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


async def make_user(database: Database, email: str = "ann@example.com", plan: str = "Free") -> User:
    """A user whose password is `PASSWORD`."""
    return await create_user(database, email, PASSWORD, plan, NOW, passwords=CHEAP)
