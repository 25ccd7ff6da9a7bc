"""API keys: issued, listed, revoked, rotated. Only their hash is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, bindparam, case, func, insert, or_, select, update

from tinyjpg_server.accounts.tokens import digest, new_token
from tinyjpg_server.db import clock
from tinyjpg_server.db.connection import Connection
from tinyjpg_server.db.database import Database
from tinyjpg_server.db.tables import api_keys
from tinyjpg_server.errors import ConflictError, NotFoundError, ValidationFailedError

KEY_PREFIX: Final = "tj_"
DEFAULT_OVERLAP: Final = timedelta(hours=24)
LONGEST_OVERLAP: Final = timedelta(days=30)
MOST_KEYS: Final = 100

# Of a column; larger numbers are no ids and fail in the drivers.
_LARGEST_ID: Final = 2**63 - 1

_COLUMNS: Final = tuple(column for column in api_keys.columns if column.name != "key_hash")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A row of `api_keys`, without the hash. `hint` is what is shown of the key: both its ends."""

    id: int
    account_id: int
    name: str
    hint: str
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None

    def state(self, now: datetime) -> str:
        """ "revoked", "expired", "expiring" (works, but not for ever) or "active"."""
        if self.revoked_at is not None:
            return "revoked"
        if self.expires_at is None:
            return "active"
        return "expiring" if self.expires_at > now else "expired"


def new_key() -> str:
    """A new API key: `tj_` and 256 random bits as letters and digits."""
    return KEY_PREFIX + new_token()


def hash_key(key: str) -> str:
    """What is stored of a key: its SHA-256, 64 hexadecimal digits."""
    return digest(key)


async def issue(
    connection: Connection, account_id: int, name: str, now: datetime
) -> tuple[ApiKey, str]:
    """A new key of the account called `name` (1 to 80 characters), and its secret.

    The secret cannot be had again.

    Raises:
        ConflictError: the account has 100 keys that work; code `too_many_keys`.
        ValidationFailedError: the name is empty or too long.
    """
    name = name.strip()
    if not (1 <= len(name) <= 80 and name.isprintable()):
        message = "The name must have 1 to 80 characters."
        raise ValidationFailedError(message, errors={"name": [message]})
    working = (
        select(func.count())
        .select_from(api_keys)
        .where(api_keys.c.account_id == account_id, *_works(now))
    )
    if (await connection.scalar(working) or 0) >= MOST_KEYS:
        raise ConflictError(
            f"The account has {MOST_KEYS} API keys already; revoke one first.",
            code="too_many_keys",
        )
    secret = new_key()
    row = await connection.execute(
        insert(api_keys)
        .values(
            account_id=account_id,
            name=name,
            hint=f"{secret[:7]}…{secret[-4:]}",
            key_hash=hash_key(secret),
            created_at=now,
        )
        .returning(*_COLUMNS)
    )
    return _key_from(row.one()), secret


async def list_keys(connection: Connection, account_id: int) -> list[ApiKey]:
    """All keys of the account, also those that work no more, the oldest first."""
    statement = select(*_COLUMNS).where(api_keys.c.account_id == account_id).order_by(api_keys.c.id)
    return [_key_from(row) for row in await connection.execute(statement)]


async def find_key(connection: Connection, account_id: int, key_id: int) -> ApiKey:
    """A key of the account.

    Raises:
        NotFoundError: it has no such key; code `key_not_found`.
    """
    missing = NotFoundError(f"There is no API key {key_id}.", code="key_not_found")
    if not 0 < key_id <= _LARGEST_ID:
        raise missing
    row = (await connection.execute(select(*_COLUMNS).where(*_is(account_id, key_id)))).first()
    if row is None:
        raise missing
    return _key_from(row)


async def revoke(connection: Connection, account_id: int, key_id: int, now: datetime) -> ApiKey:
    """Make a key invalid from now on. A key revoked before stays as it is.

    Raises:
        NotFoundError: the account has no such key; code `key_not_found`.
    """
    key = await find_key(connection, account_id, key_id)
    await connection.execute(
        update(api_keys)
        .where(*_is(account_id, key.id), api_keys.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    return await find_key(connection, account_id, key_id)


async def rotate(
    connection: Connection,
    account_id: int,
    key_id: int,
    overlap: timedelta,
    now: datetime,
) -> tuple[ApiKey, str]:
    """A new key of the same name, and its secret; the old one still works for `overlap`.

    A key that was rotated before does not get longer to live by being rotated again. `connection`
    must be a transaction's.

    Raises:
        NotFoundError: the account has no such key; code `key_not_found`.
        ConflictError: the key works no more, code `key_not_active`; or `too_many_keys`.
        ValidationFailedError: the overlap is not between 0 and 30 days.
    """
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        message = f"The overlap must be between 0 and {LONGEST_OVERLAP.days} days."
        raise ValidationFailedError(message, errors={"overlap": [message]})
    end = now + overlap
    old = await find_key(connection, account_id, key_id)
    changed = await connection.execute(
        update(api_keys)
        .where(*_is(account_id, key_id), *_works(now))
        .values(expires_at=case((api_keys.c.expires_at < end, api_keys.c.expires_at), else_=end))
    )
    if not changed.rowcount:
        raise ConflictError(
            f"The API key {old.hint} is {old.state(now)}; make a new one instead.",
            code="key_not_active",
        )
    return await issue(connection, account_id, old.name, now)


class LastUsed:
    """When each key was last used: kept in memory, written now and then.

    A write for each request would make the database the limit of everything.
    """

    def __init__(self, now: Callable[[], datetime] = clock.now) -> None:
        self._now = now
        self._used: dict[int, datetime] = {}

    def note(self, key_id: int) -> None:
        """The key is used now."""
        self._used[key_id] = self._now()

    async def flush(self, database: Database) -> None:
        """Write what was noted since the last time. What cannot be written is kept for the next.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: the database does not answer.
        """
        used, self._used = self._used, {}
        if not used:
            return
        try:
            async with database.write() as connection:
                # In one order everywhere, so that two processes never wait for each other.
                await connection.execute(
                    _NOTE, [{"key": key_id, "used": used[key_id]} for key_id in sorted(used)]
                )
        except BaseException:
            self._used = {**used, **self._used}
            raise


_NOTE: Final = (
    update(api_keys)
    .where(
        api_keys.c.id == bindparam("key"),
        or_(api_keys.c.last_used_at.is_(None), api_keys.c.last_used_at < bindparam("used")),
    )
    .values(last_used_at=bindparam("used"))
)


def _is(account_id: int, key_id: int) -> tuple[Any, ...]:
    return api_keys.c.id == key_id, api_keys.c.account_id == account_id


def _works(now: datetime) -> tuple[Any, ...]:
    return (
        api_keys.c.revoked_at.is_(None),
        or_(api_keys.c.expires_at.is_(None), api_keys.c.expires_at > now),
    )


def _key_from(row: Row[Any]) -> ApiKey:
    return ApiKey(**row._mapping)
