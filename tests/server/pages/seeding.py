"""Rows of images, without the work on them, and the account that visitors share."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert

from tinyjpg_server.accounts.plans import plan_named
from tinyjpg_server.accounts.visitors import ANONYMOUS
from tinyjpg_server.db import clock
from tinyjpg_server.db.connection import Connection
from tinyjpg_server.db.database import Database
from tinyjpg_server.db.tables import accounts, images
from tinyjpg_server.jobs.images import IMAGE_COLUMNS, Image, image_from


async def add_image(
    connection: Connection, account_id: int, now: datetime | None = None, **values: Any
) -> Image:
    """A completed JPEG of now, or another with `values`; its files are not there."""
    now = now or clock.now()
    completed = {
        "finished_at": now,
        "optimized_size": 400_000,
        "result_attempt": 1,
        "attempt": 1,
        "score": 80.2,
        "method": "encoded at 5.66, 4:2:0",
        "processing_time": 0.5,
    }
    row = {
        "account_id": account_id,
        "name": secrets.token_hex(16),
        "format": "jpeg",
        "width": 1600,
        "height": 1200,
        "frames": 1,
        "quality": 80,
        "status": "completed",
        "month": clock.month_of(now),
        "created_at": now,
        "original_size": 1_000_000,
        "estimated_size": 500_000,
        "expires_at": now + timedelta(days=7),
        **(completed if values.get("status", "completed") == "completed" else {}),
        **values,
    }
    made = await connection.execute(insert(images).values(row).returning(*IMAGE_COLUMNS))
    return image_from(tuple(made.one()))


async def restore_anonymous(database: Database) -> None:
    """The account as the migration makes it; the fixture empties all tables but plans."""
    async with database.write() as connection:
        plan = await plan_named(connection, "Anonymous")
        await connection.execute(
            insert(accounts).values(email=ANONYMOUS, plan_id=plan.id, created_at=clock.now())
        )
