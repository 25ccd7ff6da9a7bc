"""The bell is heard across processes, and nobody waits for who does not listen."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tinyjpg_server.jobs.bell import Bell

pytestmark = pytest.mark.anyio


async def test_all_who_listen_hear_every_ring(tmp_path: Path) -> None:
    bell = Bell(tmp_path, "accepted")
    async with bell.listener() as one, bell.listener() as another:
        await bell.ring(1)
        await bell.ring(2**40)
        for listener in (one, another):
            assert await listener.wait(5) == {1, 2**40}


async def test_who_waits_is_woken(tmp_path: Path) -> None:
    bell = Bell(tmp_path, "accepted")
    async with bell.listener() as listener:
        waiting = asyncio.create_task(listener.wait(30))
        await asyncio.sleep(0.05)
        await bell.ring(7)
        assert await asyncio.wait_for(waiting, 5) == {7}


async def test_topics_are_apart_and_silence_ends(tmp_path: Path) -> None:
    async with Bell(tmp_path, "accepted").listener() as listener:
        await Bell(tmp_path, "finished").ring(7)
        assert await listener.wait(0.05) == set()


async def test_another_process_is_heard(tmp_path: Path) -> None:
    ring = (
        "import asyncio, pathlib, sys; from tinyjpg_server.jobs.bell import Bell; "
        "asyncio.run(Bell(pathlib.Path(sys.argv[1]), 'accepted').ring(5))"
    )
    async with Bell(tmp_path, "accepted").listener() as listener:
        await asyncio.to_thread(
            subprocess.run, [sys.executable, "-c", ring, str(tmp_path)], check=True
        )
        assert await listener.wait(5) == {5}


async def test_a_dead_listener_is_removed_and_no_error(tmp_path: Path) -> None:
    bell = Bell(tmp_path, "accepted")
    await bell.ring(1)
    folder = tmp_path / "accepted"
    async with bell.listener():
        (living,) = folder.iterdir()
        dead = folder / "1-dead"
        os.mkfifo(dead)
        await bell.ring(1)
        assert list(folder.iterdir()) == [living]
    assert list(folder.iterdir()) == []


async def test_a_listener_who_sleeps_holds_nobody_up(tmp_path: Path) -> None:
    bell = Bell(tmp_path, "accepted")
    async with bell.listener() as listener:
        for image_id in range(20_000):
            await bell.ring(image_id)
        assert {0, 1, 2} <= await listener.wait(1)
