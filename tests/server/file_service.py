"""The routes of image files in the process of the test, with a store in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, Final

import httpx
from fastapi import FastAPI
from sqlalchemy import insert

from tests.server.accounting import make_caller
from tinyjpg_server.db import clock
from tinyjpg_server.db.database import Database
from tinyjpg_server.db.tables import images
from tinyjpg_server.failures import answer_failures, unexpected_failure
from tinyjpg_server.middleware import RequestMiddleware
from tinyjpg_server.routes import files
from tinyjpg_server.storage.store import Store, memory_store

NAME: Final = "0123456789abcdef0123456789abcdef"
ORIGINAL: Final = f"/direct-file/original/{NAME}.jpg"
OPTIMIZED: Final = f"/direct-file/optimized/{NAME}.jpg"
CONTENT: Final = bytes(range(256)) * 4
RESULT: Final = b"smaller"


@dataclass(frozen=True)
class Service:
    """The routes of files behind the middleware, and what they stand on."""

    database: Database
    store: Store
    client: httpx.AsyncClient

    async def add(self, **changes: Any) -> None:
        """A completed JPEG, with both files; `changes` are columns."""
        caller = await make_caller(self.database)
        now = clock.now()
        row: dict[str, Any] = {
            "account_id": caller.account_id,
            "name": NAME,
            "format": "jpeg",
            "width": 1,
            "height": 1,
            "frames": 1,
            "quality": 80,
            "status": "completed",
            "month": "2026-11",
            "created_at": now,
            "original_size": len(CONTENT),
            "estimated_size": 1,
            "result_attempt": 2,
            "expires_at": now + timedelta(days=7),
            **changes,
        }
        async with self.database.write() as connection:
            await connection.execute(insert(images).values(row))
        extension = {"jpeg": "jpg"}.get(row["format"], row["format"])
        await self.store.put(f"original/{row['name']}.{extension}", CONTENT)
        if row["result_attempt"] is not None:
            await self.store.put(
                f"optimized/{row['name']}/{row['result_attempt']}.{extension}", RESULT
            )

    async def get(self, url: str = ORIGINAL, /, **headers: str) -> httpx.Response:
        """GET; `headers` are named with underscores."""
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.get(url, headers=names)


def application(database: Database, store: Store) -> FastAPI:
    """The routes of files behind the middleware."""
    app = FastAPI(redirect_slashes=False)
    app.include_router(files.router)
    answer_failures(app)
    app.add_middleware(RequestMiddleware, observe=lambda *_: None, unexpected=unexpected_failure)
    app.state.services = SimpleNamespace(database=database, store=store)
    return app


@asynccontextmanager
async def file_service(database: Database) -> AsyncIterator[Service]:
    """The service, on a store in memory."""
    async with memory_store() as store:
        transport = httpx.ASGITransport(application(database, store))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            yield Service(database, store, client)


def assert_refused(answer: httpx.Response, status: int, code: str) -> None:
    """The answer must be this refusal, in the envelope."""
    body = answer.json()
    assert (answer.status_code, body["success"], body["code"]) == (status, False, code)
    assert body["message"]
    assert body["errors"] == {}
    assert answer.headers["content-type"] == "application/json"
