"""A worker in a thread: real claims, real children, for servers under test."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta
from typing import Self

import tinyjpg
from tinyjpg_server.db import clock
from tinyjpg_server.db.database import Database
from tinyjpg_server.errors import public_failure
from tinyjpg_server.jobs import queue
from tinyjpg_server.jobs.bell import Bell
from tinyjpg_server.settings import Settings
from tinyjpg_server.storage.store import Store, open_store


class WorkerThread:
    """Works on the images of a server from the beginning of the block to its end."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stop = threading.Event()
        self._resumed = threading.Event()
        self._resumed.set()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._work()))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def pause(self) -> None:
        """Claim nothing until `resume`."""
        self._resumed.clear()

    def resume(self) -> None:
        """Claim again."""
        self._resumed.set()

    async def _work(self) -> None:
        finished = Bell(self._settings.data / "run", "finished")
        with tinyjpg.Pool(workers=1, timeout=60) as pool:
            async with (
                Database(self._settings.database) as database,
                open_store(self._settings) as store,
            ):
                while not self._stop.is_set():
                    claim = None
                    if self._resumed.is_set():
                        claim = await queue.claim(
                            database, "test", timedelta(seconds=60), 3, clock.now()
                        )
                    if claim is None:
                        await asyncio.sleep(0.02)
                        continue
                    await _optimize(database, store, pool, claim)
                    await finished.ring(claim.image.id)
        finished.close()


async def _optimize(
    database: Database, store: Store, pool: tinyjpg.Pool, claim: queue.Claim
) -> None:
    image = claim.image
    data = await store.get(image.original_object)
    try:
        result = await asyncio.to_thread(pool.optimize, data, image.quality)
    except tinyjpg.TinyJPGError as error:
        await queue.fail(database, claim, public_failure(error), clock.now())
        return
    await store.put(image.optimized_object(claim.attempt), result.data)
    outcome = queue.Outcome(len(result.data), result.score, result.method, result.elapsed)
    await queue.finish(database, claim, outcome, clock.now())
