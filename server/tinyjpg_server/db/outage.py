"""Whether an error says that the database is out of reach, or that a statement is wrong."""

from __future__ import annotations

import sqlite3
from typing import Final

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

# Classes of SQLSTATE (PostgreSQL's manual, appendix A): connections, resources, the operator (the
# server shuts down or starts up), the system beneath.
_AWAY: Final = frozenset({"08", "53", "57", "58"})
# The low byte of SQLite's codes; the rest says more of it. This one is what is wrong with SQL.
_PRIMARY: Final = 0xFF


class NoAnswerError(asyncpg.InterfaceError):  # type: ignore[misc]  # asyncpg has no types
    """Nobody answers at the database server's address."""


def is_outage(error: BaseException) -> bool:
    """Whether the same request may succeed later, with nothing changed but the database's state.

    SQLAlchemy's classes do not tell: what PostgreSQL says while it stops and starts comes as a bare
    DBAPIError, and InterfaceError and OperationalError are those of wrong statements, too.
    """
    if isinstance(error, PoolTimeoutError | ConnectionError):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    if isinstance(error.orig, sqlite3.OperationalError):
        code: int = getattr(error.orig, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
        return code & _PRIMARY != sqlite3.SQLITE_ERROR
    return _is_away(error.orig.__cause__ if error.orig is not None else None)


def _is_away(error: BaseException | None) -> bool:
    if isinstance(error, asyncpg.PostgresError):
        return (error.sqlstate or "")[:2] in _AWAY
    # The driver's own errors: of these, the internal ones are of a session that the server ended
    # between two messages.
    return isinstance(error, NoAnswerError | asyncpg.InternalClientError)
