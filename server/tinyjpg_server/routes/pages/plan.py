"""The page of an account's plan: change to a free one, ask for a paid one, take that back."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tinyjpg_server.accounts.plan_requests import request_of
from tinyjpg_server.accounts.plans import list_plans
from tinyjpg_server.accounts.quota import quota_of
from tinyjpg_server.db import clock
from tinyjpg_server.pages.forms import PostedForm
from tinyjpg_server.pages.rendering import page
from tinyjpg_server.services import services_of
from tinyjpg_server.session_cookie import logged_in

_PATH: Final = "/account/plan"

router = APIRouter()


@router.get(_PATH)
async def show_plan(request: Request) -> Response:
    """The plan, what is left of it, and what else is offered."""
    services = services_of(request)
    caller = await logged_in(request)
    async with services.database.read() as connection:
        plans = await list_plans(connection, offered=True)
        quota = await quota_of(connection, caller.account_id, caller.plan, clock.now())
        asked = await request_of(connection, caller.account_id)
    contact = services.settings.operator_contact
    return await page(
        request,
        "plan.html",
        plans=plans,
        current=caller.plan,
        quota=quota,
        asked=asked,
        done=request.query_params.get("done", ""),
        is_immediate=services.billing.is_immediate,
        contact=contact,
        contact_link=contact if contact is None or "://" in contact else f"mailto:{contact}",
    )


@router.post(_PATH)
async def choose_plan(request: Request, form: PostedForm) -> Response:
    """Take a plan, or ask for it."""
    services = services_of(request)
    caller = await logged_in(request)
    async with services.database.write() as connection:
        outcome = await services.billing.choose(
            connection, caller, form.get("plan", ""), clock.now()
        )
    return RedirectResponse(f"{_PATH}?done={outcome.value}", 303)


@router.post(f"{_PATH}/withdraw")
async def withdraw_request(request: Request, form: PostedForm) -> Response:  # noqa: ARG001 - checked
    """Ask for it no more."""
    services = services_of(request)
    caller = await logged_in(request)
    async with services.database.write() as connection:
        await services.billing.withdraw(connection, caller)
    return RedirectResponse(f"{_PATH}?done=withdrawn", 303)
