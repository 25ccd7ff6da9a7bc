"""Accept an image: the reservation, the row and the idempotency key in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final
from weakref import WeakKeyDictionary

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from tinyjpg_server.accounts.caller import Caller
from tinyjpg_server.accounts.plans import Plan
from tinyjpg_server.accounts.quota import Quota
from tinyjpg_server.db.clock import month_of, next_month
from tinyjpg_server.db.connection import Connection
from tinyjpg_server.db.database import Database
from tinyjpg_server.db.group_commit import GroupCommit
from tinyjpg_server.db.tables import accounts, idempotency_keys, images, usage
from tinyjpg_server.db.upsert import insert_for
from tinyjpg_server.errors import (
    ApiError,
    QuotaExceededError,
    UnauthorizedError,
    UnavailableError,
    ValidationFailedError,
)
from tinyjpg_server.jobs.images import IMAGE_COLUMNS, Image, image_from
from tinyjpg_server.jobs.queue import depth

# How long an Idempotency-Key is remembered.
REMEMBERED: Final = timedelta(hours=24)

# Milliseconds by which an image's turn is later for each that its account has in the queue: who
# sends thousands at once keeps nobody waiting who sends a few. More than most images take.
_APART: Final = 10_000

# Seconds after which to try again when the queue is full.
_RETRY_AFTER: Final = 10


@dataclass(frozen=True, slots=True)
class Upload:
    """An image whose original is in the store already.

    Attributes:
        name: 128 random bits, lower case, without an extension.
        format: a value of `tinyjpg.Format`.
        width, height, frames: from the header.
        quality: 1 to 100.
        size, estimated_size: bytes.
    """

    name: str
    format: str
    width: int
    height: int
    frames: int
    quality: int
    size: int
    estimated_size: int


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A client's Idempotency-Key, and SHA-256 (hexadecimal) over the image and the parameters."""

    key: str
    request_hash: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """The answer to an upload.

    Attributes:
        image: the row. Another upload's where `replayed`: then the file just stored is not needed.
        replayed: whether the idempotency key was known; nothing was charged then.
        quota: of the month, this image counted.
    """

    image: Image
    replayed: bool
    quota: Quota


@dataclass(frozen=True, slots=True)
class _Request:
    database: Database
    caller: Caller
    upload: Upload
    now: datetime
    retention: timedelta
    idempotency: IdempotencyKey | None
    queue_limit: int

    @property
    def pot(self) -> tuple[int, str]:
        """What it is charged to: account and month."""
        return self.caller.account_id, month_of(self.now)

    def quota(self, used: int, reserved: int) -> Quota:
        return Quota(self.caller.plan.monthly_quota, used, reserved, next_month(self.now))


@dataclass(frozen=True, slots=True)
class _Taken:
    request: _Request
    turn: int
    quota: Quota


_Answer = Accepted | ApiError
_Group = GroupCommit[_Request, Accepted]
_groups: Final[WeakKeyDictionary[Database, _Group]] = WeakKeyDictionary()


async def accept(
    database: Database,
    caller: Caller,
    upload: Upload,
    now: datetime,
    *,
    retention: timedelta,
    idempotency: IdempotencyKey | None,
    queue_limit: int,
) -> Accepted:
    """Take an image on. When this returns the image is on disk and will be worked on.

    If it is cancelled, the image may be accepted or not: leave its original in the store, the
    purge removes what no row names.

    Args:
        database: where. Calls that run at the same time share a transaction.
        caller: who pays.
        upload: what was stored.
        now: decides the month that is charged.
        retention: after which the files expire.
        idempotency: of the request, if the client sent one.
        queue_limit: images that may wait.

    Raises:
        QuotaExceededError: the plan's images of the month are used up.
        UnauthorizedError: the account was deleted since it was looked up.
        UnavailableError: `queue_limit` images wait; code `queue_full`.
        ValidationFailedError: the idempotency key came with another request before; code
            `idempotency_key_reused`.
    """
    group = _groups.get(database)
    if group is None:
        group = _groups[database] = GroupCommit(_accept_all)
    request = _Request(database, caller, upload, now, retention, idempotency, queue_limit)
    try:
        return await group.submit(request)
    except IntegrityError as error:
        await _check_account(database, caller, error)
        raise


