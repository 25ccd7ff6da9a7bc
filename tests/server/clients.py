"""Clients of the real service, and what they send."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
import numpy as np
import pyvips
from sqlalchemy import insert

from tests.server.running import RunningServer
from tinyjpg_server.accounts import keys
from tinyjpg_server.accounts.plans import plan_named
from tinyjpg_server.db import clock
from tinyjpg_server.db.connection import Connection
from tinyjpg_server.db.database import Database
from tinyjpg_server.db.tables import accounts

T = TypeVar("T")
MakeClient = Callable[..., httpx.Client]


@dataclass(frozen=True, slots=True)
class Account:
    """An account made for a test."""

    email: str
    key: str
    key_id: int


def new_client(server: RunningServer, key: str) -> httpx.Client:
    """A client that sends `key` with every request."""
    headers = {"X-API-Key": key} if key else {}
    return httpx.Client(base_url=server.url, headers=headers, timeout=90, trust_env=False)


def admin(server: RunningServer, *arguments: str) -> str:
    """What `tinyjpg-server admin ...` prints."""
    command = [sys.executable, "-m", "tinyjpg_server", "admin", "--data", str(server.data)]
    done = subprocess.run(
        [*command, *arguments],
        check=False,
        capture_output=True,
        text=True,
        env=server.environment,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def in_database(server: RunningServer, work: Callable[[Connection], Awaitable[T]]) -> T:
    """What `work` returns, in a transaction beside the running service."""

    async def run() -> T:
        url = f"sqlite+aiosqlite:///{server.data / 'tinyjpg.sqlite3'}"
        async with Database(url) as database, database.write() as connection:
            return await work(connection)

    return asyncio.run(run())


def execute(server: RunningServer, statement: str, *values: object) -> None:
    """Change the running service's database by hand."""
    with closing(sqlite3.connect(server.data / "tinyjpg.sqlite3", timeout=20)) as connection:
        connection.execute(statement, values)
        connection.commit()


def new_account(server: RunningServer, plan: str = "Free") -> Account:
    """A new account with a key."""
    email = f"{uuid.uuid4().hex}@example.com"

    async def make(connection: Connection) -> Account:
        chosen = await plan_named(connection, plan)
        account_id = await connection.scalar(
            insert(accounts)
            .values(email=email, plan_id=chosen.id, created_at=clock.now())
            .returning(accounts.c.id)
        )
        key, secret = await keys.issue(connection, account_id, "test", clock.now())
        return Account(email, secret, key.id)

    return in_database(server, make)


def picture(format: str = "png", width: int = 48, height: int = 40, seed: int = 0) -> bytes:
    """A small picture that can be made smaller; another for every `seed`."""
    generator = np.random.default_rng(seed)
    coarse = generator.integers(0, 255, (height // 8 + 1, width // 8 + 1, 3), dtype=np.uint8)
    pixels = coarse.repeat(8, axis=0).repeat(8, axis=1)[:height, :width]
    image = pyvips.Image.new_from_array(np.ascontiguousarray(pixels), interpretation="srgb")
    options = {"jpg": {"Q": 97}, "png": {"compression": 1}, "webp": {"Q": 97}, "gif": {}}
    data: bytes = image.write_to_buffer(f".{format}", **options[format])
    return data


def upload(client: httpx.Client, image: bytes | None = None, **arguments: Any) -> dict[str, Any]:
    """Have an image accepted; the data of the answer."""
    answer = post(client, image, **arguments)
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def post(
    client: httpx.Client,
    image: bytes | None = None,
    *,
    name: str = "picture.png",
    headers: dict[str, str] | None = None,
    **fields: Any,
) -> httpx.Response:
    """POST /api/optimize."""
    files = {"image": (name, picture() if image is None else image)}
    form = {field: str(value) for field, value in fields.items()}
    return client.post("/api/optimize", files=files, data=form, headers=headers)


def completed(client: httpx.Client, image_id: int) -> dict[str, Any]:
    """The status of an image once it is finished."""
    answer = client.get(f"/api/status/{image_id}", params={"wait": 60})
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    assert data["status"] != "processing"
    return data
