"""What tests of the queue share: accounts, uploads, and the check that the accounts are right."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import insert, select

from tinyjpg_server.accounts.caller import Caller
from tinyjpg_server.accounts.plans import plan_named
from tinyjpg_server.db.database import Database
from tinyjpg_server.db.tables import accounts, images, usage
from tinyjpg_server.jobs.intake import Accepted, IdempotencyKey, Upload, accept
from tinyjpg_server.jobs.queue import Claim, Outcome, claim

NOON: Final = datetime(2026, 11, 25, 12, tzinfo=UTC)
LEASE: Final = timedelta(seconds=30)
ATTEMPTS: Final = 3
WEEK: Final = timedelta(days=7)
OUTCOME: Final = Outcome(optimized_size=400, score=81.5, method="mozjpeg", processing_time=0.25)


async def make_caller(database: Database, *, quota: int = 100, email: str = "") -> Caller:
    """A new account, on a plan of `quota` images a month."""
    email = email or f"{secrets.token_hex(6)}@example.com"
    async with database.write() as connection:
        plan = await plan_named(connection, "Free")
        account_id = await connection.scalar(
            insert(accounts)
            .values(email=email, plan_id=plan.id, created_at=NOON)
            .returning(accounts.c.id)
        )
    assert account_id is not None
    return Caller(account_id, email, replace(plan, monthly_quota=quota), key_id=None)


def make_upload(**changes: Any) -> Upload:
    """An upload of 1,000 bytes under a new name."""
    upload = Upload(
        name=secrets.token_hex(16),
        format="jpeg",
        width=100,
        height=80,
        frames=1,
        quality=80,
        size=1000,
        estimated_size=500,
    )
    return replace(upload, **changes)


async def take(
    database: Database,
    caller: Caller,
    upload: Upload | None = None,
    *,
    now: datetime = NOON,
    key: IdempotencyKey | None = None,
    queue_limit: int = 10_000,
) -> Accepted:
    """Accept an upload with ordinary settings."""
    return await accept(
        database,
        caller,
        upload or make_upload(),
        now,
        retention=WEEK,
        idempotency=key,
        queue_limit=queue_limit,
    )


async def grab(database: Database, worker: str = "worker", now: datetime = NOON) -> Claim:
    """Claim an image that must be there."""
    claimed = await claim(database, worker, LEASE, ATTEMPTS, now)
    assert claimed is not None
    return claimed


async def usage_rows(database: Database) -> dict[tuple[int, str], tuple[int, int]]:
    """Used and reserved images by account and month, where either is not 0."""
    async with database.read() as connection:
        rows = await connection.execute(
            select(usage.c.account_id, usage.c.month, usage.c.used, usage.c.reserved)
        )
        return {
            (row.account_id, row.month): (row.used, row.reserved)
            for row in rows
            if row.used or row.reserved
        }


async def assert_balanced(database: Database) -> None:
    """`used` and `reserved` are what the images say: completed ones, and those in processing."""
    async with database.read() as connection:
        rows: Sequence[Any] = (
            await connection.execute(select(images.c.account_id, images.c.month, images.c.status))
        ).all()
    completed = Counter((row[0], row[1]) for row in rows if row.status == "completed")
    processing = Counter((row[0], row[1]) for row in rows if row.status == "processing")
    expected = {pot: (completed[pot], processing[pot]) for pot in completed | processing}
    assert await usage_rows(database) == expected
