"""What tests of the service share: databases, both kinds, and clients."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import delete

from tests.server.account_tools import CHEAP, HERE, Connect, log_in, make_user
from tests.server.clients import MakeClient, new_account, new_client
from tests.server.postgresql import new_database, why_not
from tests.server.running import RunningServer
from tinyjpg_server.accounts.users import User, authenticate
from tinyjpg_server.app import create_app
from tinyjpg_server.db import migrate
from tinyjpg_server.db.connection import Connection
from tinyjpg_server.db.database import Database
from tinyjpg_server.db.tables import metadata
from tinyjpg_server.routes import account
from tinyjpg_server.settings import load_settings

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
    with new_database() as url:
        migrate.upgrade(url)
        yield url


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


async def _clear(connection: Connection) -> None:
    for table in reversed(metadata.sorted_tables):
        if table.name not in _KEPT:
            await connection.execute(delete(table))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """The real service with a worker; one for all tests of this process."""
    data = tmp_path_factory.mktemp("service") / "data"
    # All tests come from one address.
    environment = {"TINYJPG_VISITOR_IMAGES": "1000000"}
    with RunningServer(data, workers=1, environment=environment) as running:
        yield running


@pytest.fixture
def client(server: RunningServer) -> Iterator[httpx.Client]:
    """Who has the key of the first account."""
    with new_client(server, server.key) as made:
        yield made


@pytest.fixture
def make_client(server: RunningServer) -> Iterator[MakeClient]:
    """Makes clients with accounts of their own, on the plan that is named."""
    with ExitStack() as stack:

        def make(plan: str = "Free") -> httpx.Client:
            return stack.enter_context(new_client(server, new_account(server, plan).key))

        yield make


@pytest.fixture
async def connect(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Connect]:
    """Opens a browser without cookies; `public_url` starts another application."""
    monkeypatch.setattr(account, "authenticate", partial(authenticate, passwords=CHEAP))
    apps: dict[str | None, FastAPI] = {}
    async with AsyncExitStack() as stack:

        @asynccontextmanager
        async def open_client(
            public_url: str | None = None, address: str = "192.0.2.1"
        ) -> AsyncIterator[httpx.AsyncClient]:
            if public_url not in apps:
                settings = load_settings(
                    data=tmp_path, database_url=database.url, public_url=public_url
                )
                apps[public_url] = app = create_app(settings)
                await stack.enter_async_context(app.router.lifespan_context(app))
            transport = httpx.ASGITransport(apps[public_url], client=(address, 1234))
            async with httpx.AsyncClient(
                transport=transport, base_url=public_url or HERE
            ) as client:
                yield client

        yield open_client


@pytest.fixture
async def user(database: Database) -> User:
    """Ann, on the plan Pro."""
    return await make_user(database, plan="Pro")


@pytest.fixture
async def browser(connect: Connect, user: User) -> AsyncIterator[httpx.AsyncClient]:
    """Logged in as `user`."""
    async with connect() as client:
        assert (await log_in(client, user.email)).status_code == 200
        yield client
