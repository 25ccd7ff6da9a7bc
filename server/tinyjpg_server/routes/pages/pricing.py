"""The page of the plans."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from tinyjpg_server.accounts.plans import list_plans
from tinyjpg_server.pages.rendering import page
from tinyjpg_server.services import services_of

router = APIRouter()


@router.get("/pricing")
async def pricing(request: Request) -> Response:
    """The plans that are offered, the cheapest first."""
    services = services_of(request)
    async with services.database.read() as connection:
        plans = await list_plans(connection, offered=True)
    return await page(
        request,
        "pricing.html",
        plans=plans,
        is_immediate=services.billing.is_immediate,
        retention_days=services.settings.retention_days,
    )
