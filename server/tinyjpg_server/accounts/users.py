"""Users: each has one account, with a plan, keys and images."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from tinyjpg_server.accounts.passwords import PASSWORDS, Passwords, check_password
from tinyjpg_server.accounts.plan_requests import close_request
from tinyjpg_server.accounts.plans import PLAN_COLUMNS, Plan, plan_from, plan_named
from tinyjpg_server.accounts.sessions import close_all_sessions
from tinyjpg_server.accounts.visitors import ANONYMOUS
from tinyjpg_server.db.connection import Connection
from tinyjpg_server.db.database import Database
from tinyjpg_server.db.tables import accounts, plans
from tinyjpg_server.errors import (
    ConflictError,
    ForbiddenError,
    NotFoundError,
    UnauthorizedError,
    ValidationFailedError,
)

# RFC 5321 4.5.3.1.3: a path has 256 octets, two of them angle brackets.
_LONGEST_EMAIL: Final = 254

_USER: Final = select(
    accounts.c.id,
    accounts.c.email,
    accounts.c.created_at,
    accounts.c.disabled_at,
    *PLAN_COLUMNS,
).select_from(accounts.join(plans))


@dataclass(frozen=True, slots=True)
class User:
    """A row of `accounts` with its plan, without the password's hash."""

    id: int
    email: str
    plan: Plan
    created_at: datetime
    disabled_at: datetime | None


def normal_email(text: str) -> str:
    """`text` as addresses are stored: in small letters, no space around.

    That somebody reads mail there is not checked.

    Raises:
        ValidationFailedError: it is no address; field `email`.
    """
    email = text.strip().lower()
    local, _, domain = email.rpartition("@")
    if (
        not local
        or not domain
        or len(email) > _LONGEST_EMAIL
        or not email.isprintable()
        or any(character.isspace() for character in email)
    ):
        message = "The email must be an address, as in name@example.com."
        raise ValidationFailedError(message, errors={"email": [message]})
    return email


async def create_user(
    database: Database,
    email: str,
    password: str,
    plan: str,
    now: datetime,
    *,
    passwords: Passwords = PASSWORDS,
) -> User:
    """A new user on the plan called `plan`.

    Raises:
        ValidationFailedError: the address or the password is not accepted.
        NotFoundError: there is no such plan; code `plan_not_found`.
        ConflictError: the address has an account already; code `user_exists`.
    """
    email = normal_email(email)
    check_password(password, email)
    # Before the transaction: hashing is slow, and SQLite has one writer.
    hashed = await passwords.hash(password)
    try:
        async with database.write() as connection:
            chosen = await plan_named(connection, plan)
            await connection.execute(
                insert(accounts).values(
                    email=email, password_hash=hashed, plan_id=chosen.id, created_at=now
                )
            )
            return await find_user(connection, email)
    except IntegrityError as error:
        raise ConflictError(f"there is a user {email} already", code="user_exists") from error


async def find_user(connection: Connection, email: str) -> User:
    """The user with this address.

    Raises:
        ValidationFailedError: it is no address.
        NotFoundError: there is none; code `user_not_found`.
    """
    email = normal_email(email)
    row = (await connection.execute(_USER.where(accounts.c.email == email))).first()
    if row is None:
        raise NotFoundError(f"there is no user {email}", code="user_not_found")
    return _user_from(row)


async def list_users(connection: Connection) -> list[User]:
    """All users, the oldest first; not the account of those who have none."""
    statement = _USER.where(accounts.c.email != ANONYMOUS).order_by(accounts.c.id)
    return [_user_from(row) for row in await connection.execute(statement)]


async def authenticate(
    database: Database, email: str, password: str, *, passwords: Passwords = PASSWORDS
) -> User:
    """The user with this address and password.

    An unknown address takes as long as a wrong password and is answered alike.

    Raises:
        UnauthorizedError: the address or the password is wrong; code `wrong_credentials`.
        ForbiddenError: both are right, but the account is disabled; code `account_disabled`.
        UnavailableError: too many others log in just now.
    """
    user, stored = await _stored_password(database, email)
    verdict = await passwords.verify(stored, password)
    if user is None or not verdict.right:
        raise UnauthorizedError(
            "The email or the password is wrong.",
            code="wrong_credentials",
        )
    if user.disabled_at is not None:
        raise ForbiddenError("This account is disabled.", code="account_disabled")
    if verdict.new_hash is not None:
        async with database.write() as connection:
            # Not over a password that was changed meanwhile.
            await connection.execute(
                update(accounts)
                .where(accounts.c.id == user.id, accounts.c.password_hash == stored)
                .values(password_hash=verdict.new_hash)
            )
    return user


async def change_password(
    database: Database, email: str, password: str, *, passwords: Passwords = PASSWORDS
) -> None:
    """Set another password, and end all sessions of the user. API keys stay.

    Raises:
        ValidationFailedError: the password is not accepted.
        NotFoundError: there is no such user; code `user_not_found`.
    """
    async with database.read() as connection:
        user = await find_user(connection, email)
    check_password(password, user.email)
    hashed = await passwords.hash(password)
    async with database.write() as connection:
        await connection.execute(
            update(accounts).where(accounts.c.id == user.id).values(password_hash=hashed)
        )
        await close_all_sessions(connection, user.id)


async def set_plan(connection: Connection, email: str, plan: str) -> User:
    """Put the user on the plan called `plan`, from the next request on.

    That answers what the user asked for, whatever it was.

    Raises:
        NotFoundError: there is no such user or plan.
    """
    user = await find_user(connection, email)
    chosen = await plan_named(connection, plan)
    await close_request(connection, user.id)
    return await _change(connection, user, plan_id=chosen.id)


async def disable(connection: Connection, email: str, now: datetime) -> User:
    """Refuse the user's keys and log-in from now on, and end all sessions.

    Raises:
        NotFoundError: there is no such user.
    """
    user = await find_user(connection, email)
    await close_all_sessions(connection, user.id)
    return await _change(connection, user, disabled_at=user.disabled_at or now)


async def enable(connection: Connection, email: str) -> User:
    """Undo `disable`; the keys work again.

    Raises:
        NotFoundError: there is no such user.
    """
    user = await find_user(connection, email)
    return await _change(connection, user, disabled_at=None)


async def delete_user(connection: Connection, email: str) -> User:
    """Remove the user with keys, sessions, images and statistics.

    The files are left without an owner, which `jobs.purge` removes.

    Raises:
        NotFoundError: there is no such user.
    """
    user = await find_user(connection, email)
    await connection.execute(delete(accounts).where(accounts.c.id == user.id))
    return user


async def _stored_password(database: Database, email: str) -> tuple[User | None, str | None]:
    try:
        email = normal_email(email)
    except ValidationFailedError:
        return None, None
    statement = _USER.add_columns(accounts.c.password_hash).where(accounts.c.email == email)
    async with database.read() as connection:
        row = (await connection.execute(statement)).first()
    return (None, None) if row is None else (_user_from(row), row.password_hash)


async def _change(connection: Connection, user: User, **values: Any) -> User:
    await connection.execute(update(accounts).where(accounts.c.id == user.id).values(**values))
    return await find_user(connection, user.email)


def _user_from(row: Row[Any]) -> User:
    return User(row.id, row.email, plan_from(row), row.created_at, row.disabled_at)
