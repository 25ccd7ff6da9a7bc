"""POST /api/optimize: take an image on."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from fastapi import APIRouter
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response

from tinyjpg_server import answers
from tinyjpg_server.accounts.caller import Caller
from tinyjpg_server.db import clock
from tinyjpg_server.errors import ApiError, FieldErrors, StorageFullError
from tinyjpg_server.jobs import intake
from tinyjpg_server.jobs.estimate import Facts, estimate
from tinyjpg_server.jobs.images import Image, original_object
from tinyjpg_server.middleware import facts_of
from tinyjpg_server.routes import parameters
from tinyjpg_server.routes.caller import identify, show_quota
from tinyjpg_server.routes.holding import wait_for_image
from tinyjpg_server.routes.image_data import accepted_data, status_data
from tinyjpg_server.services import Services, services_of
from tinyjpg_server.storage.disk import storage_full
from tinyjpg_server.uploads import (
    Received,
    UploadLimits,
    check_declared_size,
    discard_rest,
    receive_upload,
)

router = APIRouter()

MESSAGE: Final = "Image uploaded and queued for optimization"


@router.post("/optimize")
async def optimize(request: Request) -> Response:
    """Optimize an image."""
    services = services_of(request)
    try:
        return await _optimize(request, services)
    except ApiError as error:
        services.metrics.upload_refused(error.code)
        refusal = answers.failure_of(error)
        refusal.background = BackgroundTask(discard_rest, request)
        return refusal


async def _optimize(request: Request, services: Services) -> Response:
    caller, quota = await identify(request, services)
    repeat_key = request.headers.get("idempotency-key")
    parameters.check_idempotency_key(repeat_key)
    if repeat_key is None and not quota.remaining:
        # A repeated request is answered even then; what it is only its content tells.
        raise intake.quota_exceeded(caller.plan, quota)
    check_declared_size(request, caller.plan.max_upload_bytes)
    services.disk.check()

    settings = services.settings
    fields = _Fields(request.query_params, settings.longest_wait)
    limits = UploadLimits(
        caller.plan.max_upload_bytes, settings.max_pixels, settings.upload_timeout
    )
    try:
        async with receive_upload(request, services.incoming, limits, fields.read) as received:
            accepted = await _accept(services, caller, received, fields.quality, repeat_key)
    except StorageFullError as error:
        raise storage_full() from error
    image = accepted.image
    facts = facts_of(request)
    facts.image_id = image.id
    show_quota(facts, accepted.quota)
    if not accepted.replayed:
        services.metrics.upload_accepted(image.original_size)
        await services.accepted.ring(image.id)
    headers = {"Idempotency-Replayed": "true"} if accepted.replayed else None
    data = await _data(request, services, caller, image, fields.wait)
    return answers.success(data, MESSAGE, headers=headers)


async def _accept(
    services: Services, caller: Caller, received: Received, quality: int, repeat_key: str | None
) -> intake.Accepted:
    settings = services.settings
    header = received.header
    now = clock.now()
    repeat = _repeat(repeat_key, received, quality)
    facts = Facts(
        header.format.value, header.width, header.height, header.frames, received.size, quality
    )
    async with services.database.read() as connection:
        expected = await estimate(connection, facts)
    upload = intake.Upload(
        name=secrets.token_hex(16),
        format=facts.format,
        width=facts.width,
        height=facts.height,
        frames=facts.frames,
        quality=quality,
        size=facts.size,
        estimated_size=expected,
    )
    original = original_object(upload.name, upload.format)
    await services.store.put_file(original, received.path)
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


async def _data(
    request: Request, services: Services, caller: Caller, image: Image, wait: float
) -> dict[str, Any]:
    base_url = services.settings.base_url
    if wait:
        later = await wait_for_image(request, services, caller.account_id, image.id, wait)
        # Deleted meanwhile: what is known of it stays the answer to its upload.
        image = later or image
    data = accepted_data(image, base_url)
    if image.status != "processing":
        data |= status_data(image, base_url)
    return data


@dataclass(slots=True)
class _Fields:
    """The short fields of the form; `wait` may stand in the query as well."""

    query: Mapping[str, str]
    longest_wait: float
    quality: int = parameters.DEFAULT_QUALITY
    wait: float = 0.0

    def read(self, form: Mapping[str, str]) -> FieldErrors:
        """Take the values over, and say what is wrong with them."""
        faults = parameters.Faults()
        self.quality = parameters.whole_number(
            form, "quality", parameters.QUALITIES, self.quality, faults
        )
        waits = [
            parameters.seconds(values, "wait", self.longest_wait, faults)
            for values in (self.query, form)
        ]
        self.wait = waits[0] if "wait" in self.query else waits[1]
        return faults.errors


def _repeat(key: str | None, received: Received, quality: int) -> intake.IdempotencyKey | None:
    if key is None:
        return None
    said = f"{received.sha256} quality={quality}"
    return intake.IdempotencyKey(key, hashlib.sha256(said.encode("ascii")).hexdigest())
