"""/healthz, /readyz and /metrics: for whoever runs the service."""

from __future__ import annotations

import hmac
import logging
from typing import Final

from fastapi import APIRouter
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import Response

from tinyjpg_server import answers
from tinyjpg_server.errors import StorageError, UnauthorizedError, UnavailableError
from tinyjpg_server.metrics import CONTENT_TYPE
from tinyjpg_server.services import Services, services_of

router = APIRouter()

_log = logging.getLogger(__name__)
_RETRY_AFTER: Final = 5


@router.get("/healthz")
async def healthz() -> Response:
    """Whether this process answers."""
    return answers.success({"status": "ok"})


@router.get("/readyz")
async def readyz(request: Request) -> Response:
    """Whether requests can be served: the database answers and files can be written."""
    services = services_of(request)
    failing = [
        name
        for name, works in (
            ("database", await _database_works(services)),
            ("storage", await _storage_works(services)),
        )
        if not works
    ]
    if failing:
        raise UnavailableError(
            f"Not ready: {' and '.join(failing)} not working.", retry_after=_RETRY_AFTER
        )
    return answers.success({"status": "ready"})


@router.get("/metrics", include_in_schema=False)
async def metrics(request: Request) -> Response:
    """Figures for Prometheus."""
    services = services_of(request)
    check_token(request, services)
    content = await services.metrics.render(services.database, services.store)
    return Response(content, headers={"Content-Type": CONTENT_TYPE})


async def _database_works(services: Services) -> bool:
    try:
        async with services.database.read() as connection:
            await connection.execute(select(text("1")))
    except (SQLAlchemyError, OSError):
        _log.exception("the database does not answer")
        return False
    return True


async def _storage_works(services: Services) -> bool:
    try:
        await services.store.check()
    except StorageError:
        _log.exception("the storage does not work")
        return False
    return True


def check_token(request: Request, services: Services) -> None:
    """Refuse who does not know the token of the metrics, if there is one.

    Raises:
        UnauthorizedError: it is missing or wrong.
    """
    token = services.settings.metrics_token
    if token is None:
        return
    given = request.headers.get("authorization", "").encode("utf-8", "replace")
    if not hmac.compare_digest(given, f"Bearer {token.get_secret_value()}".encode()):
        raise UnauthorizedError("Send the token of the metrics: Authorization: Bearer TOKEN.")
