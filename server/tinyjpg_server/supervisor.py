"""Starts the processes of the service, keeps them alive and ends them.

The web server and the workers are processes of their own, which die with this one. The supervisor
itself does nothing that can fail on an image or a request.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import time
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Final
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from sqlalchemy.exc import SQLAlchemyError

from tinyjpg_server.db.database import Database
from tinyjpg_server.jobs import queue, worker
from tinyjpg_server.jobs.bell import Bell
from tinyjpg_server.settings import Settings

_log = logging.getLogger(__name__)

# Seconds: before a dead process is started again; at most, when it dies again and again; that it
# must have lived for the next start to be soon again.
_SOON: Final = 0.1
_LATE: Final = 10.0
_HEALTHY: Final = 5.0
# Seconds beyond the workers' own drain after which processes are killed.
_MARGIN: Final = 5.0
_START: Final = 60.0


@dataclass(frozen=True, slots=True)
class Role:
    """A process to keep alive: its command behind `tinyjpg-server`, and what to do when it died."""

    name: str
    arguments: tuple[str, ...]
    died: Callable[[], Awaitable[None]]


class Supervisor:
    """All processes of one data folder.

    Args:
        settings: which they get through their environment.
        node: what the names of this folder's workers begin with.
        database: open.
    """

    def __init__(self, settings: Settings, node: str, database: Database) -> None:
        self._settings: Final = settings
        self._node: Final = node
        self._database: Final = database
        self._accepted: Final = Bell(settings.data / "run", "accepted")
        self._shared_figures: Final = settings.data / "run" / "metrics"
        self._stopping = asyncio.Event()
        self._processes: dict[str, Process] = {}

    async def run(self, ready: Callable[[], None]) -> None:
        """Serve until SIGTERM or SIGINT; a second one kills what still runs.

        Args:
            ready: is called once requests are answered.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._tell)
        if self._settings.web_processes > 1:
            _empty(self._shared_figures)
        # Of a former run that was killed.
        await self._release(f"{self._node}/")
        keepers = [asyncio.create_task(self._keep(role)) for role in self._roles()]
        announcing = asyncio.create_task(self._announce(ready))
        await self._stopping.wait()
        announcing.cancel()
        with suppress(asyncio.CancelledError):
            await announcing
        _log.info("stopping: requests and images in work are finished first")
        _, late = await asyncio.wait(keepers, timeout=worker.DRAIN + _MARGIN)
        if late:
            _log.warning("some processes do not stop and are killed")
            self._signal_all(signal.SIGKILL)
        await asyncio.gather(*keepers)

    def _roles(self) -> list[Role]:
        roles = [Role("web", ("web",), _nothing)]
        for number in range(self._settings.workers):
            # As wide as every other: the dead are told by what their names begin with.
            name = f"{self._node}/{number:03}"
            roles.append(Role(name, ("worker", "--name", name), self._releasing(name)))
        return roles

    def _releasing(self, name: str) -> Callable[[], Awaitable[None]]:
        async def release() -> None:
            await self._release(name)

        return release

    async def _release(self, workers: str) -> None:
        """Let others have at once what dead workers had claimed."""
        try:
            released = await queue.release_worker(self._database, workers)
        except SQLAlchemyError:
            # The leases run out by themselves.
            _log.exception("the images of dead workers could not be released")
            return
        if released:
            _log.warning("%d images of dead workers %s are queued again", released, workers)
            await self._accepted.ring(0)

    async def _keep(self, role: Role) -> None:
        delay = _SOON
        while not self._stopping.is_set():
            began = time.monotonic()
            ended = await self._live(role)
            if self._stopping.is_set():
                return
            delay = _SOON if time.monotonic() - began > _HEALTHY else min(delay * 2, _LATE)
            _log.error("%s %s; it starts again in %.1f s", role.name, ended, delay)
            with suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._stopping.wait()

    async def _live(self, role: Role) -> str:
        """Start the process and wait for its end; what to say of it."""
        try:
            process = await self._start(role)
        except OSError as error:
            # No memory, or no process number, is free just now.
            return f"cannot be started: {error}"
        self._processes[role.name] = process
        if self._stopping.is_set():
            # It was told while this one started.
            _send(process, signal.SIGTERM)
        status = await process.wait()
        del self._processes[role.name]
        await role.died()
        return f"ended with {status}"

    async def _start(self, role: Role) -> Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tinyjpg_server",
            *role.arguments,
            "--supervisor",
            str(os.getpid()),
            stdin=asyncio.subprocess.DEVNULL,
            env=self._process_environment(),
            # A Ctrl-C in the terminal is this process's to pass on.
            start_new_session=True,
        )

    def _process_environment(self) -> dict[str, str]:
        environment = {**os.environ, **self._settings.environment()}
        if self._settings.web_processes > 1:
            # Each of them then tells the figures of all.
            environment["PROMETHEUS_MULTIPROC_DIR"] = str(self._shared_figures)
        return environment

    def _tell(self) -> None:
        again = self._stopping.is_set()
        self._stopping.set()
        self._signal_all(signal.SIGKILL if again else signal.SIGTERM)

    def _signal_all(self, number: int) -> None:
        for process in self._processes.values():
            _send(process, number)

    async def _announce(self, ready: Callable[[], None]) -> None:
        deadline = time.monotonic() + _START
        url = f"http://{_address(self._settings.host)}:{self._settings.port}/readyz"
        while not await asyncio.to_thread(_answers, url):
            if time.monotonic() > deadline:
                _log.error("the web server does not answer at %s yet", url)
                deadline = time.monotonic() + _START
            await asyncio.sleep(0.1)
        ready()


def _empty(folder: Path) -> None:
    """Make the folder, without files of a former run."""
    folder.mkdir(mode=0o700, exist_ok=True)
    for path in folder.iterdir():
        path.unlink()


async def _nothing() -> None:
    return


def _send(process: Process, number: int) -> None:
    with suppress(ProcessLookupError):
        process.send_signal(number)


def _address(host: str) -> str:
    """Where this machine reaches a server that listens on `host`."""
    local = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104 - compared only
    return f"[{local}]" if ":" in local and not local.startswith("[") else local


def _answers(url: str) -> bool:
    try:
        with build_opener(ProxyHandler({})).open(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (URLError, HTTPException, OSError):
        return False
