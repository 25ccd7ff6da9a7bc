"""What a connection can do, and one to SQLite that does it without a thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol, TypeVar

from sqlalchemy import CursorResult, Dialect, Executable, ScalarResult
from sqlalchemy.engine import Connection as SyncConnection

T = TypeVar("T")
Rows = CursorResult[*tuple[Any, ...]]


class Connection(Protocol):
    """The part of SQLAlchemy's AsyncConnection that the service uses."""

    @property
    def dialect(self) -> Dialect:
        """Of the database."""

    async def execute(self, statement: Executable, parameters: Any = None, /) -> Rows:
        """Run a statement."""

    async def scalar(self, statement: Executable, parameters: Any = None, /) -> Any:
        """Run it for the first column of the first row."""

    async def scalars(self, statement: Executable, parameters: Any = None, /) -> ScalarResult[Any]:
        """Run it for the first column of all rows."""

    async def run_sync(self, function: Callable[[SyncConnection], T], /) -> T:
        """Call `function` with a connection that is not asynchronous."""


class DirectConnection:
    """Runs statements in the thread that asks.

    A look-up by an index takes SQLite some microseconds; handing it to a thread and back takes
    twenty times as long. Not for statements that write, which may wait for a lock, nor for
    those that read many rows.
    """

    def __init__(self, connection: SyncConnection) -> None:
        self._connection: Final = connection

    @property
    def dialect(self) -> Dialect:
        """Of the database."""
        return self._connection.dialect

    async def execute(self, statement: Executable, parameters: Any = None, /) -> Rows:
        """Run a statement."""
        return self._connection.execute(statement, parameters)

    async def scalar(self, statement: Executable, parameters: Any = None, /) -> Any:
        """Run it for the first column of the first row."""
        return self._connection.scalar(statement, parameters)

    async def scalars(self, statement: Executable, parameters: Any = None, /) -> ScalarResult[Any]:
        """Run it for the first column of all rows."""
        return self._connection.scalars(statement, parameters)

    async def run_sync(self, function: Callable[[SyncConnection], T], /) -> T:
        """Call `function` with the connection itself."""
        return function(self._connection)
