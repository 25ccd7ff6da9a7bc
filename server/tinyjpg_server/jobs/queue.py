"""The queue: rows of `images` that are `processing`. Every change is one transaction.

A claim is the pair of an image and its attempt. It holds while the row says so: same attempt,
still processing, still leased. Whoever lost it (the lease expired and the image was given on, or
the image was deleted) can change nothing: all functions that take a claim answer False then.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Select, Update, func, literal_column, select, update

from tinyjpg_server.accounts.quota import give_back, settle
from tinyjpg_server.db.connection import Connection
from tinyjpg_server.db.database import Database
from tinyjpg_server.db.tables import images
from tinyjpg_server.errors import Failure
from tinyjpg_server.jobs.estimate import record_savings
from tinyjpg_server.jobs.images import IMAGE_COLUMNS, Image, image_from

WORKER_FAILED: Final = Failure(
    "worker_failed", "the image could not be optimised: the work on it broke off every time"
)
_LONGEST_METHOD: Final = 200
_LONGEST_MESSAGE: Final = 500

# A literal, as in the partial index, which a parameter may not match.
_PROCESSING: Final = images.c.status == literal_column("'processing'")
# As ix_images_waiting is.
_INDEXED: Final = (images.c.lease_until, images.c.turn, images.c.id)
_WAITING: Final[dict[str, Any]] = {"lease_until": None, "claimed_by": None}

# Of one transaction of `sweep`.
_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to finish `image`. `attempt` tells it from every other claim of the image."""

    image: Image
    attempt: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an image: sizes in bytes, `processing_time` in seconds."""

    optimized_size: int
    score: float | None
    method: str
    processing_time: float


@dataclass(frozen=True, slots=True)
class Swept:
    """How many images got another try, and how many failed."""

    requeued: int
    failed: int


async def claim(
    database: Database, worker: str, lease: timedelta, attempts: int, now: datetime
) -> Claim | None:
    """The image whose turn it is, for `worker` until `now + lease`; None if none waits.

    Images tried `attempts` times are left to `sweep`.
    """
    statement = (
        update(images)
        .where(
            images.c.id == next_waiting(attempts).scalar_subquery(),
            _PROCESSING,
            images.c.lease_until.is_(None),
        )
        .values(
            attempt=images.c.attempt + 1,
            tries=images.c.tries + 1,
            lease_until=now + lease,
            claimed_by=worker,
        )
        .returning(*IMAGE_COLUMNS)
    )
    async with database.write() as connection:
        row = (await connection.execute(statement)).first()
    if row is None:
        return None
    image = image_from(row)
    return Claim(image, image.attempt)


def next_waiting(attempts: int) -> Select[Any]:
    """The id of the image whose turn it is, of those tried less than `attempts` times.

    Of each account the oldest waiting image is first, and those of an account that sent many at
    once stand between others' (`intake`).
    """
    return (
        select(images.c.id)
        .where(_PROCESSING, images.c.lease_until.is_(None), images.c.tries < attempts)
        # All have the same lease_until.
        .order_by(*_INDEXED)
        .limit(1)
        # PostgreSQL: no two workers wait for the same row. SQLite has one writer at a time.
        .with_for_update(skip_locked=True)
    )


async def extend(database: Database, claim: Claim, lease: timedelta, now: datetime) -> bool:
    """Keep a claim until `now + lease`; False if it is lost."""
    return await _change(database, _held(claim).values(lease_until=now + lease))


async def finish(database: Database, claim: Claim, outcome: Outcome, now: datetime) -> bool:
    """The image is completed and costs its unit, of the month it was accepted in.

    False if the claim is lost: then nothing changed, and the result should be removed.
    """
    statement = (
        _held(claim)
        .values(
            status="completed",
            finished_at=now,
            lease_until=None,
            optimized_size=outcome.optimized_size,
            result_attempt=claim.attempt,
            score=outcome.score,
            method=outcome.method[:_LONGEST_METHOD],
            processing_time=outcome.processing_time,
        )
        .returning(images.c.account_id, images.c.month)
    )
    async with database.write() as connection:
        row = (await connection.execute(statement)).first()
        if row is None:
            return False
        await settle(connection, row.account_id, row.month)
        await record_savings(connection, claim.image, outcome.optimized_size)
    return True


async def fail(database: Database, claim: Claim, failure: Failure, now: datetime) -> bool:
    """The image failed for good and costs nothing; False if the claim is lost."""
    statement = (
        _held(claim).values(**_failed(failure, now)).returning(images.c.account_id, images.c.month)
    )
    async with database.write() as connection:
        row = (await connection.execute(statement)).first()
        if row is None:
            return False
        await give_back(connection, {(row.account_id, row.month): 1})
    return True


async def release(database: Database, claim: Claim, *, counts: bool = True) -> bool:
    """Give a claim up, so that another worker takes the image at once; False if it is lost.

    Args:
        counts: False where the image is not to blame (the worker was told to stop): the try does
            not count towards `attempts`.
    """
    return await _change(
        database, _held(claim).values(**_WAITING, tries=images.c.tries - int(not counts))
    )


async def release_worker(database: Database, worker_prefix: str) -> int:
    """Release all claims of workers whose names begin with `worker_prefix`, which are dead; their
    number. The tries count: the image may be what killed them.
    """
    statement = (
        update(images)
        .where(
            _PROCESSING,
            images.c.lease_until.is_not(None),
            images.c.claimed_by.startswith(worker_prefix, autoescape=True),
        )
        .values(**_WAITING)
    )
    async with database.write() as connection:
        return (await connection.execute(statement)).rowcount


async def sweep(database: Database, attempts: int, now: datetime) -> Swept:
    """Requeue images whose lease is over; fail those tried `attempts` times."""
    swept = Swept(0, 0)
    # Most sweeps find nothing, and should not keep writers waiting for that.
    while await _lost(database, attempts, now):
        batch = await _sweep(database, attempts, now)
        swept = Swept(swept.requeued + batch.requeued, swept.failed + batch.failed)
        if batch == Swept(0, 0):
            # Another sweep has them.
            break
    return swept


async def _lost(database: Database, attempts: int, now: datetime) -> bool:
    async with database.read() as connection:
        for statement in _lost_ones(attempts, now):
            if await connection.scalar(statement.limit(1)) is not None:
                return True
    return False


def _lost_ones(attempts: int, now: datetime) -> tuple[Select[Any], Select[Any]]:
    """Ids of images whose lease is over, and of those that nobody may claim any more.

    Two statements: of both conditions together SQLite makes a scan of the whole table.
    """
    lost = select(images.c.id).where(_PROCESSING).order_by(*_INDEXED)
    return (
        lost.where(images.c.lease_until <= now),
        lost.where(images.c.lease_until.is_(None), images.c.tries >= attempts),
    )


async def _sweep(database: Database, attempts: int, now: datetime) -> Swept:
    async with database.write() as connection:
        ids: list[int] = []
        for statement in _lost_ones(attempts, now):
            ids += await connection.scalars(
                statement.limit(_BATCH).with_for_update(skip_locked=True)
            )
        rows = await connection.execute(
            update(images)
            .where(images.c.id.in_(ids), images.c.tries >= attempts)
            .values(**_failed(WORKER_FAILED, now))
            .returning(images.c.account_id, images.c.month)
        )
        failed = Counter((row.account_id, row.month) for row in rows)
        requeued = await connection.execute(
            update(images).where(images.c.id.in_(ids), _PROCESSING).values(**_WAITING)
        )
        await give_back(connection, failed)
        return Swept(requeued.rowcount, failed.total())


async def depth(connection: Connection) -> int:
    """How many images wait for a worker."""
    statement = (
        select(func.count()).select_from(images).where(_PROCESSING, images.c.lease_until.is_(None))
    )
    return await connection.scalar(statement) or 0


def _failed(failure: Failure, now: datetime) -> dict[str, Any]:
    return {
        "status": "failed",
        "finished_at": now,
        "lease_until": None,
        "error_code": failure.code,
        "error_message": failure.message[:_LONGEST_MESSAGE],
    }


def _held(claim: Claim) -> Update:
    return update(images).where(
        images.c.id == claim.image.id,
        images.c.attempt == claim.attempt,
        images.c.lease_until.is_not(None),
        _PROCESSING,
    )


async def _change(database: Database, statement: Update) -> bool:
    async with database.write() as connection:
        return (await connection.execute(statement)).rowcount == 1