async def _check_account(database: Database, caller: Caller, error: IntegrityError) -> None:
    """Tell who deleted the account while an image for it was sent."""
    async with database.read() as connection:
        here = select(accounts.c.id).where(accounts.c.id == caller.account_id)
        if await connection.scalar(here) is None:
            raise UnauthorizedError("The account of this image was deleted.") from error


async def _accept_all(requests: Sequence[_Request]) -> list[Accepted | Exception]:
    answers: dict[str, _Answer] = {}
    async with requests[0].database.write() as connection:
        waiting = await depth(connection)
        # In this order everywhere, so that two transactions never wait for one another.
        for pot, members in groupby(sorted(requests, key=_pot), key=_pot):
            for distinct in _rounds(list(members)):
                verdicts = await _charge(connection, pot, distinct, waiting)
                answers.update(verdicts)
                waiting += sum(_is_new(answer) for answer in verdicts.values())
    return [answers[request.upload.name] for request in requests]


def _pot(request: _Request) -> tuple[int, str]:
    return request.pot


def _is_new(answer: _Answer) -> bool:
    return isinstance(answer, Accepted) and not answer.replayed


def _rounds(requests: list[_Request]) -> Iterator[list[_Request]]:
    """The requests in lists without two of the same idempotency key, so that the later finds
    what the earlier wrote.
    """
    while requests:
        seen: set[str] = set()
        now: list[_Request] = []
        later: list[_Request] = []
        for request in requests:
            key = request.idempotency.key if request.idempotency else None
            (later if key in seen else now).append(request)
            if key is not None:
                seen.add(key)
        yield now
        requests = later


async def _charge(
    connection: Connection, pot: tuple[int, str], requests: list[_Request], waiting: int
) -> dict[str, _Answer]:
    """Answers by upload name: as many of the requests as the quota and the queue have room for."""
    used, reserved, turn = await _lock_usage(connection, pot)
    known = await _known(connection, pot[0], _keys(requests), requests[0].now)
    answers: dict[str, _Answer] = {}
    accepted: dict[str, _Taken] = {}
    for request in requests:
        name, quota = request.upload.name, request.quota(used, reserved)
        try:
            image = _replayed(known, request.idempotency)
        except ValidationFailedError as error:
            answers[name] = error
            continue
        if image is not None:
            answers[name] = Accepted(image, replayed=True, quota=quota)
        elif quota.remaining == 0:
            answers[name] = quota_exceeded(request.caller.plan, quota)
        elif waiting >= request.queue_limit:
            answers[name] = _queue_full(waiting)
        else:
            turn = _turn(request.now, reserved, turn)
            reserved += 1
            waiting += 1
            accepted[name] = _Taken(request, turn, request.quota(used, reserved))
    if accepted:
        await _reserve(connection, pot, len(accepted), turn)
        for image in await _insert(connection, list(accepted.values())):
            answers[image.name] = Accepted(image, replayed=False, quota=accepted[image.name].quota)
    return answers


def _turn(now: datetime, queued: int, previous: int) -> int:
    """When it is an image's turn whose account has `queued` others in the queue, the last of them
    at `previous`, which it must not overtake.
    """
    arrived = int(now.timestamp() * 1000)
    return max(arrived + queued * _APART, previous) if queued else arrived


def _keys(requests: list[_Request]) -> list[str]:
    return [request.idempotency.key for request in requests if request.idempotency]


async def _lock_usage(connection: Connection, pot: tuple[int, str]) -> tuple[int, int, int]:
    """Used and reserved images and the last turn; nobody else changes them until the transaction
    ends.
    """
    statement = insert_for(connection, usage).values(account_id=pot[0], month=pot[1])
    row = (
        await connection.execute(
            statement.on_conflict_do_update(
                index_elements=[usage.c.account_id, usage.c.month],
                # Changes nothing, but takes the row's lock.
                set_={"reserved": usage.c.reserved},
            ).returning(usage.c.used, usage.c.reserved, usage.c.turn)
        )
    ).one()
    return row.used, row.reserved, row.turn


