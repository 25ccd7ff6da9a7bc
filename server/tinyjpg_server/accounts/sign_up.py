"""People make accounts themselves, and learn nothing of others by it."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Final

from tinyjpg_server.accounts.passwords import PASSWORDS, Passwords
from tinyjpg_server.accounts.users import create_user
from tinyjpg_server.db.database import Database
from tinyjpg_server.errors import ConflictError

_log = logging.getLogger(__name__)

PLAN: Final = "Free"


async def sign_up(
    database: Database,
    email: str,
    password: str,
    now: datetime,
    *,
    passwords: Passwords = PASSWORDS,
) -> None:
    """Make an account on the plan Free, unless the address has one.

    Which of the two is not told, and both hash the password, which is what takes time.

    Raises:
        ValidationFailedError: the address or the password is not accepted.
        NotFoundError: the plan Free is gone; code `plan_not_found`.
        UnavailableError: too many others wait for their passwords just now.
    """
    try:
        await create_user(database, email, password, PLAN, now, passwords=passwords)
    except ConflictError:
        _log.info("somebody signed up with an address that has an account")
