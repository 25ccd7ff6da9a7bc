"""The page to make an account. It does not tell whether an address has one.

There is no mail to confirm an address with. So the answer is the same for one that is free and one
that is taken: the form to log in, where only the right password leads on.
"""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tinyjpg_server.accounts.passwords import LONGEST, SHORTEST
from tinyjpg_server.accounts.sign_up import sign_up as make_account
from tinyjpg_server.db import clock
from tinyjpg_server.errors import (
    FieldErrors,
    ForbiddenError,
    TooManyRequestsError,
    UnavailableError,
    ValidationFailedError,
)
from tinyjpg_server.middleware import facts_of
from tinyjpg_server.pages.forms import PostedForm
from tinyjpg_server.pages.next_path import next_path
from tinyjpg_server.pages.rendering import page
from tinyjpg_server.routes.pages.log_in import log_in_page
from tinyjpg_server.services import services_of
from tinyjpg_server.session_cookie import maybe_logged_in

router = APIRouter()


@router.get("/sign-up")
async def sign_up_form(request: Request) -> Response:
    """The form; whoever is logged in goes on."""
    wanted = request.query_params.get("next", "")
    if await maybe_logged_in(request):
        return RedirectResponse(next_path(wanted), 303)
    _check_open(request)
    return await _sign_up_page(request, wanted=wanted)


@router.post("/sign-up")
async def sign_up(request: Request, fields: PostedForm) -> Response:
    """Make the account, unless there is one, and ask to log in."""
    services = services_of(request)
    _check_open(request)
    email, wanted = fields.get("email", "").strip(), fields.get("next", "")
    try:
        await services.limiter.hit_sign_up(facts_of(request).address)
        await make_account(services.database, email, fields.get("password", ""), clock.now())
    except (TooManyRequestsError, UnavailableError, ValidationFailedError) as error:
        return await _sign_up_page(
            request,
            email=email,
            wanted=wanted,
            errors=error.errors,
            fault="" if error.errors else error.message,
            status=error.status,
            headers=error.headers,
        )
    return await log_in_page(
        request,
        email=email,
        wanted=wanted,
        done="Now log in. If the address was free, its account is ready, with the password that "
        "you chose. If it had an account before, nothing about that has changed.",
    )


def _check_open(request: Request) -> None:
    if not services_of(request).settings.sign_up:
        raise ForbiddenError(
            "Accounts on this server are made by whoever runs it; ask there for yours.",
            code="sign_up_closed",
        )


async def _sign_up_page(
    request: Request,
    *,
    email: str = "",
    wanted: str = "",
    errors: FieldErrors | None = None,
    fault: str = "",
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    return await page(
        request,
        "sign_up.html",
        status=status,
        headers=headers,
        email=email,
        wanted=next_path(wanted, ""),
        errors=errors or {},
        fault=fault,
        shortest=SHORTEST,
        longest=LONGEST,
    )
