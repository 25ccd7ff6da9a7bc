"""The pages to log in and out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tinyjpg_server.accounts.sessions import close_session, open_session
from tinyjpg_server.accounts.users import User, authenticate
from tinyjpg_server.db import clock
from tinyjpg_server.errors import (
    ForbiddenError,
    TooManyRequestsError,
    UnauthorizedError,
    UnavailableError,
)
from tinyjpg_server.middleware import facts_of
from tinyjpg_server.pages.forms import PostedForm
from tinyjpg_server.pages.next_path import next_path
from tinyjpg_server.pages.rendering import page
from tinyjpg_server.services import services_of
from tinyjpg_server.session_cookie import (
    drop_session,
    maybe_logged_in,
    session_token,
    set_session,
)

_DONE: Final = {
    "deleted": "Your account is deleted, with its keys, sessions and images.",
    "logged-out": "You are logged out.",
}

router = APIRouter()


@router.get("/log-in")
async def log_in_form(request: Request) -> Response:
    """The form; whoever is logged in goes on."""
    wanted = request.query_params.get("next", "")
    if await maybe_logged_in(request):
        return RedirectResponse(next_path(wanted), 303)
    done = _DONE.get(request.query_params.get("done", ""), "")
    return await log_in_page(request, wanted=wanted, done=done)


@router.post("/log-in")
async def log_in(request: Request, fields: PostedForm) -> Response:
    """Begin a new session, and go where the person was about to go."""
    services = services_of(request)
    email, wanted = fields.get("email", ""), fields.get("next", "")
    try:
        user = await check_password_of(request, email, fields.get("password", ""))
    except (UnauthorizedError, ForbiddenError, TooManyRequestsError, UnavailableError) as error:
        return await log_in_page(
            request,
            email=email,
            wanted=wanted,
            fault=error.message,
            status=error.status,
            headers=error.headers,
        )
    facts_of(request).account_id = user.id
    async with services.database.write() as connection:
        await close_session(connection, session_token(request))
        token = await open_session(connection, user.id, clock.now())
    answer = RedirectResponse(next_path(wanted), 303)
    set_session(answer, services.settings, token)
    return answer


@router.post("/log-out")
async def log_out(request: Request, _fields: PostedForm) -> Response:
    """End the session, if there is one."""
    services = services_of(request)
    async with services.database.write() as connection:
        await close_session(connection, session_token(request))
    answer = RedirectResponse("/log-in?done=logged-out", 303)
    drop_session(answer, services.settings)
    return answer


async def log_in_page(
    request: Request,
    *,
    email: str = "",
    wanted: str = "",
    done: str = "",
    fault: str = "",
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The form, with what is known of who logs in.

    Args:
        request: of the page.
        email: typed before.
        wanted: where to go then, unchecked.
        done: what went well before.
        fault: why the last try failed.
        status: of the answer.
        headers: of the answer.
    """
    return await page(
        request,
        "log_in.html",
        status=status,
        headers=headers,
        email=email,
        wanted=next_path(wanted, ""),
        done=done,
        fault=fault,
    )


async def check_password_of(request: Request, email: str, password: str) -> User:
    """The user with this address and password; tries are counted.

    Raises:
        ApiError: as `authenticate` and `RateLimiter.hit_log_in` do.
    """
    services, address = services_of(request), facts_of(request).address
    await services.limiter.hit_log_in(address, email)
    user = await authenticate(services.database, email, password)
    await services.limiter.forget_log_ins(address, email)
    return user
