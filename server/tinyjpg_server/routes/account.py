"""For people with a browser: log in and out; list, make, revoke and rotate API keys.

Callers are known by a session cookie. Against forged requests: the cookie is SameSite=Lax, and what
changes something must come from this origin.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Depends
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from tinyjpg_server.accounts import keys
from tinyjpg_server.accounts.caller import Caller
from tinyjpg_server.accounts.sessions import LIFETIME, close_session, open_session
from tinyjpg_server.accounts.users import authenticate
from tinyjpg_server.answers import success
from tinyjpg_server.db import clock
from tinyjpg_server.middleware import facts_of
from tinyjpg_server.origin import same_origin
from tinyjpg_server.services import services_of
from tinyjpg_server.session_cookie import (
    drop_session,
    logged_in,
    session_token,
    set_session,
)

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


class LogIn(BaseModel):
    """Who logs in."""

    model_config = ConfigDict(extra="forbid")

    email: str = Field(max_length=254, examples=["you@example.com"], description="Of the account.")
    password: str = Field(
        max_length=1000,
        examples=["a long sentence is easy to keep in mind"],
        description="Of the account.",
    )


class NewKey(BaseModel):
    """The key to make."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(
        min_length=1,
        max_length=80,
        examples=["Web shop"],
        description="What to call the key, 1 to 80 characters.",
    )


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
    async with services.database.write() as connection:
        await close_session(connection, session_token(request))
        token = await open_session(connection, user.id, now)
    data = {
        "email": user.email,
        "plan": user.plan.name,
        "expires_at": (now + LIFETIME).isoformat(),
    }
    answer = success(data, "Logged in")
    set_session(answer, services.settings, token)
    return answer


@router.delete("/session", response_class=Response, summary="Log out")
async def log_out(request: Request) -> Response:
    """End the session of the cookie, if there is one, and take the cookie away."""
    services = services_of(request)
    async with services.database.write() as connection:
        await close_session(connection, session_token(request))
    answer = success(None, "Logged out")
    drop_session(answer, services.settings)
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
