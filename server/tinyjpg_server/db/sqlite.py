"""SQLite for SQLAlchemy's asynchronous engine, with few changes of thread or none.

The driver aiosqlite hands every step of every statement to a thread: four times, several hundred
microseconds, for the look-up of one row that takes ten. Here a connection either works in the event
loop's own thread, for short reads, or goes to its thread once a statement. Readers of a database in
WAL mode wait for nobody, so short reads do not hold up the loop.

The classes have what SQLAlchemy's dialect uses of aiosqlite's.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Self, TypeVar

T = TypeVar("T")


class SqliteConnection:
    """A connection; awaiting it opens it.

    Args:
        database: file name.
        threaded: work in a thread of its own; else in the thread that calls.
        options: of `sqlite3.connect`.
    """

    def __init__(self, database: str, *, threaded: bool, **options: Any) -> None:
        self._open: Final = lambda: sqlite3.connect(
            database, **{**options, "check_same_thread": False}
        )
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite") if threaded else None
        # SQLAlchemy looks here for whether it is open.
        self._connection: sqlite3.Connection | None = None

    def __await__(self) -> Generator[Any, None, Self]:
        return self._opened().__await__()

    async def _opened(self) -> Self:
        self._connection = await self.run(self._open)
        return self

    @property
    def opened(self) -> sqlite3.Connection:
        """The driver's connection.

        Raises:
            ValueError: it is closed.
        """
        if self._connection is None:
            # In these words SQLAlchemy takes it for a lost connection.
            raise ValueError("no active connection")
        return self._connection

    async def run(self, work: Callable[[], T]) -> T:
        """What `work` returns, from the thread that this connection works in."""
        if self._thread is None:
            return work()
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def cursor(self) -> SqliteCursor:
        """A new cursor."""
        return SqliteCursor(self)

    async def create_function(self, *arguments: Any, **options: Any) -> None:
        """Make a function known to SQL."""
        await self.run(lambda: self.opened.create_function(*arguments, **options))

    async def commit(self) -> None:
        """Commit, if there is a transaction."""
        if self.opened.in_transaction:
            await self.run(self.opened.commit)

    async def rollback(self) -> None:
        """Roll back, if there is a transaction."""
        if self.opened.in_transaction:
            await self.run(self.opened.rollback)

    async def close(self) -> None:
        """Close; does nothing the second time."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await self.run(connection.close)
        if self._thread is not None:
            self._thread.shutdown(wait=False)

    def stop(self) -> None:
        """Close without waiting, where there is no loop any more."""
        connection, self._connection = self._connection, None
        if self._thread is None:
            if connection is not None:
                connection.close()
            return
        if connection is not None:
            self._thread.submit(connection.close)
        self._thread.shutdown(wait=False)


class SqliteCursor:
    """A cursor that fetches all rows where it executes."""

    arraysize = 1

    def __init__(self, connection: SqliteConnection) -> None:
        self._connection: Final = connection
        self._cursor: Final = connection.opened.cursor()
        self._rows: list[Any] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def description(self) -> Any:
        """The columns, None if there are none."""
        return self._cursor.description

    @property
    def rowcount(self) -> int:
        """Rows changed, -1 if nobody knows."""
        return self._cursor.rowcount

    @property
    def lastrowid(self) -> int | None:
        """Of the row inserted last."""
        return self._cursor.lastrowid

    async def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Self:
        """Run a statement and take its rows."""

        def work() -> list[Any]:
            return self._cursor.execute(statement, parameters).fetchall()

        self._rows = await self._connection.run(work)
        return self

    async def executemany(self, statement: str, several: Sequence[Sequence[Any]]) -> Self:
        """Run a statement for each of several parameters."""
        await self._connection.run(lambda: self._cursor.executemany(statement, several))
        return self

    async def fetchall(self) -> list[Any]:
        """The rows that were not fetched yet."""
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        """Let go of the statement, which is finished already."""
        self._rows = []
        self._cursor.close()