async def _reserve(connection: Connection, pot: tuple[int, str], count: int, turn: int) -> None:
    await connection.execute(
        update(usage)
        .where(usage.c.account_id == pot[0], usage.c.month == pot[1])
        .values(reserved=usage.c.reserved + count, turn=turn)
    )


async def _insert(connection: Connection, taken: list[_Taken]) -> list[Image]:
    rows = await connection.execute(
        insert(images).returning(*IMAGE_COLUMNS), [_columns(each) for each in taken]
    )
    inserted = [image_from(row) for row in rows]
    keyed = [each.request for each in taken if each.request.idempotency]
    if keyed:
        await _remember(connection, keyed, {image.name: image.id for image in inserted})
    return inserted


def _columns(taken: _Taken) -> dict[str, Any]:
    request = taken.request
    upload = request.upload
    account_id, month = request.pot
    return {
        "account_id": account_id,
        "key_id": request.caller.key_id,
        "name": upload.name,
        "format": upload.format,
        "width": upload.width,
        "height": upload.height,
        "frames": upload.frames,
        "quality": upload.quality,
        "status": "processing",
        "month": month,
        "created_at": request.now,
        "turn": taken.turn,
        "original_size": upload.size,
        "estimated_size": upload.estimated_size,
        "expires_at": request.now + request.retention,
    }


_Known = Mapping[str, tuple[str, Image]]


async def _known(connection: Connection, account_id: int, keys: list[str], now: datetime) -> _Known:
    """Request hash and image by idempotency key, of those of `keys` that are remembered."""
    if not keys:
        return {}
    rows = await connection.execute(
        select(*IMAGE_COLUMNS, idempotency_keys.c.key, idempotency_keys.c.request_hash)
        .join_from(idempotency_keys, images, images.c.id == idempotency_keys.c.image_id)
        .where(
            idempotency_keys.c.account_id == account_id,
            idempotency_keys.c.key.in_(keys),
            idempotency_keys.c.created_at > now - REMEMBERED,
        )
    )
    return {row.key: (row.request_hash, image_from(row[:-2])) for row in rows}


def _replayed(known: _Known, idempotency: IdempotencyKey | None) -> Image | None:
    if idempotency is None or idempotency.key not in known:
        return None
    request_hash, image = known[idempotency.key]
    if request_hash != idempotency.request_hash:
        raise ValidationFailedError(
            "This Idempotency-Key came with another image or other parameters before; "
            "use a new key for a new request.",
            code="idempotency_key_reused",
        )
    return image


async def _remember(
    connection: Connection, requests: list[_Request], image_ids: Mapping[str, int]
) -> None:
    first = requests[0]
    # Only forgotten ones can be there still; were another transaction quicker to write one, the
    # insert fails, and the request finds it on its next try.
    await connection.execute(
        delete(idempotency_keys).where(
            idempotency_keys.c.account_id == first.caller.account_id,
            idempotency_keys.c.key.in_(_keys(requests)),
            idempotency_keys.c.created_at <= first.now - REMEMBERED,
        )
    )
    await connection.execute(
        insert(idempotency_keys),
        [
            {
                "account_id": request.caller.account_id,
                "key": request.idempotency.key,
                "request_hash": request.idempotency.request_hash,
                "image_id": image_ids[request.upload.name],
                "created_at": request.now,
            }
            for request in requests
            if request.idempotency
        ],
    )


def quota_exceeded(plan: Plan, quota: Quota) -> QuotaExceededError:
    """The answer to an upload when the month is used up."""
    return QuotaExceededError(
        f"The {quota.limit} images a month of the {plan.name} plan are used up; "
        f"more from {quota.resets_at:%Y-%m-%d} (UTC), or at once on a larger plan."
    )


def _queue_full(waiting: int) -> UnavailableError:
    return UnavailableError(
        f"{waiting} images are waiting already; try again in {_RETRY_AFTER} seconds.",
        code="queue_full",
        retry_after=_RETRY_AFTER,
    )
