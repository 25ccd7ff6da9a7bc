"""What the dashboard does with keys: make, rotate and revoke them.

A new key stands in the answer to the form and nowhere else, so it does not come again.
"""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tinyjpg_server.accounts import keys
from tinyjpg_server.accounts.caller import Caller
from tinyjpg_server.db import clock
from tinyjpg_server.errors import ConflictError, ValidationFailedError
from tinyjpg_server.pages.forms import PostedForm
from tinyjpg_server.pages.rendering import pages_of
from tinyjpg_server.routes.account import LoggedIn
from tinyjpg_server.routes.pages.confirming import ask_first, is_confirmed
from tinyjpg_server.routes.pages.dashboard import dashboard_page
from tinyjpg_server.services import services_of

_HOURS: Final = int(keys.DEFAULT_OVERLAP.total_seconds() // 3600)

router = APIRouter(prefix="/dashboard/keys")


@router.get("")
async def keys_are_there(_caller: LoggedIn) -> Response:
    """Whoever opens the address of the form, or reloads what it answered."""
    return RedirectResponse("/dashboard#keys", 303)


@router.post("")
async def make_key(request: Request, caller: LoggedIn, fields: PostedForm) -> Response:
    """Make a key, and show it this once."""
    name = fields.get("name", "")
    try:
        async with services_of(request).database.write() as connection:
            key, secret = await keys.issue(connection, caller.account_id, name, clock.now())
    except (ConflictError, ValidationFailedError) as error:
        return await dashboard_page(
            request,
            caller,
            key_name=name,
            errors=error.errors or {"name": [error.message]},
            status=error.status,
        )
    return _new_key_page(request, caller, key, secret)


@router.post("/{key_id:int}/rotate")
async def rotate_key(
    request: Request, caller: LoggedIn, fields: PostedForm, key_id: int
) -> Response:
    """Make a key to take the place of another, which works for another day."""
    if not is_confirmed(fields):
        return await _ask(request, caller, key_id, "rotate")
    try:
        async with services_of(request).database.write() as connection:
            key, secret = await keys.rotate(
                connection, caller.account_id, key_id, keys.DEFAULT_OVERLAP, clock.now()
            )
    except ConflictError as error:
        return await dashboard_page(request, caller, fault=error.message, status=error.status)
    return _new_key_page(request, caller, key, secret, hours=_HOURS)


@router.post("/{key_id:int}/revoke")
async def revoke_key(
    request: Request, caller: LoggedIn, fields: PostedForm, key_id: int
) -> Response:
    """Make a key invalid from now on."""
    if not is_confirmed(fields):
        return await _ask(request, caller, key_id, "revoke")
    async with services_of(request).database.write() as connection:
        await keys.revoke(connection, caller.account_id, key_id, clock.now())
    return RedirectResponse("/dashboard?done=revoked#keys", 303)


async def _ask(request: Request, caller: Caller, key_id: int, what: str) -> Response:
    async with services_of(request).database.read() as connection:
        key = await keys.find_key(connection, caller.account_id, key_id)
    return ask_first(request, caller, what, key, back="/dashboard#keys")


def _new_key_page(
    request: Request, caller: Caller, key: keys.ApiKey, secret: str, hours: int = 0
) -> Response:
    return pages_of(request).render(
        request, "new_key.html", caller, key=key, secret=secret, hours=hours
    )
