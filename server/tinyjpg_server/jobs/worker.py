"""A worker process: claims one image after the other and has each optimised in a child.

Strangers' bytes are decoded in the child of a `tinyjpg.Pool`, which knows no secrets and may die;
this process only reads files, writes files and tells the database.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Coroutine
from contextlib import AsyncExitStack, suppress
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from tinyjpg import Pool
from tinyjpg_server.db import clock
from tinyjpg_server.db.database import Database
from tinyjpg_server.jobs import queue
from tinyjpg_server.jobs.bell import Bell, Listener
from tinyjpg_server.jobs.housekeeping import keep_house
from tinyjpg_server.jobs.work import Tools, work_on
from tinyjpg_server.settings import MEBIBYTE, Settings
from tinyjpg_server.storage.store import open_store

_log = logging.getLogger(__name__)

# Seconds: between looks at the queue without a bell; that the image in work gets when the worker is
# told to stop; that a worker pauses when the storage or the database fails.
_LOOK: Final = 1.0
DRAIN: Final = 30.0
_PAUSE: Final = 3.0


async def run_worker(settings: Settings, name: str, *, drain: float = DRAIN) -> None:
    """Work until SIGTERM or SIGINT; then finish the image in work within `drain` seconds, or
    release it. A second signal releases it at once.

    Args:
        settings: of the service.
        name: which tells this worker from all others on the database, at most 80 characters.
        drain: seconds.
    """
    stop = _Stop()
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(Database(settings.database))
        store = await stack.enter_async_context(open_store(settings))
        pool = stack.enter_context(
            Pool(
                workers=1,
                memory=settings.worker_memory * MEBIBYTE,
                timeout=settings.image_timeout,
            )
        )
        accepted = Bell(settings.data / "run", "accepted")
        tools = Tools(
            settings=settings,
            database=database,
            store=store,
            pool=pool,
            finished=Bell(settings.data / "run", "finished"),
        )
        listener = await stack.enter_async_context(accepted.listener())
        house = asyncio.create_task(keep_house(settings, database, store, accepted))
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.tell)
        _log.info("worker %s is ready", name)
        try:
            await _until_stopped(_work(tools, name, listener, stop), stop, drain)
        finally:
            house.cancel()
            with suppress(asyncio.CancelledError):
                await house


class _Stop:
    """Told once: stop after this image. Told twice: at once."""

    def __init__(self) -> None:
        self.soon = asyncio.Event()
        self.now = asyncio.Event()

    def tell(self) -> None:
        (self.now if self.soon.is_set() else self.soon).set()


async def _until_stopped(work: Coroutine[object, object, None], stop: _Stop, drain: float) -> None:
    task = asyncio.create_task(work)
    told = asyncio.create_task(stop.soon.wait())
    await asyncio.wait((task, told), return_when=asyncio.FIRST_COMPLETED)
    if not task.done():
        at_once = asyncio.create_task(stop.now.wait())
        await asyncio.wait((task, at_once), timeout=drain, return_when=asyncio.FIRST_COMPLETED)
        at_once.cancel()
        task.cancel()
    told.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def _work(tools: Tools, name: str, listener: Listener, stop: _Stop) -> None:
    while not stop.soon.is_set():
        try:
            claim = await queue.claim(
                tools.database, name, tools.lease, tools.settings.attempts, clock.now()
            )
            if claim is None:
                await _hear(listener, stop)
            elif not await work_on(claim, tools):
                await _pause(stop)
        except (SQLAlchemyError, OSError):
            _log.exception("the database failed; it is tried again")
            await _pause(stop)


async def _hear(listener: Listener, stop: _Stop) -> None:
    """Wait for the bell, for the time of the next look or to be stopped."""
    heard = asyncio.create_task(listener.wait(_LOOK))
    told = asyncio.create_task(stop.soon.wait())
    await asyncio.wait((heard, told), return_when=asyncio.FIRST_COMPLETED)
    for task in (heard, told):
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _pause(stop: _Stop) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(_PAUSE):
            await stop.soon.wait()
