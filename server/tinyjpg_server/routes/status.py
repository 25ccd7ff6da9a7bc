"""GET /api/status/{image_id}: how far an image is."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from tinyjpg_server import answers
from tinyjpg_server.jobs import images
from tinyjpg_server.middleware import facts_of
from tinyjpg_server.routes import parameters
from tinyjpg_server.routes.caller import identify
from tinyjpg_server.routes.holding import wait_for_image
from tinyjpg_server.routes.image_data import status_data
from tinyjpg_server.services import services_of

router = APIRouter()


@router.get("/status/{image_id}")
async def status(request: Request) -> Response:
    """Check Optimization Status."""
    services = services_of(request)
    async with services.database.read() as connection:
        caller, _ = await identify(request, services, connection)
        faults = parameters.Faults()
        wait = parameters.seconds(
            request.query_params, "wait", services.settings.longest_wait, faults
        )
        faults.check()
        number = parameters.image_id(request.path_params["image_id"])
        facts_of(request).image_id = number
        image = await images.find(connection, caller.account_id, number)
    if wait and image is not None and image.status == "processing":
        image = await wait_for_image(request, services, caller.account_id, number, wait)
    if image is None:
        raise parameters.no_image(number)
    return answers.success(status_data(image, services.settings.base_url))
