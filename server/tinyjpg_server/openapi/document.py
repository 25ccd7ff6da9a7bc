"""The document at /openapi.json: what the framework knows of the routes, completed."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.requests import Request
from starlette.responses import Response

from tinyjpg_server.openapi.account_operations import ACCOUNT_OPERATIONS
from tinyjpg_server.openapi.operations import JSON, MEANINGS, OPERATIONS, Operation
from tinyjpg_server.openapi.schemas import SCHEMAS, Schema, reference
from tinyjpg_server.settings import Settings

_KEY: Final = "apiKey"
_KNOWN: Final = {**OPERATIONS, **ACCOUNT_OPERATIONS}
_DESCRIPTION: Final = (
    "Optimize your images programmatically.\n\n"
    "All API requests require authentication using an API key in the `X-API-Key` header. Every "
    "path below `/api` is also there below `/api/v1`, and the other way round. Every answer has "
    "an `X-Request-ID`; those to a valid key say what is left of the rate limit "
    "(`X-RateLimit-Limit`, `-Remaining`, `-Reset`) and of the monthly quota (`X-Quota-Limit`, "
    "`-Used`, `-Remaining`, `-Reset`; resets are in seconds since 1970)."
)


def describe(app: FastAPI, settings: Settings) -> None:
    """Serve the document of all routes that `app` has now, and keep it in `app.state.document`."""
    made = document(app, settings.base_url, settings.longest_wait)
    app.state.document = made
    content = json.dumps(made).encode()

    async def openapi(_request: Request) -> Response:
        return Response(content, media_type=JSON)

    app.add_route("/openapi.json", openapi, include_in_schema=False)


def document(app: FastAPI, base_url: str, longest_wait: float) -> dict[str, Any]:
    """The OpenAPI 3.1 document of `app`, its examples for the service at `base_url`.

    `longest_wait` is in seconds.
    """
    made = get_openapi(
        title=app.title,
        version=app.version,
        description=_DESCRIPTION,
        routes=app.routes,
        servers=[{"url": base_url}],
    )
    paths: dict[str, Any] = {}
    for path, operations in made["paths"].items():
        if _is_alias(path):
            continue
        for method, generated in operations.items():
            known = _KNOWN.get((method, path))
            complete = _described(known) if known else _completed(generated)
            _add_curl(complete, known, method, base_url + path)
            paths.setdefault(path, {})[method] = complete
    components = made.setdefault("components", {})
    components.setdefault("schemas", {}).update(deepcopy(SCHEMAS))
    for replaced in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(replaced, None)
    components["securitySchemes"] = {
        _KEY: {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    }
    made["paths"] = paths
    filled: dict[str, Any] = json.loads(json.dumps(made).replace("{base_url}", base_url))
    _bound_waits(filled, longest_wait)
    return filled


def _bound_waits(described: Any, longest: float) -> None:
    """Say wherever `wait` is a parameter or a field how long it may be on this server."""
    if isinstance(described, list):
        for part in described:
            _bound_waits(part, longest)
    elif isinstance(described, dict):
        if described.get("name") == "wait":
            described["schema"]["maximum"] = longest
        if "maximum" in described.get("wait", {}):
            described["wait"]["maximum"] = longest
        for part in described.values():
            _bound_waits(part, longest)


def _is_alias(path: str) -> bool:
    """Whether the path is another's second address: usage is known below /api/v1, the rest /api."""
    if not path.startswith("/api/"):
        return False
    if path.startswith("/api/v1/"):
        return all(known != path for _, known in _KNOWN)
    return any(known == path.replace("/api/", "/api/v1/", 1) for _, known in _KNOWN)


def _described(operation: Operation) -> Schema:
    success: Schema = {"schema": operation.success_schema}
    if operation.example is not None:
        success["example"] = operation.example
    described: Schema = {
        "operationId": operation.id,
        "summary": operation.summary,
        "description": operation.description,
        "tags": [operation.tag],
        "parameters": [dict(parameter) for parameter in operation.parameters],
        "responses": {
            "200": {"description": "Success", "content": {JSON: success}},
            **{
                str(status): _failure(status, operation.failure_examples.get(status))
                for status in operation.failures
            },
        },
    }
    if operation.body is not None:
        described["requestBody"] = operation.body
    if operation.needs_key:
        described["security"] = [{_KEY: []}]
    return described


def _completed(generated: Schema) -> Schema:
    """An operation that the framework described, with our errors instead of its own."""
    responses = {
        status: response for status, response in generated["responses"].items() if status != "422"
    }
    for status in (400, 401, 403, 404, 409, 413, 422, 429, 500):
        responses.setdefault(str(status), _failure(status))
    for status, response in responses.items():
        if int(status) >= 400:
            response.setdefault("content", {JSON: {"schema": reference("Error")}})
    return {**generated, "responses": responses}


def _failure(status: int, example: Schema | None = None) -> Schema:
    content: Schema = {"schema": reference("Error")}
    if example is not None:
        content["example"] = example
    failure: Schema = {"description": MEANINGS[status], "content": {JSON: content}}
    if status in {429, 503}:
        failure["headers"] = {
            "Retry-After": {
                "description": "Seconds to wait.",
                "schema": {"type": "integer", "minimum": 1},
            }
        }
    return failure


def _add_curl(described: Schema, known: Operation | None, method: str, url: str) -> None:
    lines = [f'curl -X {method.upper()} "{url.replace("{image_id}", "123")}"']
    if known is not None and known.needs_key:
        lines.append('-H "X-API-Key: YOUR_API_KEY"')
    lines += known.curl if known is not None else ()
    source = " \\\n  ".join(lines)
    described["x-codeSamples"] = [{"lang": "cURL", "source": source}]
