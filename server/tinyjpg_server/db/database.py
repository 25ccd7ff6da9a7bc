"""Connections: `read` for one statement at a time, `write` for a transaction."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from types import TracebackType
from typing import Final, Self

from sqlalchemy import event, make_url
from sqlalchemy.engine import Connection
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from tinyjpg_server.db.sqlite import SqliteConnection

# Milliseconds that a SQLite connection waits for the writer of another process.
_BUSY: Final = 20_000
_READERS: Final = 4
_LONG_READERS: Final = 2


class Database:
    """The database of the service.

    SQLite: WAL; one writing connection a process, so that writers of one process queue in order
    instead of colliding; transactions begin with BEGIN IMMEDIATE, so none fails half-way for a
    lock. PostgreSQL: READ COMMITTED; statements that decide are single UPDATEs with a condition.

    Args:
        url: of SQLAlchemy, with an asynchronous driver.
    """

    def __init__(self, url: str) -> None:
        self.url: Final = url
        self.is_sqlite: Final = make_url(url).get_backend_name() == "sqlite"
        if self.is_sqlite:
            self._writer = _sqlite_engine(url, size=1, threaded=True)
            event.listen(self._writer.sync_engine, "begin", _begin_immediate)
            self._reader = _sqlite_engine(url, size=_READERS, threaded=False)
            self._long_reader = _sqlite_engine(url, size=_LONG_READERS, threaded=True)
        else:
            self._writer = create_async_engine(url, pool_size=8, max_overflow=8, pool_pre_ping=True)
            self._reader = self._writer.execution_options(isolation_level="AUTOCOMMIT")
            self._long_reader = self._reader

    @asynccontextmanager
    async def read(self, *, long: bool = False) -> AsyncIterator[AsyncConnection]:
        """A connection whose statements each see the newest committed state.

        Statements that may look at more than some hundred rows must be read `long`: others run in
        the event loop's own thread on SQLite.
        """
        engine = self._long_reader if long else self._reader
        async with engine.connect() as connection:
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction: committed at the end of the block, rolled back if it raises."""
        async with self._writer.begin() as connection:
            yield connection

    async def close(self) -> None:
        """Close all connections."""
        await self._writer.dispose()
        if self.is_sqlite:
            await self._reader.dispose()
            await self._long_reader.dispose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()


def _sqlite_engine(url: str, *, size: int, threaded: bool) -> AsyncEngine:
    engine = create_async_engine(
        url,
        pool_size=size,
        max_overflow=0,
        pool_timeout=60,
        connect_args={
            # The driver must not begin transactions of its own; `begin` below does.
            "isolation_level": None,
            "async_creator_fn": partial(SqliteConnection, threaded=threaded),
        },
    )
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {_BUSY}")
    cursor.execute("PRAGMA journal_mode = WAL")
    # A commit that was answered survives a power cut.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
