"""For people with a browser: log in and out; list, make, revoke and rotate API keys.

Callers are known by a session cookie. Against forged requests: the cookie is SameSite=Lax, and what
changes something must come from this origin.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from fastapi import APIRouter, Body, Depends
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from tinyjpg_server.accounts import keys
from tinyjpg_server.accounts.caller import Caller, caller_of_session
from tinyjpg_server.accounts.sessions import LIFETIME, close_session, open_session
from tinyjpg_server.accounts.users import authenticate
from tinyjpg_server.answers import success
from tinyjpg_server.db import clock
from tinyjpg_server.errors import ForbiddenError
from tinyjpg_server.middleware import facts_of
from tinyjpg_server.services import services_of
from tinyjpg_server.settings import Settings

_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_LARGEST_BODY: Final = 16 * 1024


class SmallBodyRoute(APIRoute):
    """Refuses bodies over 16 KiB with 413, before they are in memory."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """As FastAPI's, with a counted body."""
        handle = super().get_route_handler()

        async def handle_small(request: Request) -> Response:
            received = 0

            async def receive() -> Message:
                nonlocal received
                message = await request.receive()
                received += len(message.get("body", b""))
                if received > _LARGEST_BODY:
                    # FastAPI lets this kind alone pass while it reads a body.
                    raise HTTPException(413)
                return message

            return await handle(Request(request.scope, receive))

        return handle_small


def same_origin(request: Request) -> None:
    """Let pass what only reads, what no browser sent, and what a page of this origin sent.

    Raises:
        ForbiddenError: another site's page sent it; code `cross_origin`.
    """
    if request.method in _SAFE_METHODS:
        return
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site is not None:
        allowed = site in {"same-origin", "none"}
    elif origin is not None:
        allowed = _is_ours(origin, request)
    else:
        allowed = True
    if not allowed:
        raise ForbiddenError(
            "This request must come from a page of this service.", code="cross_origin"
        )


def _is_ours(origin: str, request: Request) -> bool:
    if origin == _origin_of(services_of(request).settings.base_url):
        return True
    host = urlsplit(origin).netloc.lower()
    return bool(host) and host == request.headers.get("host", "").lower()


def _origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


async def logged_in(request: Request) -> Caller:
    """The caller, by the session cookie.

    Raises:
        UnauthorizedError: there is none, or its session is over.
    """
    services = services_of(request)
    token = request.cookies.get(cookie_name(services.settings), "")
    async with services.database.read() as connection:
        caller = await caller_of_session(connection, token, clock.now())
    facts_of(request).account_id = caller.account_id
    return caller


def cookie_name(settings: Settings) -> str:
    """`__Host-` makes browsers refuse the cookie from other hosts, but works on https alone."""
    return "__Host-tinyjpg" if _is_https(settings) else "tinyjpg"


def _is_https(settings: Settings) -> bool:
    return settings.base_url.startswith("https://")


class LogIn(BaseModel):
    """Who logs in."""

    model_config = ConfigDict(extra="forbid")

    email: str = Field(max_length=254, examples=["you@example.com"])
    password: str = Field(max_length=1000, examples=["a long sentence is easy to keep in mind"])


class NewKey(BaseModel):
    """The key to make."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=80, examples=["Web shop"])


class Rotation(BaseModel):
    """How to rotate a key."""

    model_config = ConfigDict(extra="forbid")

    overlap: int = Field(
        default=int(keys.DEFAULT_OVERLAP.total_seconds()),
        strict=True,
        ge=0,
        le=int(keys.LONGEST_OVERLAP.total_seconds()),
        description="Seconds that the old key works on.",
    )


LoggedIn = Annotated[Caller, Depends(logged_in)]

router = APIRouter(
    tags=["account"], route_class=SmallBodyRoute, dependencies=[Depends(same_origin)]
)


@router.post("/session", response_class=Response, summary="Log in")
async def log_in(request: Request, given: LogIn) -> Response:
    """Log in with email and password; the answer sets a cookie that is valid for 30 days."""
    services = services_of(request)
    facts = facts_of(request)
    await services.limiter.hit_log_in(facts.address, given.email)
    user = await authenticate(services.database, given.email, given.password)
    await services.limiter.forget_log_ins(facts.address, given.email)
    facts.account_id = user.id
    now = clock.now()
    name = cookie_name(services.settings)
    async with services.database.write() as connection:
        await close_session(connection, request.cookies.get(name, ""))
        token = await open_session(connection, user.id, now)
    data = {
        "email": user.email,
        "plan": user.plan.name,
        "expires_at": (now + LIFETIME).isoformat(),
    }
    answer = success(data, "Logged in")
    answer.set_cookie(
        name,
        token,
        max_age=int(LIFETIME.total_seconds()),
        secure=_is_https(services.settings),
        httponly=True,
        samesite="lax",
    )
    return answer


@router.delete("/session", response_class=Response, summary="Log out")
async def log_out(request: Request) -> Response:
    """End the session of the cookie, if there is one, and take the cookie away."""
    services = services_of(request)
    name = cookie_name(services.settings)
    async with services.database.write() as connection:
        await close_session(connection, request.cookies.get(name, ""))
    answer = success(None, "Logged out")
    answer.delete_cookie(name, secure=_is_https(services.settings), httponly=True, samesite="lax")
    return answer


@router.get("/keys", response_class=Response, summary="List the API keys")
async def list_keys(request: Request, caller: LoggedIn) -> Response:
    """All keys of the account, also those that work no more. No key is shown, only its ends."""
    now = clock.now()
    async with services_of(request).database.read() as connection:
        found = await keys.list_keys(connection, caller.account_id)
    return success({"keys": [_as_json(key, now) for key in found]})


@router.post("/keys", response_class=Response, summary="Make an API key")
async def issue_key(request: Request, caller: LoggedIn, given: NewKey) -> Response:
    """Make a key. It is shown in this answer and never again."""
    now = clock.now()
    async with services_of(request).database.write() as connection:
        key, secret = await keys.issue(connection, caller.account_id, given.name, now)
    return success({**_as_json(key, now), "key": secret}, "API key made; it is shown this once")


@router.delete("/keys/{key_id}", response_class=Response, summary="Revoke an API key")
async def revoke_key(request: Request, caller: LoggedIn, key_id: int) -> Response:
    """Make a key invalid from now on."""
    now = clock.now()
    async with services_of(request).database.write() as connection:
        key = await keys.revoke(connection, caller.account_id, key_id, now)
    return success(_as_json(key, now), "API key revoked")


@router.post("/keys/{key_id}/rotate", response_class=Response, summary="Rotate an API key")
async def rotate_key(
    request: Request,
    caller: LoggedIn,
    key_id: int,
    given: Annotated[Rotation | None, Body()] = None,
) -> Response:
    """Make a new key of the same name; the old one works on for `overlap` seconds (a day)."""
    now = clock.now()
    overlap = timedelta(seconds=(given or Rotation()).overlap)
    async with services_of(request).database.write() as connection:
        key, secret = await keys.rotate(connection, caller.account_id, key_id, overlap, now)
    return success({**_as_json(key, now), "key": secret}, "API key made; it is shown this once")


def _as_json(key: keys.ApiKey, now: datetime) -> dict[str, Any]:
    row = {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in asdict(key).items()
        if name != "account_id"
    }
    return {**row, "state": key.state(now)}
