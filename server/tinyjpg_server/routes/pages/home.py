"""The home page."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from tinyjpg_server.pages.rendering import page

router = APIRouter()


@router.get("/")
async def home(request: Request) -> Response:
    """Drop images and see them shrink."""
    return await page(request, "home.html")
