"""POST /api/optimize: take an image on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from tinyjpg_server import answers
from tinyjpg_server.accounts.caller import Caller
from tinyjpg_server.errors import ApiError, FieldErrors
from tinyjpg_server.jobs import intake
from tinyjpg_server.jobs.images import Image
from tinyjpg_server.middleware import facts_of
from tinyjpg_server.routes import parameters
from tinyjpg_server.routes.caller import identify, show_quota
from tinyjpg_server.routes.holding import wait_for_image
from tinyjpg_server.routes.image_data import accepted_data, status_data
from tinyjpg_server.routes.taking import refused, take_upload
from tinyjpg_server.services import Services, services_of

router = APIRouter()

MESSAGE: Final = "Image uploaded and queued for optimization"


@router.post("/optimize")
async def optimize(request: Request) -> Response:
    """Optimize an image."""
    services = services_of(request)
    try:
        return await _optimize(request, services)
    except ApiError as error:
        return refused(request, services, error, answers.failure_of(error))


async def _optimize(request: Request, services: Services) -> Response:
    caller, quota = await identify(request, services)
    repeat_key = request.headers.get("idempotency-key")
    parameters.check_idempotency_key(repeat_key)
    if repeat_key is None and not quota.remaining:
        # A repeated request is answered even then; what it is only its content tells.
        raise intake.quota_exceeded(caller.plan, quota)
    fields = _Fields(request.query_params, services.settings.longest_wait)
    accepted = (await take_upload(request, services, caller, fields, repeat_key)).accepted
    show_quota(facts_of(request), accepted.quota)
    headers = {"Idempotency-Replayed": "true"} if accepted.replayed else None
    data = await _data(request, services, caller, accepted.image, fields.wait)
    return answers.success(data, MESSAGE, headers=headers)


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
        self.quality = parameters.quality(form, faults)
        waits = [
            parameters.seconds(values, "wait", self.longest_wait, faults)
            for values in (self.query, form)
        ]
        self.wait = waits[0] if "wait" in self.query else waits[1]
        return faults.errors
