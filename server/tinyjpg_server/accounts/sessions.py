"""Sessions of people who logged in. Only the hash of a token is kept."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, insert

from tinyjpg_server.accounts.tokens import digest, new_token
from tinyjpg_server.db.connection import Connection
from tinyjpg_server.db.tables import sessions

LIFETIME: Final = timedelta(days=30)


async def open_session(connection: Connection, account_id: int, now: datetime) -> str:
    """A new session of 30 days; its token, which cannot be had again.

    `caller.caller_of_session` finds whose it is.
    """
    token = new_token()
    await connection.execute(
        insert(sessions).values(
            account_id=account_id,
            token_hash=digest(token),
            created_at=now,
            expires_at=now + LIFETIME,
        )
    )
    return token


async def close_session(connection: Connection, token: str) -> bool:
    """End the session; whether there was one."""
    done = await connection.execute(delete(sessions).where(sessions.c.token_hash == digest(token)))
    return bool(done.rowcount)


async def close_all_sessions(connection: Connection, account_id: int) -> int:
    """End every session of the account; how many there were."""
    done = await connection.execute(delete(sessions).where(sessions.c.account_id == account_id))
    return done.rowcount
