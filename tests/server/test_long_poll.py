"""Waiting for an image: woken by the bell, ended by time, the deletion or the client."""

from __future__ import annotations

import asyncio
import socket
import threading
import time

import pytest

from tests.server.answers import failure
from tests.server.pictures import picture
from tests.server.running import Account, RunningServer
from tinyjpg_server.jobs.waiting import Waiting


@pytest.mark.anyio
async def test_the_bell_wakes_who_waits_and_nobody_else() -> None:
    waiting = Waiting()
    looks: list[int] = []

    async def look() -> int:
        looks.append(len(looks))
        return len(looks)

    task = asyncio.create_task(waiting.until(7, look, lambda seen: seen == 2, 60, look_again=60))
    await asyncio.sleep(0)
    assert len(waiting) == 1
    waiting.finished(8)
    await asyncio.sleep(0.01)
    assert len(looks) == 1
    waiting.finished(7)
    assert await task == 2
    assert len(waiting) == 0


@pytest.mark.anyio
async def test_without_a_bell_it_looks_again() -> None:
    looks: list[int] = []

    async def look() -> int:
        looks.append(0)
        return len(looks)

    assert await Waiting().until(7, look, lambda seen: seen == 3, 60, look_again=0.01) == 3


@pytest.mark.anyio
async def test_time_ends_it_and_so_does_cancelling() -> None:
    waiting = Waiting()

    async def look() -> str:
        return "processing"

    assert await waiting.until(7, look, lambda _: False, 0.02) == "processing"
    task = asyncio.create_task(waiting.until(7, look, lambda _: False, 60))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(waiting) == 0


def test_deleting_ends_the_wait(server: RunningServer, account: Account) -> None:
    server.worker.pause()
    try:
        number = server.upload(account, picture()).json()["data"]["image_id"]
        path = f"/api/images/{number}"
        delete = threading.Timer(0.2, lambda: server.client.delete(path, headers=account.headers))
        delete.start()
        answer = server.client.get(f"/api/status/{number}?wait=25", headers=account.headers)
        delete.join()
    finally:
        server.worker.resume()
    failure(answer, 404, "not_found")


def test_a_client_that_goes_away_ends_the_wait(server: RunningServer, account: Account) -> None:
    log = server.settings.data / "server.log"
    server.worker.pause()
    try:
        number = server.upload(account, picture()).json()["data"]["image_id"]
        request = (
            f"GET /api/status/{number}?wait=25 HTTP/1.1\r\nHost: x\r\n"
            f"X-API-Key: {account.key}\r\n\r\n"
        )
        where = (server.settings.host, server.settings.port)
        with socket.create_connection(where) as wire:
            wire.sendall(request.encode())
            time.sleep(0.2)
        deadline = time.monotonic() + 5
        gone = 'status="499"'
        while gone not in server.client.get("/metrics").text:
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
    finally:
        server.worker.resume()
