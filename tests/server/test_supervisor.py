"""The supervisor: whom it starts, and that nothing stops it from starting them again."""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio.subprocess import Process
from pathlib import Path
from typing import Any

import pytest

from tinyjpg_server import supervisor as supervising
from tinyjpg_server.db.database import Database
from tinyjpg_server.settings import load_settings
from tinyjpg_server.supervisor import Role, Supervisor

pytestmark = pytest.mark.anyio


async def started_roles(data: Path, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> list[str]:
    """The names of the processes that a supervisor starts; it is stopped at once."""
    names: list[str] = []

    async def start(_self: Supervisor, role: Role) -> Process:
        names.append(role.name)
        return await asyncio.create_subprocess_exec("sleep", "60")

    monkeypatch.setattr(Supervisor, "_start", start)
    # No server is there to ask.
    monkeypatch.setattr(supervising, "_answers", lambda _url: True)
    chosen = load_settings(data=data, **settings)
    async with Database("postgresql+asyncpg://nobody@127.0.0.1:1/nothing") as database:
        await Supervisor(chosen, "host:folder", database).run(
            lambda: os.kill(os.getpid(), signal.SIGTERM)
        )
    return names


async def test_no_workers_name_begins_with_anothers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = await started_roles(tmp_path, monkeypatch, workers=12)
    assert len(names) == 13
    assert [
        (one, other) for one in names for other in names if one != other and other.startswith(one)
    ] == []


async def test_without_database_it_starts_and_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert await started_roles(tmp_path, monkeypatch, workers=1) == ["web", "host:folder/000"]
    assert "could not be released" in caplog.text


async def test_a_process_that_cannot_be_started_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = 0

    async def start(_self: Supervisor, _role: Role) -> Process:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise BlockingIOError("no process is free")
        os.kill(os.getpid(), signal.SIGTERM)
        return await asyncio.create_subprocess_exec("sleep", "60")

    monkeypatch.setattr(Supervisor, "_start", start)
    monkeypatch.setattr(supervising, "_answers", lambda _url: False)
    async with Database(f"sqlite+aiosqlite:///{tmp_path / 'none.sqlite3'}") as database:
        await Supervisor(load_settings(data=tmp_path, workers=0), "host:folder", database).run(
            lambda: None
        )
    assert tries == 3
