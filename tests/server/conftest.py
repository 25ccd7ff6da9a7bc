"""What tests of the service share: databases, both kinds."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Final

import pytest
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.server.postgresql import database_url, run_admin, why_not
from tests.server.running import Account, RunningServer, running_server
from tinyjpg_server.db import migrate
from tinyjpg_server.db.database import Database
from tinyjpg_server.db.tables import metadata

_KEPT: Final = {"plans"}


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Asynchronous tests run on asyncio."""
    return "asyncio"


@pytest.fixture(scope="session")
def sqlite_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A migrated SQLite database."""
    url = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('database') / 'test.sqlite3'}"
    migrate.upgrade(url)
    return url


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A migrated PostgreSQL database of this test process's own."""
    reason = why_not()
    if reason:
        pytest.skip(reason)
    name = f"tinyjpg_test_{uuid.uuid4().hex[:12]}"
    run_admin(f"CREATE DATABASE {name}")
    try:
        url = database_url(name)
        migrate.upgrade(url)
        yield url
    finally:
        run_admin(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest) -> str:
    """A migrated database, of each kind, maybe with rows of earlier tests."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
async def database(empty_database_url: str) -> AsyncIterator[Database]:
    """An open database of each kind, with the plans and nothing else in it."""
    async with Database(empty_database_url) as opened:
        async with opened.write() as connection:
            await _clear(connection)
        yield opened


async def _clear(connection: AsyncConnection) -> None:
    for table in reversed(metadata.sorted_tables):
        if table.name not in _KEPT:
            await connection.execute(delete(table))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A whole server with a worker, shared by all tests of this test process."""
    with running_server(tmp_path_factory.mktemp("server"), longest_wait=30) as running:
        yield running


@pytest.fixture
def account(server: RunningServer) -> Account:
    """A new account on the server."""
    return server.account()
