"""A whole server on a free port, for tests over real HTTP."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import insert, select

from tests.server.working import WorkerThread
from tinyjpg_server.accounts import keys
from tinyjpg_server.accounts.plans import add_plan
from tinyjpg_server.db import clock, migrate
from tinyjpg_server.db.database import Database
from tinyjpg_server.db.tables import accounts, plans
from tinyjpg_server.settings import Settings

_STARTING = 30.0


@dataclass(frozen=True, slots=True)
class Account:
    """An account with one key."""

    id: int
    key: str
    key_id: int

    @property
    def headers(self) -> dict[str, str]:
        """What a request of this account has."""
        return {"X-API-Key": self.key}


class RunningServer:
    """A server that runs; `client` speaks to it."""

    def __init__(self, settings: Settings, worker: WorkerThread) -> None:
        self.settings = settings
        self.worker = worker
        self.client = httpx.Client(base_url=settings.base_url, timeout=30)

    def account(self, **plan: Any) -> Account:
        """A new account, on a generous plan unless `plan` says otherwise."""
        return asyncio.run(self._account(plan))

    async def _account(self, changes: dict[str, Any]) -> Account:
        values = {
            "monthly_quota": 10_000,
            "max_upload_bytes": 5_000_000,
            "requests_per_minute": 100_000,
            "price_cents": 900,
            "currency": "USD",
            "offered": False,
            **changes,
        }
        name = f"Test {uuid.uuid4().hex[:12]}"
        async with Database(self.settings.database) as database, database.write() as connection:
            await add_plan(connection, name, **values)
            plan_id = await connection.scalar(select(plans.c.id).where(plans.c.name == name))
            account_id: int = (
                await connection.execute(
                    insert(accounts)
                    .values(
                        email=f"{uuid.uuid4().hex}@example.com",
                        plan_id=plan_id,
                        created_at=clock.now(),
                    )
                    .returning(accounts.c.id)
                )
            ).scalar_one()
            key, secret = await keys.issue(connection, account_id, "test", clock.now())
        return Account(account_id, secret, key.id)

    def run(self, statement: Any) -> None:
        """Change the database behind the server's back."""

        async def execute() -> None:
            async with Database(self.settings.database) as database, database.write() as connection:
                await connection.execute(statement)

        asyncio.run(execute())

    def upload(self, account: Account, image: bytes, **options: Any) -> httpx.Response:
        """POST /api/optimize; `fields`, `headers` and `params` may be given."""
        return self.client.post(
            "/api/optimize",
            files={"image": ("any name.bin", image, "application/octet-stream")},
            data=options.get("fields", {}),
            headers={**account.headers, **options.get("headers", {})},
            params=options.get("params", {}),
        )

    def finished(self, account: Account, image_id: int) -> dict[str, Any]:
        """The data of an image once it is not processing any more."""
        answer = self.client.get(f"/api/status/{image_id}?wait=20", headers=account.headers)
        assert answer.status_code == 200, answer.text
        data: dict[str, Any] = answer.json()["data"]
        assert data["status"] != "processing"
        return data


@contextmanager
def running_server(folder: Path, **settings: Any) -> Iterator[RunningServer]:
    """A server on a free port with its data in `folder`, and a worker."""
    values = {"data": folder, "port": _free_port(), "disk_floor": 0, **settings}
    chosen = Settings(**values)
    migrate.upgrade(chosen.database)
    command = [
        str(Path(sys.executable).with_name("granian")),
        *("--interface", "asgi", "--factory", "--port", str(chosen.port)),
        *("--no-access-log", "--log-level", "warning", "tinyjpg_server.app:create_app"),
    ]
    log = folder / "server.log"
    with log.open("wb") as stream, WorkerThread(chosen) as worker:
        process = subprocess.Popen(
            command, env={**os.environ, **chosen.environment()}, stdout=stream, stderr=stream
        )
        server = RunningServer(chosen, worker)
        try:
            _wait_until_ready(server.client, process, log)
            yield server
        finally:
            server.client.close()
            process.terminate()
            process.wait(30)


def _wait_until_ready(client: httpx.Client, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _STARTING
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if client.get("/readyz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise RuntimeError(f"the server did not start: {log.read_text()}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
