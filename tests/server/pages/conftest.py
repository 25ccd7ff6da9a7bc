"""What tests of the pages share: the application in this process, on both databases, or running.

In this process browsers come from any address, and passwords cost nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from fastapi import FastAPI

from tests.server.account_tools import CHEAP, make_user
from tests.server.pages.visiting import Visit, Visitor
from tests.server.people import Person
from tests.server.running import RunningServer
from tinyjpg_server.accounts.sign_up import sign_up as make_account
from tinyjpg_server.accounts.users import User, authenticate, change_password
from tinyjpg_server.app import create_app
from tinyjpg_server.db.database import Database
from tinyjpg_server.routes.pages import account, log_in, sign_up
from tinyjpg_server.settings import load_settings

HERE: Final = "http://127.0.0.1:8000"


@pytest.fixture
async def visit(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Visit]:
    """Opens a browser without cookies at `address`; other arguments are settings."""
    for module, name, work in (
        (log_in, "authenticate", authenticate),
        (sign_up, "make_account", make_account),
        (account, "change_password", change_password),
    ):
        monkeypatch.setattr(module, name, partial(work, passwords=CHEAP))
    apps: dict[str, FastAPI] = {}
    async with AsyncExitStack() as stack:

        @asynccontextmanager
        async def open_visitor(
            address: str = "192.0.2.1", **settings: Any
        ) -> AsyncIterator[Visitor]:
            key = repr(settings)
            if key not in apps:
                chosen = load_settings(data=tmp_path, database_url=database.url, **settings)
                apps[key] = app = create_app(chosen)
                await stack.enter_async_context(app.router.lifespan_context(app))
            transport = httpx.ASGITransport(apps[key], client=(address, 1234))
            async with httpx.AsyncClient(
                transport=transport,
                base_url=settings.get("public_url", HERE),
                headers={"Accept": "text/html,*/*;q=0.8"},
            ) as client:
                yield Visitor(client, apps[key])

        yield open_visitor


@pytest.fixture
async def user(database: Database) -> User:
    """Ann, whose password is `PASSWORD`."""
    return await make_user(database)


@pytest.fixture
async def ann(visit: Visit, user: User) -> AsyncIterator[Visitor]:
    """Ann's browser, logged in."""
    async with visit() as visitor:
        await visitor.log_in(user.email)
        yield visitor


@pytest.fixture
def visitor(server: RunningServer) -> Iterator[Person]:
    """Somebody who is not logged in."""
    with Person(server) as person:
        yield person


@pytest.fixture(scope="module")
def strict_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A service that takes two images a day of each address, which its proxy tells."""
    environment = {"TINYJPG_VISITOR_IMAGES": "2", "TINYJPG_TRUST_PROXY": "true"}
    data = tmp_path_factory.mktemp("strict") / "data"
    with RunningServer(data, environment=environment) as running:
        yield running
