"""Connections: `read` for look-ups, `report` for long reads, `write` for a transaction."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Final, Self

import asyncpg
from sqlalchemy import create_engine, event, make_url
from sqlalchemy.engine import Connection as SyncConnection
from sqlalchemy.engine import Engine
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from tinyjpg_server.db.connection import Connection, DirectConnection
from tinyjpg_server.db.outage import NoAnswerError

# Milliseconds that a SQLite connection waits for the writer of another process.
_BUSY: Final = 20_000
_READERS: Final = 2
# Seconds that PostgreSQL may take to accept a connection.
_CONNECT: Final = 10
# Errors go to the log, and what statements are given are names of images, addresses, hashes.
_HIDDEN: Final = True


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
            self._writer = _sqlite_engine(url, size=1)
            event.listen(self._writer.sync_engine, "begin", _begin_immediate)
            self._reader = _sqlite_engine(url, size=_READERS, isolation_level="AUTOCOMMIT")
            self._direct: Engine | None = _direct_engine(url)
        else:
            self._direct = None
            self._writer = create_async_engine(
                url,
                pool_size=8,
                max_overflow=8,
                pool_pre_ping=True,
                hide_parameters=_HIDDEN,
                connect_args={"async_creator_fn": _connect_to_postgresql, "timeout": _CONNECT},
            )
            self._reader = self._writer.execution_options(isolation_level="AUTOCOMMIT")

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Connection]:
        """A connection for look-ups of a few rows by an index, each of which sees the newest
        committed state. Results must be used within the block.
        """
        if self._direct is not None:
            with self._direct.connect() as direct:
                yield DirectConnection(direct)
            return
        async with self._reader.connect() as connection:
            yield connection

    @asynccontextmanager
    async def report(self) -> AsyncIterator[Connection]:
        """The same for statements that read many rows and may take long."""
        async with self._reader.connect() as connection:
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Connection]:
        """A transaction: committed at the end of the block, rolled back if it raises."""
        async with self._writer.begin() as connection:
            yield connection

    async def close(self) -> None:
        """Close all connections."""
        await self._writer.dispose()
        if self.is_sqlite:
            await self._reader.dispose()
        if self._direct is not None:
            self._direct.dispose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()


async def _connect_to_postgresql(*args: Any, **options: Any) -> asyncpg.Connection:
    """`asyncpg.connect`, whose OSError would pass through SQLAlchemy as it is.

    Raises:
        NoAnswerError: nobody answers; SQLAlchemy makes one of its own errors of it.
    """
    try:
        return await asyncpg.connect(*args, **options)
    except OSError as error:
        raise NoAnswerError(f"the database server does not answer: {error}") from error


def _sqlite_engine(url: str, *, size: int, **options: Any) -> AsyncEngine:
    engine = create_async_engine(
        url,
        pool_size=size,
        max_overflow=0,
        pool_timeout=60,
        hide_parameters=_HIDDEN,
        # The driver must not begin transactions of its own; `begin` below does.
        connect_args={"isolation_level": None},
        **options,
    )
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    return engine


def _direct_engine(url: str) -> Engine:
    engine = create_engine(
        make_url(url).set(drivername="sqlite"),
        poolclass=QueuePool,
        pool_size=_READERS,
        # Waiting for one would stop the event loop.
        max_overflow=-1,
        isolation_level="AUTOCOMMIT",
        hide_parameters=_HIDDEN,
    )
    event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {_BUSY}")
    cursor.execute("PRAGMA journal_mode = WAL")
    # A commit that was answered survives a power cut.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_immediate(connection: SyncConnection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
