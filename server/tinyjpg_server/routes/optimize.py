"""POST /api/optimize: take an image on."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from tinyjpg_server import answers
from tinyjpg_server.accounts.caller import Caller
from tinyjpg_server.db import clock
from tinyjpg_server.errors import ApiError
from tinyjpg_server.jobs import intake
from tinyjpg_server.jobs.images import Image
from tinyjpg_server.middleware import facts_of
from tinyjpg_server.routes import parameters
from tinyjpg_server.routes.caller import identify, show_quota
from tinyjpg_server.routes.holding import wait_for_image
from tinyjpg_server.routes.image_data import accepted_data, status_data
from tinyjpg_server.services import Services, services_of
from tinyjpg_server.storage.disk import storage_full
from tinyjpg_server.storage.store import StorageFullError
from tinyjpg_server.uploads import Received, UploadLimits, check_declared_size, receive_upload

router = APIRouter()

INCOMING: Final = "incoming"
MESSAGE: Final = "Image uploaded and queued for optimization"


@router.post("/optimize")
async def optimize(request: Request) -> Response:
    """Optimize an image."""
    services = services_of(request)
    settings = services.settings
    caller, quota = await identify(request, services)
    repeat_key = request.headers.get("idempotency-key")
    parameters.check_idempotency_key(repeat_key)
    if repeat_key is None and quota.remaining < 1:
        # A repeated request may be answered even then, which only its content tells.
        raise intake.quota_exceeded(quota)
    check_declared_size(request, caller.plan.max_upload_bytes)
    await services.disk.check()

    query_wait = request.query_params.get("wait")
    faults = parameters.Faults()
    quality = parameters.DEFAULT_QUALITY
    wait = 0.0

    def check(fields: Mapping[str, str]) -> Mapping[str, list[str]]:
        nonlocal quality, wait
        if query_wait is not None:
            fields = {**fields, "wait": query_wait}
        quality = parameters.whole_number(fields, "quality", 1, 100, quality, faults)
        wait = parameters.seconds(fields, "wait", settings.longest_wait, faults)
        return faults.errors

    limits = UploadLimits(
        caller.plan.max_upload_bytes, settings.max_pixels, settings.upload_timeout
    )
    try:
        async with receive_upload(request, settings.data / INCOMING, limits, check) as received:
            accepted = await _accept(services, caller, received, quality, repeat_key)
    except StorageFullError as error:
        raise storage_full() from error
    facts = facts_of(request)
    facts.image_id = accepted.image.id
    show_quota(facts, accepted.quota)
    if not accepted.replayed:
        await services.accepted.ring(accepted.image.id)
    image: Image | None = accepted.image
    if wait:
        image = await wait_for_image(
            request, services, caller.account_id, accepted.image.id, wait
        )
    if image is None:
        raise parameters.no_image(accepted.image.id)
    data = accepted_data(image, settings.base_url)
    if image.status != "processing":
        data |= status_data(image, settings.base_url)
    headers = {"Idempotency-Replayed": "true"} if accepted.replayed else None
    return answers.success(data, MESSAGE, headers=headers)


async def _accept(
    services: Services, caller: Caller, received: Received, quality: int, repeat_key: str | None
) -> intake.Accepted:
    now = clock.now()
    repeat = parameters.idempotency_key(repeat_key, _request_hash(received, quality))
    if repeat is not None:
        async with services.database.read() as connection:
            ...
    name = secrets.token_hex(16)
    header = received.header
    upload = intake.Upload(
        name=name,
        format=header.format.value,
        width=header.width,
        height=header.height,
        frames=header.frames,
        quality=quality,
        size=received.size,
        estimated_size=0,
    )
    raise NotImplementedError
