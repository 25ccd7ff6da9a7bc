"""How exceptions become answers in the envelope."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any, Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Match
from starlette.types import Scope

from tinyjpg_server import answers
from tinyjpg_server.db.outage import is_outage
from tinyjpg_server.errors import (
    ApiError,
    NotStoredError,
    ObjectNameError,
    StorageError,
    UnavailableError,
)
from tinyjpg_server.pages.rendering import failure_page, is_page, log_in_address

_log = logging.getLogger(__name__)

_RETRY_AFTER: Final = 5
_ON_PAGES: Final = {
    404: "There is no page at this address. It may have moved, or the link was cut short.",
    405: "This address is not a page to open.",
    413: "What was sent is too large.",
}
_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
# Among which are those of a database that is out of reach.
_OF_DATABASE: Final = (SQLAlchemyError, ConnectionError)


async def _of_ours(request: Request, error: ApiError) -> Response:
    if is_page(request):
        if error.status == 401:
            return RedirectResponse(log_in_address(request), 303)
        return failure_page(request, error.status, error.message, error.headers)
    return answers.failure_of(error)


async def _of_framework(request: Request, error: HTTPException) -> Response:
    headers = dict(error.headers or {})
    if error.status_code == 405:
        # The framework names those of one route only.
        headers["Allow"] = ", ".join(_allowed(request))
    if is_page(request):
        message = _ON_PAGES.get(error.status_code, f"{error.detail}.")
        return failure_page(request, error.status_code, message, headers)
    return answers.plain_failure(error.status_code, headers)


def _allowed(request: Request) -> list[str]:
    """The methods that this address takes."""
    routes: list[BaseRoute] = request.app.router.routes
    return [
        method
        for method in _METHODS
        if any(
            route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes
        )
    ]


async def _of_validation(request: Request, error: RequestValidationError) -> Response:
    faults = error.errors()
    if is_page(request):
        return failure_page(request, 422, "Something in this address or form does not fit.")
    if any(fault["type"] == "json_invalid" for fault in faults):
        return answers.failure(400, "bad_json", "The body is not valid JSON.")
    return answers.failure(422, "validation_failed", "Validation failed", _field_errors(faults))


async def _of_database(request: Request, error: Exception) -> Response:
    if not is_outage(error):
        raise error
    _log.error("the database does not answer", exc_info=error)
    return await _of_ours(
        request,
        UnavailableError(
            "The service cannot reach its database just now; try again.", retry_after=_RETRY_AFTER
        ),
    )


async def _of_storage(request: Request, error: StorageError) -> Response:
    if isinstance(error, NotStoredError | ObjectNameError):
        # Whoever asked had to know better.
        raise error
    _log.error("the storage does not work", exc_info=error)
    return await _of_ours(
        request,
        UnavailableError(
            "The service cannot reach its image files just now; try again.",
            retry_after=_RETRY_AFTER,
        ),
    )


def unexpected_failure(scope: Scope) -> Response:
    """The answer to a request that failed for no reason we know: nothing of the inside."""
    request = HTTPConnection(scope)
    if is_page(request):
        return failure_page(request, 500, "Something went wrong on our side. Try again.")
    return answers.plain_failure(500)


_HANDLERS: Final[Mapping[type[Exception], Any]] = {
    ApiError: _of_ours,
    HTTPException: _of_framework,
    RequestValidationError: _of_validation,
    StorageError: _of_storage,
    **dict.fromkeys(_OF_DATABASE, _of_database),
}


def answer_failures(app: FastAPI) -> None:
    """Let exceptions become answers; what is not named here is the middleware's."""
    for kind, handler in _HANDLERS.items():
        app.add_exception_handler(kind, handler)


def _field_errors(faults: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    for fault in faults:
        # The first part says where it was: body, query, path, header.
        place, *names = fault["loc"]
        name = ".".join(str(part) for part in names) or str(place)
        errors.setdefault(name, []).append(f"{fault['msg']}.")
    return errors
