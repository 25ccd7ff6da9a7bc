"""Kill parts of the running service at random moments, and see whether anything is lost."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from tests.server.clients import new_client, picture, post
from tests.server.running import RunningServer

# The images come to an end sooner or later, whatever dies.
_PATIENCE: Final = 180.0
_CLIENTS: Final = 4
SETTINGS: Final = {"TINYJPG_LEASE": "2", "TINYJPG_ATTEMPTS": "50"}

Victims = Callable[[RunningServer], list[int]]
# Seconds before the first kill.
_FIRST: Final = 0.2

VICTIMS: Final[dict[str, Victims | None]] = {
    "child": RunningServer.child_pids,
    "worker": RunningServer.worker_pids,
    # All of it, and it is started again.
    "server": None,
}


@dataclass(slots=True)
class Ended:
    """How it ended.

    Attributes:
        kills: how often something was killed.
        outcomes: images by status and reason.
        lost: what was accepted and is not there, or never ended.
        used, pending: of the account.
    """

    kills: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    used: int = 0
    pending: int = 0

    @property
    def faults(self) -> list[str]:
        """What must not be."""
        faults = list(self.lost)
        if self.used != self.outcomes["completed"]:
            faults.append(f"{self.outcomes['completed']} completed, {self.used} charged")
        if self.pending:
            faults.append(f"{self.pending} units are still reserved")
        return faults


def kill_while_working(
    data: Path, victim: str, images: int, *, workers: int = 2, seed: int = 0, pause: float = 0.4
) -> Ended:
    """Upload `images`, each sent again under its Idempotency-Key until it is answered, and kill
    `victim` (of VICTIMS) every `pause` seconds or so until all are finished.

    There are at most as many kills as images: on a busy machine all could be dead again before
    they have begun, for ever.
    """
    ended = Ended()
    server = RunningServer(data, workers=workers, environment=SETTINGS).start()
    stop = threading.Event()
    guard = threading.Lock()
    # Restarts must come back where the clients look.
    restarted = RunningServer(
        data,
        workers=workers,
        environment=SETTINGS,
        key=server.key,
        port=int(server.url.rpartition(":")[2]),
    )
    current = [server]

    def kill() -> None:
        order = random.Random(seed)
        # The first at once, or a quick machine is done before it.
        wait = _FIRST
        while ended.kills < images and not stop.wait(wait):
            wait = pause * order.uniform(0.3, 1.7)
            with guard:
                find = VICTIMS[victim]
                if find is None:
                    current[0].kill()
                    current[0] = restarted.start()
                    ended.kills += 1
                    continue
                pids = find(current[0])
                if pids:
                    with suppress(ProcessLookupError):
                        os.kill(order.choice(pids), signal.SIGKILL)
                        ended.kills += 1

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        with new_client(server, server.key) as client, ThreadPoolExecutor(_CLIENTS) as clients:
            ids = list(clients.map(lambda number: _upload(client, number), range(images)))
            for image_id in ids:
                _await(client, image_id, ended)
        stop.set()
        killer.join()
        with new_client(server, server.key) as client:
            _look(client, ids, ended)
    finally:
        stop.set()
        killer.join()
        current[0].stop()
        current[0].kill()
    if len(set(ids)) != images:
        ended.lost.append(f"{images} uploads got {len(set(ids))} ids")
    return ended


def _upload(client: httpx.Client, number: int) -> int:
    image = picture("png", 300, 200 + number % 50, seed=number)
    answer = _persist(lambda: post(client, image, headers={"Idempotency-Key": f"image-{number}"}))
    return int(answer["image_id"])


def _await(client: httpx.Client, image_id: int, ended: Ended) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        data = _persist(lambda: client.get(f"/api/status/{image_id}", params={"wait": "5"}))
        if data["status"] != "processing":
            return
    ended.lost.append(f"image {image_id} never ended")


def _persist(ask: Callable[[], httpx.Response]) -> dict[str, Any]:
    """The data of the answer, asked for until there is one."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            answer = ask()
            if answer.status_code < 500:
                break
        except httpx.TransportError:
            pass
        assert time.monotonic() < deadline, "the service does not come back"
        time.sleep(0.1)
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def _look(client: httpx.Client, ids: list[int], ended: Ended) -> None:
    for image_id in ids:
        data = _persist(lambda: client.get(f"/api/status/{image_id}"))  # noqa: B023 - called at once
        outcome = data["status"]
        if outcome == "failed":
            outcome = f"failed: {data['error']['code']}"
        ended.outcomes[outcome] += 1
        if data["status"] == "completed":
            file = client.get(data["optimized_url"])
            if file.status_code != 200 or len(file.content) != data["optimized_size"]:
                ended.lost.append(f"the file of image {image_id} is {file.status_code}")
    stats = client.get("/api/v1/stats").json()["data"]
    ended.used, ended.pending = stats["used"], stats["pending"]
