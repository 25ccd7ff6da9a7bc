"""Who makes a request: looked up by API key or by session, in one statement."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest
from typing import Any, Final

from sqlalchemy import Row, and_, bindparam, select

from tinyjpg_server.accounts.keys import KEY_PREFIX
from tinyjpg_server.accounts.plans import PLAN_COLUMNS, Plan, plan_from
from tinyjpg_server.accounts.quota import Quota
from tinyjpg_server.accounts.tokens import TOKEN_LENGTH, digest
from tinyjpg_server.db.clock import month_of, next_month
from tinyjpg_server.db.connection import Connection
from tinyjpg_server.db.tables import accounts, api_keys, plans, sessions, usage
from tinyjpg_server.errors import UnauthorizedError

_KEY: Final = re.compile(f"{KEY_PREFIX}[0-9A-Za-z]{{{TOKEN_LENGTH}}}")
_TOKEN: Final = re.compile(f"[0-9A-Za-z]{{{TOKEN_LENGTH}}}")

_WHO: Final = (accounts.c.id.label("account_id"), accounts.c.email, accounts.c.disabled_at)

_BY_KEY: Final = (
    select(
        api_keys.c.id.label("key_id"),
        api_keys.c.key_hash,
        api_keys.c.expires_at,
        api_keys.c.revoked_at,
        *_WHO,
        *PLAN_COLUMNS,
        usage.c.used,
        usage.c.reserved,
    )
    .select_from(
        api_keys.join(accounts)
        .join(plans)
        .outerjoin(
            usage, and_(usage.c.account_id == accounts.c.id, usage.c.month == bindparam("of_month"))
        )
    )
    .where(api_keys.c.key_hash == bindparam("digest"))
)

_BY_SESSION: Final = (
    select(sessions.c.token_hash, sessions.c.expires_at, *_WHO, *PLAN_COLUMNS)
    .select_from(sessions.join(accounts).join(plans))
    .where(sessions.c.token_hash == bindparam("digest"))
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a request. `key_id` is None for a session."""

    account_id: int
    email: str
    plan: Plan
    key_id: int | None


async def caller_of_key(connection: Connection, key: str, now: datetime) -> Caller:
    """Whose API key `key` is; raises as `caller_and_quota_of_key`."""
    caller, _ = await caller_and_quota_of_key(connection, key, now)
    return caller


async def caller_and_quota_of_key(
    connection: Connection, key: str, now: datetime
) -> tuple[Caller, Quota]:
    """Whose API key `key` is, and what is left of the month, in one statement.

    Raises:
        UnauthorizedError: it is missing, malformed, unknown, revoked or expired, or its account is
            disabled. Only who holds the whole key learns which of the last three.
    """
    if not key:
        raise UnauthorizedError("An API key is required: send yours in the X-API-Key header.")
    invalid = UnauthorizedError("The API key is not valid.")
    if not _KEY.fullmatch(key):
        raise invalid
    hashed = digest(key)
    values = {"digest": hashed, "of_month": month_of(now)}
    row = (await connection.execute(_BY_KEY, values)).first()
    if row is None or not compare_digest(row.key_hash, hashed):
        raise invalid
    if row.revoked_at is not None:
        raise UnauthorizedError("The API key is not valid: it was revoked.")
    if row.expires_at is not None and row.expires_at <= now:
        raise UnauthorizedError("The API key is not valid: it has expired.")
    if row.disabled_at is not None:
        raise UnauthorizedError("The API key is not valid: its account is disabled.")
    caller = _caller(row, row.key_id)
    limit = caller.plan.monthly_quota
    return caller, Quota(limit, row.used or 0, row.reserved or 0, next_month(now))


async def caller_of_session(connection: Connection, token: str, now: datetime) -> Caller:
    """Whose session `token` is.

    Raises:
        UnauthorizedError: it is missing, malformed, unknown or over, or its account is disabled.
    """
    invalid = UnauthorizedError("You are not logged in.")
    if not _TOKEN.fullmatch(token):
        raise invalid
    hashed = digest(token)
    row = (await connection.execute(_BY_SESSION, {"digest": hashed})).first()
    if (
        row is None
        or not compare_digest(row.token_hash, hashed)
        or row.expires_at <= now
        or row.disabled_at is not None
    ):
        raise invalid
    return _caller(row, None)


def _caller(row: Row[*tuple[Any, ...]], key_id: int | None) -> Caller:
    return Caller(row.account_id, row.email, plan_from(row), key_id)
