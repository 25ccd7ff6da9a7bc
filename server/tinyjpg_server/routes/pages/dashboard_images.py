"""What the dashboard does with images: delete them."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tinyjpg_server.jobs import images
from tinyjpg_server.middleware import facts_of
from tinyjpg_server.pages.forms import PostedForm
from tinyjpg_server.routes import parameters
from tinyjpg_server.routes.account import LoggedIn
from tinyjpg_server.routes.image_deletion import delete_with_files
from tinyjpg_server.routes.pages.confirming import ask_first, is_confirmed
from tinyjpg_server.routes.pages.dashboard import filter_of
from tinyjpg_server.services import services_of

router = APIRouter(prefix="/dashboard/images")


@router.post("/{image_id}/delete")
async def delete(request: Request, caller: LoggedIn, fields: PostedForm, image_id: str) -> Response:
    """Delete an image and its files."""
    services = services_of(request)
    number, shown = parameters.image_id(image_id), filter_of(fields)
    facts_of(request).image_id = number
    if not is_confirmed(fields):
        async with services.database.read() as connection:
            image = await images.find(connection, caller.account_id, number)
        if image is None:
            raise parameters.no_image(number)
        return ask_first(
            request, caller, "delete", image, back=shown.address(shown.before), kept=shown.fields()
        )
    await delete_with_files(services, caller.account_id, number)
    return RedirectResponse(f"{shown.address(shown.before, 'deleted')}#images", 303)
