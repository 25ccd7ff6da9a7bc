"""The web application: routes, envelope and what they stand on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from tinyjpg_server import answers
from tinyjpg_server.errors import ApiError
from tinyjpg_server.middleware import RequestMiddleware
from tinyjpg_server.services import Services
from tinyjpg_server.settings import Settings, load_settings

_log = logging.getLogger(__name__)


def create_app(settings: Settings | None = None) -> FastAPI:
    """The ASGI application.

    Args:
        settings: in force; read from the environment and the file by default.
    """
    settings = settings or load_settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            app.state.services = await _open_services(settings, stack)
            yield

    app = FastAPI(
        title="TinyJPG API",
        version="1.0",
        lifespan=lifespan,
        # The interactive pages of the framework load scripts from other hosts.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    _answer_failures(app)
    return app


def _answer_failures(app: FastAPI) -> None:
    """Let every exception become the envelope."""

    async def of_ours(_request: Request, error: Exception) -> Response:
        assert isinstance(error, ApiError)
        return answers.failure_of(error)

    async def of_framework(_request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return answers.plain_failure(error.status_code, error.headers)

    async def of_validation(_request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return answers.failure(
            422, "validation_failed", "Validation failed", _field_errors(error.errors())
        )

    app.add_exception_handler(ApiError, of_ours)
    app.add_exception_handler(HTTPException, of_framework)
    app.add_exception_handler(RequestValidationError, of_validation)


def _field_errors(faults: Any) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    for fault in faults:
        # The first part says where it was: body, query, path, header.
        name = ".".join(str(part) for part in fault["loc"][1:]) or str(fault["loc"][0])
        errors.setdefault(name, []).append(f"{fault['msg']}.")
    return errors
