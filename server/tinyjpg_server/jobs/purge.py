"""Remove what is over: expired files, forgotten idempotency keys, sessions, counts of visitors,
files without a row.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Table, delete, select, update

from tinyjpg_server.accounts.visitors import forget_visits
from tinyjpg_server.db.database import Database
from tinyjpg_server.db.tables import idempotency_keys, images, sessions
from tinyjpg_server.jobs.images import IMAGE_COLUMNS, Image, image_from
from tinyjpg_server.jobs.intake import REMEMBERED
from tinyjpg_server.storage.store import Store

# Rows or objects at a time.
_BATCH: Final = 500

# A younger object may be an upload whose row is about to be written.
ORPHAN_AGE: Final = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Purged:
    """How many were removed: images' files, objects without an image, keys, sessions, counts."""

    images: int
    orphans: int
    idempotency_keys: int
    sessions: int
    visitors: int


async def purge(database: Database, store: Store, now: datetime) -> Purged:
    """Remove everything that is over. May run in several processes at once.

    Raises:
        StorageError: files could not be deleted; the next purge tries again.
    """
    return Purged(
        images=await purge_expired(database, store, now),
        orphans=await purge_orphans(database, store, now),
        idempotency_keys=await _delete_rows(
            database, idempotency_keys, idempotency_keys.c.created_at <= now - REMEMBERED
        ),
        sessions=await _delete_rows(database, sessions, sessions.c.expires_at <= now),
        visitors=await forget_visits(database, now),
    )


async def purge_expired(database: Database, store: Store, now: datetime) -> int:
    """Delete the files of expired and of deleted images; how many images. The rows stay."""
    removed = 0
    while batch := await _expired(database, now):
        # Files first: were this to break off between the two, the next purge does it again.
        await store.delete([name for image in batch for name in objects_of(image)])
        async with database.write() as connection:
            done = await connection.execute(
                update(images)
                .where(
                    images.c.id.in_([image.id for image in batch]),
                    images.c.files_removed_at.is_(None),
                )
                .values(files_removed_at=now)
            )
            removed += done.rowcount
    return removed


async def _expired(database: Database, now: datetime) -> list[Image]:
    statement = (
        select(*IMAGE_COLUMNS)
        .where(
            images.c.files_removed_at.is_(None),
            images.c.expires_at <= now,
            # Work that waited for too long is done all the same.
            images.c.status != "processing",
        )
        .order_by(images.c.expires_at)
        .limit(_BATCH)
    )
    async with database.report() as connection:
        return [image_from(row) for row in await connection.execute(statement)]


def objects_of(image: Image) -> list[str]:
    """All objects that there may be of an image: each attempt may have left a result."""
    attempts = range(1, image.attempt + 1)
    return [image.original_object, *(image.optimized_object(attempt) for attempt in attempts)]


async def purge_orphans(database: Database, store: Store, now: datetime) -> int:
    """Delete objects that no image needs and that are older than `ORPHAN_AGE`; how many.

    They are left by uploads that were refused or cut off, and by workers that lost their claim.
    """
    removed = 0
    async for names in _batches(store, now - ORPHAN_AGE):
        needed = await _needed(database, {_image_name(name) for name in names})
        orphans = [name for name in names if name not in needed]
        await store.delete(orphans)
        removed += len(orphans)
    return removed


async def _batches(store: Store, before: datetime) -> AsyncIterator[list[str]]:
    for prefix in ("original/", "optimized/"):
        names: list[str] = []
        async for stored in store.list(prefix):
            if stored.modified <= before:
                names.append(stored.name)
            if len(names) >= _BATCH:
                yield names
                names = []
        if names:
            yield names


def _image_name(name: str) -> str:
    return name.split("/")[1].partition(".")[0]


async def _needed(database: Database, names: set[str]) -> set[str]:
    statement = select(*IMAGE_COLUMNS).where(
        images.c.name.in_(names), images.c.files_removed_at.is_(None)
    )
    async with database.report() as connection:
        rows = [image_from(row) for row in await connection.execute(statement)]
    needed: set[str] = set()
    for image in rows:
        if image.status == "processing":
            needed.update(objects_of(image))
        else:
            needed.update((image.original_object, image.result_object or image.original_object))
    return needed


async def _delete_rows(database: Database, table: Table, over: ColumnElement[bool]) -> int:
    async with database.write() as connection:
        return (await connection.execute(delete(table).where(over))).rowcount
