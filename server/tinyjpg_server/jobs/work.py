"""The work on one image that a worker has claimed, from reading it to settling it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

import tinyjpg
from tinyjpg import Limits, Options, Pool, Result
from tinyjpg_server.db import clock
from tinyjpg_server.db.database import Database
from tinyjpg_server.errors import (
    OUT_OF_MEMORY,
    TOOK_TOO_LONG,
    Failure,
    NotStoredError,
    StorageError,
    public_failure,
)
from tinyjpg_server.jobs import queue
from tinyjpg_server.jobs.bell import Bell
from tinyjpg_server.jobs.queue import Claim, Outcome
from tinyjpg_server.settings import Settings
from tinyjpg_server.storage.store import Store

_log = logging.getLogger(__name__)

_MISSING: Final = Failure("original_missing", "the uploaded file is gone; upload it again")
# Extensions of a lease within its length: two may be lost.
_BEATS: Final = 3
# Tries, the first included, of an image that took all the memory there is for it.
_TRIES_OF_MEMORY: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What the work needs."""

    settings: Settings
    database: Database
    store: Store
    pool: Pool
    finished: Bell

    @property
    def lease(self) -> timedelta:
        """How long a claim holds without a sign of life."""
        return timedelta(seconds=self.settings.lease)

    @property
    def options(self) -> Options:
        """What one image may cost."""
        settings = self.settings
        return Options(
            limits=Limits(deadline=settings.image_deadline, max_pixels=settings.max_pixels)
        )


async def work_on(claim: Claim, tools: Tools) -> bool:
    """Optimise the image and finish, fail or release it. False if work should pause: no storage.

    Cancelling it releases the image, and the try does not count.

    Raises:
        SQLAlchemyError: the database failed; the lease runs out and another takes the image.
    """
    image = claim.image
    began = time.monotonic()
    work = asyncio.create_task(_optimise(claim, tools))
    try:
        async with _heartbeat(claim, tools, work):
            result = await work
    except asyncio.CancelledError:
        if _told_to_stop():
            await asyncio.shield(queue.release(tools.database, claim, counts=False))
            raise
        _log.info("given up: the image is another's or was deleted", extra={"image_id": image.id})
        return True
    except NotStoredError:
        await _fail(claim, tools, _MISSING)
        return True
    except StorageError:
        # Full or failing: the image is not to blame.
        _log.exception("the storage failed; the image waits", extra={"image_id": image.id})
        await queue.release(tools.database, claim, counts=False)
        return False
    except (tinyjpg.TinyJPGError, MemoryError) as error:
        await _fail_or_retry(claim, tools, error, time.monotonic() - began)
        return True
    await _finish(claim, tools, result, time.monotonic() - began)
    return True


def _told_to_stop() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _optimise(claim: Claim, tools: Tools) -> Result:
    data = await tools.store.get(claim.image.original_object)
    future = tools.pool.submit(data, claim.image.quality, options=tools.options)
    # Cancelling this cancels the future, which kills the child.
    result = await asyncio.wrap_future(future)
    await tools.store.put(claim.image.optimized_object(claim.attempt), result.data)
    return result


@asynccontextmanager
async def _heartbeat(claim: Claim, tools: Tools, work: asyncio.Task[Result]) -> AsyncIterator[None]:
    """Keep the claim while the block runs; cancel `work` when it is lost."""

    async def beat() -> None:
        while True:
            await asyncio.sleep(tools.settings.lease / _BEATS)
            try:
                held = await queue.extend(tools.database, claim, tools.lease, clock.now())
            except SQLAlchemyError:
                _log.exception("a lease could not be extended")
                continue
            if not held:
                work.cancel()
                return

    beating = asyncio.create_task(beat())
    try:
        yield
    finally:
        beating.cancel()


async def _finish(claim: Claim, tools: Tools, result: Result, seconds: float) -> None:
    outcome = Outcome(
        optimized_size=result.output_size,
        score=result.score,
        method=result.method,
        processing_time=round(seconds, 3),
    )
    if not await queue.finish(tools.database, claim, outcome, clock.now()):
        # Lost at the last moment: the file is nobody's.
        await tools.store.delete(claim.image.optimized_object(claim.attempt))
        return
    await tools.finished.ring(claim.image.id)
    _log.info(
        "completed: %d -> %d bytes, score %.2f (%s)",
        claim.image.original_size,
        result.output_size,
        result.score,
        result.method,
        extra={
            "image_id": claim.image.id,
            "account_id": claim.image.account_id,
            "duration_ms": round(seconds * 1000),
        },
    )


async def _fail_or_retry(claim: Claim, tools: Tools, error: Exception, seconds: float) -> None:
    if isinstance(error, tinyjpg.WorkerError) and seconds >= tools.settings.image_timeout:
        # It would take as long again.
        await _fail(claim, tools, TOOK_TOO_LONG)
        return
    failure, tries = public_failure(error), tools.settings.attempts
    if _tells_of_memory(error):
        # The machine may have been short of it, once.
        failure, tries = replace(OUT_OF_MEMORY, retry=True), min(tries, _TRIES_OF_MEMORY)
    if failure.retry and claim.image.tries < tries:
        _log.warning("try %d broke off: %s", claim.image.tries, error, extra=_about(claim))
        await queue.release(tools.database, claim)
        return
    if failure.retry:
        _log.warning("the last try broke off: %s", error, extra=_about(claim))
    await _fail(claim, tools, failure)


def _tells_of_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or (
        isinstance(error, tinyjpg.WorkerError) and "ran out of its memory" in str(error)
    )


async def _fail(claim: Claim, tools: Tools, failure: Failure) -> None:
    if await queue.fail(tools.database, claim, failure, clock.now()):
        _log.info("failed: %s: %s", failure.code, failure.message, extra=_about(claim))
        await tools.finished.ring(claim.image.id)


def _about(claim: Claim) -> dict[str, int]:
    return {"image_id": claim.image.id, "account_id": claim.image.account_id}
