"""Images as rows: found by id and owner, listed, deleted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from tinyjpg_server.accounts.quota import give_back
from tinyjpg_server.db.database import Database
from tinyjpg_server.db.tables import images

EXTENSIONS: Final = {"jpeg": "jpg", "png": "png", "webp": "webp", "gif": "gif"}

DELETED: Final = "deleted"


@dataclass(frozen=True, slots=True)
class Image:
    """A row of `images`; the columns are explained in `db.tables`."""

    id: int
    account_id: int
    key_id: int | None
    name: str
    format: str
    width: int
    height: int
    frames: int
    quality: int
    status: str
    month: str
    created_at: datetime
    original_size: int
    estimated_size: int
    attempt: int
    tries: int
    lease_until: datetime | None
    claimed_by: str | None
    finished_at: datetime | None
    optimized_size: int | None
    result_attempt: int | None
    score: float | None
    method: str | None
    processing_time: float | None
    error_code: str | None
    error_message: str | None
    expires_at: datetime
    deleted_at: datetime | None
    files_removed_at: datetime | None

    @property
    def extension(self) -> str:
        """Of its files, without the dot."""
        return EXTENSIONS[self.format]

    @property
    def file_name(self) -> str:
        """What its URLs end with."""
        return f"{self.name}.{self.extension}"

    @property
    def original_object(self) -> str:
        """The name of the original in the store."""
        return original_object(self.name, self.format)

    def optimized_object(self, attempt: int) -> str:
        """The name in the store of the result of one attempt."""
        return f"optimized/{self.name}/{attempt}.{self.extension}"

    @property
    def result_object(self) -> str | None:
        """The name of the result in the store; None until there is one."""
        return None if self.result_attempt is None else self.optimized_object(self.result_attempt)


_FIELDS: Final = tuple(field.name for field in fields(Image))
IMAGE_COLUMNS: Final = tuple(images.c[name] for name in _FIELDS)


def image_from(row: Sequence[Any]) -> Image:
    """The image in a row of `IMAGE_COLUMNS`, in their order."""
    return Image(*row)


def original_object(name: str, format: str) -> str:
    """The name in the store of an original called `name` of `format`."""
    return f"original/{name}.{EXTENSIONS[format]}"


# Built once: building a statement takes longer than running it.
_OF_ACCOUNT: Final = select(*IMAGE_COLUMNS).where(
    images.c.id == bindparam("image"),
    images.c.account_id == bindparam("account"),
    images.c.deleted_at.is_(None),
)
_BY_NAME: Final = select(*IMAGE_COLUMNS).where(
    images.c.name == bindparam("called"), images.c.deleted_at.is_(None)
)


async def find(connection: AsyncConnection, account_id: int, image_id: int) -> Image | None:
    """The image, if there is one, it is the account's and it is not deleted."""
    return await _one(connection, _OF_ACCOUNT, {"image": image_id, "account": account_id})


async def find_by_name(connection: AsyncConnection, name: str) -> Image | None:
    """The image called `name` (without an extension), unless it is deleted. For files."""
    return await _one(connection, _BY_NAME, {"called": name})


async def _one(
    connection: AsyncConnection, statement: Select[Any], values: dict[str, Any]
) -> Image | None:
    row = (await connection.execute(statement, values)).first()
    return None if row is None else image_from(row)


async def page(
    connection: AsyncConnection,
    account_id: int,
    *,
    limit: int,
    before_id: int | None = None,
    status: str | None = None,
    format: str | None = None,
) -> list[Image]:
    """At most `limit` images of an account, the newest first, of those with an id below
    `before_id`; only those of a status or a format, if given. Deleted ones are left out.
    """
    statement = (
        select(*IMAGE_COLUMNS)
        .where(images.c.account_id == account_id, images.c.deleted_at.is_(None))
        .order_by(images.c.id.desc())
        .limit(limit)
    )
    if before_id is not None:
        statement = statement.where(images.c.id < before_id)
    if status is not None:
        statement = statement.where(images.c.status == status)
    if format is not None:
        statement = statement.where(images.c.format == format)
    return [image_from(row) for row in await connection.execute(statement)]


async def delete(database: Database, account_id: int, image_id: int, now: datetime) -> Image | None:
    """Take an image away from its owner's sight; None if there is none of theirs.

    One still processing fails with code `deleted` and costs nothing; a completed one has cost its
    unit. The files expire at once; the row stays for the statistics.
    """
    mine = (
        images.c.id == image_id,
        images.c.account_id == account_id,
        images.c.deleted_at.is_(None),
    )
    gone = {"deleted_at": now, "expires_at": now}
    async with database.write() as connection:
        row = (
            await connection.execute(
                update(images)
                .where(*mine, images.c.status == "processing")
                .values(
                    **gone,
                    status="failed",
                    finished_at=now,
                    lease_until=None,
                    error_code=DELETED,
                    error_message="the image was deleted before it was optimised",
                )
                .returning(*IMAGE_COLUMNS)
            )
        ).first()
        if row is not None:
            await give_back(connection, {(account_id, row.month): 1})
        else:
            row = (
                await connection.execute(
                    update(images).where(*mine).values(**gone).returning(*IMAGE_COLUMNS)
                )
            ).first()
        return None if row is None else image_from(row)
