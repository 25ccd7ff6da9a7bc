"""GET /api/images and DELETE /api/images/{image_id}: what an account has here."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from tinyjpg_server import answers
from tinyjpg_server.jobs import images
from tinyjpg_server.middleware import facts_of
from tinyjpg_server.routes import parameters
from tinyjpg_server.routes.caller import identify
from tinyjpg_server.routes.image_data import status_data
from tinyjpg_server.routes.image_deletion import delete_with_files
from tinyjpg_server.services import services_of

router = APIRouter()


@router.get("/images")
async def list_images(request: Request) -> Response:
    """List your images, the newest first."""
    services = services_of(request)
    caller, _ = await identify(request, services)
    query = request.query_params
    faults = parameters.Faults()
    limit = parameters.whole_number(
        query, "limit", parameters.LIMITS, parameters.DEFAULT_LIMIT, faults
    )
    before = parameters.whole_number(query, "cursor", parameters.IDS, parameters.IDS[-1], faults)
    status = parameters.choice(query, "status", parameters.STATUSES, faults)
    kind = parameters.choice(query, "format", parameters.FORMATS, faults)
    faults.check()
    # Filtered, it may look at all images of the account.
    async with services.database.report() as connection:
        # One more than asked for tells whether there is another page.
        found = await images.page(
            connection,
            caller.account_id,
            limit=limit + 1,
            before_id=before,
            status=status,
            format=kind,
        )
    page = found[:limit]
    data: dict[str, Any] = {
        "images": [status_data(image, services.settings.base_url) for image in page],
        "next_cursor": str(page[-1].id) if len(found) > limit else None,
    }
    return answers.success(data)


@router.delete("/images/{image_id}")
async def delete_image(request: Request) -> Response:
    """Delete an image and its files now."""
    services = services_of(request)
    caller, _ = await identify(request, services)
    number = parameters.image_id(request.path_params["image_id"])
    facts_of(request).image_id = number
    await delete_with_files(services, caller.account_id, number)
    return answers.success({"image_id": number, "deleted": True}, "Image deleted")
