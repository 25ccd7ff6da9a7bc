"""The page of one result, by the name that only who sent the image knows."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tinyjpg_server.errors import ApiError
from tinyjpg_server.file_names import saved_name
from tinyjpg_server.jobs.images import Image
from tinyjpg_server.pages.forms import PostedForm
from tinyjpg_server.pages.rendering import page
from tinyjpg_server.routes.holding import wait_for_image
from tinyjpg_server.routes.image_data import page_data
from tinyjpg_server.routes.named import image_named, no_file
from tinyjpg_server.routes.pages.sending import explained, send_again
from tinyjpg_server.services import services_of

router = APIRouter(prefix="/result")

# Seconds that the page is held until the image is finished, and after which it asks again.
_WAIT: Final = 15.0
_REFRESH: Final = {"Refresh": "2"}


@router.get("/{name}")
async def result(request: Request, name: str) -> Response:
    """Before and after, side by side; the state while it is worked on."""
    services = services_of(request)
    image: Image | None = await image_named(services, name)
    if image is not None and image.status == "processing":
        seconds = min(_WAIT, services.settings.longest_wait)
        image = await wait_for_image(request, services, image.account_id, image.id, seconds)
    if image is None:
        raise no_file()
    return await _page(request, image)


@router.post("/{name}/again")
async def again(request: Request, name: str, form: PostedForm) -> Response:
    """The same image at another quality: a result of its own."""
    image = await image_named(services_of(request), name)
    try:
        new = await send_again(request, image, form)
    except ApiError as error:
        return await _page(request, image, error)
    return RedirectResponse(f"/result/{new.name}{_query(request)}", 303)


async def _page(request: Request, image: Image, error: ApiError | None = None) -> Response:
    headers = dict(error.headers) if error else {}
    if image.status == "processing" and error is None:
        headers |= _REFRESH
    return await page(
        request,
        "result.html",
        status=error.status if error else 200,
        headers=headers,
        image=page_data(image),
        file_name=saved_name(request.query_params.get("as", ""), image.format),
        query=_query(request),
        refusal=explained(error) if error else "",
    )


def _query(request: Request) -> str:
    """What the user calls the image, handed on from page to page."""
    wanted = request.query_params.get("as", "")
    return f"?{urlencode({'as': wanted})}" if wanted else ""
