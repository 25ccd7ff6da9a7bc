"""The page of the API reference."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from tinyjpg_server.accounts.keys import ApiKey, list_keys
from tinyjpg_server.accounts.plans import list_plans
from tinyjpg_server.db import clock
from tinyjpg_server.pages.reference.contents import Contents
from tinyjpg_server.pages.rendering import pages_of
from tinyjpg_server.services import services_of
from tinyjpg_server.session_cookie import maybe_logged_in

# Keys that the page names; the dashboard has them all.
_SHOWN: Final = 3

router = APIRouter()


@router.get("/docs")
async def docs(request: Request) -> Response:
    """The reference, with this server's address and limits in it."""
    contents: Contents = request.app.state.contents
    viewer = await maybe_logged_in(request)
    keys: list[ApiKey] = []
    now = clock.now()
    async with services_of(request).database.read() as connection:
        plans = await list_plans(connection, offered=True)
        if viewer is not None:
            keys = await list_keys(connection, viewer.account_id)
    working = [key for key in keys if key.state(now) in {"active", "expiring"}]
    return pages_of(request).render(
        request,
        "docs.html",
        viewer,
        plans=plans,
        keys=working[-_SHOWN:],
        more_keys=max(0, len(working) - _SHOWN),
        **contents.values,
    )
