"""The cookie of who is logged in."""

from __future__ import annotations

from typing import Final

from starlette.requests import HTTPConnection
from starlette.responses import Response

from tinyjpg_server.accounts.caller import Caller, caller_of_session
from tinyjpg_server.accounts.sessions import LIFETIME
from tinyjpg_server.db import clock
from tinyjpg_server.errors import UnauthorizedError
from tinyjpg_server.middleware import facts_of
from tinyjpg_server.services import services_of
from tinyjpg_server.settings import Settings

_NAME: Final = "tinyjpg"


def cookie_name(settings: Settings, name: str = _NAME) -> str:
    """`__Host-` makes browsers refuse the cookie from other hosts, but works on https alone."""
    return f"__Host-{name}" if settings.is_https else name


def session_token(request: HTTPConnection) -> str:
    """The token in the cookie of `request`, empty if there is none."""
    return request.cookies.get(cookie_name(services_of(request).settings), "")


def set_session(answer: Response, settings: Settings, token: str) -> None:
    """Let the browser keep `token` for as long as its session lasts."""
    answer.set_cookie(
        cookie_name(settings),
        token,
        max_age=int(LIFETIME.total_seconds()),
        secure=settings.is_https,
        httponly=True,
        samesite="lax",
    )


def drop_session(answer: Response, settings: Settings) -> None:
    """Take the cookie away."""
    answer.delete_cookie(
        cookie_name(settings), secure=settings.is_https, httponly=True, samesite="lax"
    )


async def logged_in(request: HTTPConnection) -> Caller:
    """The caller, by the session cookie.

    Raises:
        UnauthorizedError: there is none, or its session is over.
    """
    services = services_of(request)
    async with services.database.read() as connection:
        caller = await caller_of_session(connection, session_token(request), clock.now())
    facts_of(request).account_id = caller.account_id
    return caller


async def maybe_logged_in(request: HTTPConnection) -> Caller | None:
    """The caller, by the session cookie; None if nobody is logged in."""
    if not session_token(request):
        return None
    try:
        return await logged_in(request)
    except UnauthorizedError:
        return None
