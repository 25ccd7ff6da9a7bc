"""/web/images: what the scripts of the pages send and ask. Not part of the API."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from tinyjpg_server import answers
from tinyjpg_server.errors import ApiError
from tinyjpg_server.jobs.images import Image
from tinyjpg_server.origin import same_origin
from tinyjpg_server.pages.form_token import HEADER, check_form_token
from tinyjpg_server.pages.forms import PostedForm
from tinyjpg_server.routes import parameters
from tinyjpg_server.routes.holding import wait_for_image
from tinyjpg_server.routes.image_data import page_data
from tinyjpg_server.routes.named import image_named, no_file
from tinyjpg_server.routes.pages.customer import customer_of
from tinyjpg_server.routes.pages.sending import QualityField, send, send_again
from tinyjpg_server.routes.taking import refused
from tinyjpg_server.services import services_of

router = APIRouter(prefix="/web/images")


@router.post("")
async def upload(request: Request) -> Response:
    """Take an image on. The token comes in a header, to be checked before the body is read."""
    try:
        same_origin(request)
        check_form_token(request, request.headers.get(HEADER, ""))
        taken = await send(request, QualityField())
    except ApiError as error:
        return refused(request, services_of(request), error, answers.failure_of(error))
    return answers.success(await _taken_data(request, taken.accepted.image))


@router.get("/{name}")
async def status(request: Request, name: str) -> Response:
    """How far an image is; `?wait=` as at the API's status."""
    services = services_of(request)
    faults = parameters.Faults()
    wait = parameters.seconds(request.query_params, "wait", services.settings.longest_wait, faults)
    faults.check()
    image: Image | None = await image_named(services, name)
    if image is not None and wait:
        image = await wait_for_image(request, services, image.account_id, image.id, wait)
    if image is None:
        raise no_file()
    return answers.success(page_data(image))


@router.post("/{name}/again")
async def again(request: Request, name: str, form: PostedForm) -> Response:
    """Optimise the same original at another quality: a new image, and no upload."""
    image = await image_named(services_of(request), name)
    return answers.success(await _taken_data(request, await send_again(request, image, form)))


async def _taken_data(request: Request, image: Image) -> dict[str, Any]:
    customer = await customer_of(request)
    return {**page_data(image), "allowance": customer.words}
