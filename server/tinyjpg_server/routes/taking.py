"""Take an image on, for the API and for the pages: one that is sent, or one that is stored."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response

from tinyjpg_server.accounts.caller import Caller
from tinyjpg_server.db import clock
from tinyjpg_server.errors import (
    ApiError,
    FieldErrors,
    NotFoundError,
    NotStoredError,
    PayloadTooLargeError,
    StorageFullError,
)
from tinyjpg_server.jobs import intake
from tinyjpg_server.jobs.estimate import Facts, estimate
from tinyjpg_server.jobs.images import Image, original_object
from tinyjpg_server.middleware import facts_of
from tinyjpg_server.services import Services
from tinyjpg_server.storage.disk import storage_full
from tinyjpg_server.uploads import (
    Received,
    UploadLimits,
    check_declared_size,
    discard_rest,
    receive_upload,
)

# Stores an original under the name that it is given.
_Put = Callable[[str], Awaitable[None]]


class UploadFields(Protocol):
    """The fields of a form beside its image."""

    @property
    def quality(self) -> int:
        """Asked for, once the fields are read."""

    def read(self, form: Mapping[str, str]) -> FieldErrors:
        """Take the values over, and say what is wrong with them."""


@dataclass(frozen=True, slots=True)
class Taken:
    """An upload that was accepted; `file_name` is what the client calls it, or empty."""

    accepted: intake.Accepted
    file_name: str


async def take_upload(
    request: Request,
    services: Services,
    caller: Caller,
    fields: UploadFields,
    repeat_key: str | None = None,
) -> Taken:
    """Receive the image in the body of `request`, and take it on at the expense of `caller`.

    Raises:
        ApiError: it is refused; answer with `refused`.
    """
    max_bytes = caller.plan.max_upload_bytes
    check_declared_size(request, max_bytes)
    services.disk.check()
    settings = services.settings
    limits = UploadLimits(max_bytes, settings.max_pixels, settings.upload_timeout)
    async with receive_upload(request, services.incoming, limits, fields.read) as received:
        header = received.header
        facts = Facts(
            header.format.value,
            header.width,
            header.height,
            header.frames,
            received.size,
            fields.quality,
        )
        accepted = await _take_on(
            request,
            services,
            caller,
            facts,
            put=lambda name: services.store.put_file(name, received.path),
            repeat=_repeat(repeat_key, received, fields.quality),
        )
        return Taken(accepted, received.file_name)


async def take_again(
    request: Request, services: Services, caller: Caller, image: Image, quality: int
) -> intake.Accepted:
    """Take the original of `image` on anew, as if `caller` had sent it at another quality.

    Raises:
        NotFoundError: its file is gone; code `expired`.
        ApiError: it is refused.
    """
    if image.original_size > caller.plan.max_upload_bytes:
        raise PayloadTooLargeError(
            f"The image is larger than the {caller.plan.max_upload_bytes:,} bytes that your plan "
            "allows."
        )
    services.disk.check()
    facts = Facts(
        image.format, image.width, image.height, image.frames, image.original_size, quality
    )
    try:
        return await _take_on(
            request,
            services,
            caller,
            facts,
            put=lambda name: services.store.copy(image.original_object, name),
        )
    except NotStoredError as error:
        raise file_expired() from error


def refused(request: Request, services: Services, error: ApiError, answer: Response) -> Response:
    """`answer` to an upload that was refused, which takes what the client still sends."""
    services.metrics.upload_refused(error.code)
    answer.background = BackgroundTask(discard_rest, request)
    return answer


def file_expired() -> NotFoundError:
    """The answer where the files of an image are gone."""
    return NotFoundError("The file has expired and was deleted.", code="expired")


async def _take_on(
    request: Request,
    services: Services,
    caller: Caller,
    facts: Facts,
    *,
    put: _Put,
    repeat: intake.IdempotencyKey | None = None,
) -> intake.Accepted:
    try:
        accepted = await _accept(services, caller, facts, put, repeat)
    except StorageFullError as error:
        raise storage_full() from error
    facts_of(request).image_id = accepted.image.id
    if not accepted.replayed:
        services.metrics.upload_accepted(accepted.image.original_size)
        await services.accepted.ring(accepted.image.id)
    return accepted


async def _accept(
    services: Services,
    caller: Caller,
    facts: Facts,
    put: _Put,
    repeat: intake.IdempotencyKey | None,
) -> intake.Accepted:
    settings = services.settings
    now = clock.now()
    async with services.database.read() as connection:
        expected = await estimate(connection, facts)
    upload = intake.Upload(
        name=secrets.token_hex(16),
        format=facts.format,
        width=facts.width,
        height=facts.height,
        frames=facts.frames,
        quality=facts.quality,
        size=facts.size,
        estimated_size=expected,
    )
    original = original_object(upload.name, upload.format)
    await put(original)
    try:
        accepted = await intake.accept(
            services.database,
            caller,
            upload,
            now,
            retention=timedelta(days=settings.retention_days),
            idempotency=repeat,
            queue_limit=settings.queue_limit,
        )
    except ApiError:
        # Certainly not accepted. After other errors it may be: then the purge decides.
        await services.store.delete(original)
        raise
    if accepted.replayed:
        await services.store.delete(original)
    return accepted


def _repeat(key: str | None, received: Received, quality: int) -> intake.IdempotencyKey | None:
    if key is None:
        return None
    said = f"{received.sha256} quality={quality}"
    return intake.IdempotencyKey(key, hashlib.sha256(said.encode("ascii")).hexdigest())
