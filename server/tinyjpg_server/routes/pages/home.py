"""The home page: drop images and see them shrink. Without scripts, a form for one image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tinyjpg_server.errors import ApiError, FieldErrors, UnauthorizedError
from tinyjpg_server.origin import same_origin
from tinyjpg_server.pages.form_token import FIELD, check_form_token
from tinyjpg_server.pages.rendering import page
from tinyjpg_server.routes.pages.archive import MOST_IMAGES
from tinyjpg_server.routes.pages.customer import Customer, customer_of
from tinyjpg_server.routes.pages.sending import QualityField, explained, send
from tinyjpg_server.routes.taking import refused
from tinyjpg_server.services import services_of

router = APIRouter()

# Seconds that a script has the server hold an answer; it asks again.
_WAIT: Final = 20.0


@router.get("/")
async def home(request: Request) -> Response:
    """Drop images and see them shrink."""
    return await _page(request, QualityField())


@router.post("/")
async def optimize_one(request: Request) -> Response:
    """Take on the image of the form, and go to its result."""
    fields = _FormFields(request)
    try:
        same_origin(request)
        taken = await send(request, fields)
    except ApiError as error:
        answer = await _page(request, fields, error)
        return refused(request, services_of(request), error, answer)
    query = f"?{urlencode({'as': taken.file_name})}" if taken.file_name else ""
    return RedirectResponse(f"/result/{taken.accepted.image.name}{query}", 303)


class _FormFields(QualityField):
    """The fields of the form without scripts, which carries its token itself."""

    def __init__(self, request: Request) -> None:
        super().__init__()
        self._request = request

    def read(self, form: Mapping[str, str]) -> FieldErrors:
        """Check the token, then read the quality.

        Raises:
            ForbiddenError: the token does not fit.
        """
        check_form_token(self._request, form.get(FIELD, ""))
        return super().read(form)


async def _page(request: Request, fields: QualityField, error: ApiError | None = None) -> Response:
    settings = services_of(request).settings
    return await page(
        request,
        "home.html",
        status=error.status if error else 200,
        headers=error.headers if error else None,
        customer=await _maybe_customer(request),
        quality=fields.quality,
        most_images=MOST_IMAGES,
        wait=min(_WAIT, settings.longest_wait),
        retention_days=settings.retention_days,
        refusal=explained(error) if error else "",
    )


async def _maybe_customer(request: Request) -> Customer | None:
    try:
        return await customer_of(request)
    except UnauthorizedError:
        return None
