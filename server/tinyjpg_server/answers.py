"""The envelope that every answer has, success and failure alike."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from starlette.responses import Response

from tinyjpg_server.errors import ApiError, FieldErrors

JSON: Final = "application/json"

# For refusals that no class of ours stands for: the framework's own, and a proxy's habits.
_CODES: Final = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "upload_timeout",
    409: "conflict",
    413: "payload_too_large",
    415: "unsupported_media_type",
    422: "validation_failed",
    429: "rate_limited",
    503: "unavailable",
}
_MESSAGES: Final = {
    404: "There is nothing at this address; the paths are listed in /openapi.json.",
    405: "This address does not take this method; the header Allow lists those it takes.",
    500: "Something went wrong on our side. Try again; if it persists, tell us the X-Request-ID.",
}


def success(
    data: Any,
    message: str | None = None,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """`{"success": true, "message": ..., "data": ...}`; `data` is what `json` can write."""
    body = {"success": True, "data": data}
    if message is not None:
        body = {"success": True, "message": message, "data": data}
    return _answer(body, status, headers)


def failure(
    status: int,
    code: str,
    message: str,
    errors: FieldErrors | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """`{"success": false, "message": ..., "errors": {field: [messages]}, "code": ...}`."""
    body = {"success": False, "message": message, "errors": errors or {}, "code": code}
    return _answer(body, status, headers)


def failure_of(error: ApiError) -> Response:
    """The answer that `error` stands for."""
    return failure(error.status, error.code, error.message, error.errors, error.headers)


def plain_failure(status: int, headers: Mapping[str, str] | None = None) -> Response:
    """The answer for a bare status, as the framework's router gives them."""
    code = _CODES.get(status, "internal_error" if status >= 500 else "bad_request")
    message = _MESSAGES.get(status) or f"{HTTPStatus(status).phrase}."
    return failure(status, code, message, headers=headers)


def _answer(body: Mapping[str, Any], status: int, headers: Mapping[str, str] | None) -> Response:
    content = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # Lone surrogates, as in a file name that is no text, must not fail the answer.
    return Response(content.encode("utf-8", "replace"), status, headers, JSON)
