"""What happens to every request: an id, a log line, figures, safe headers, no bare failure."""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tinyjpg_server.logs import bound, log_request

_log = logging.getLogger("tinyjpg_server.access")

_KEY: Final = "tinyjpg.facts"
_CLIENT_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")
# Names of images are all that is needed to fetch them, so they stay out of the log.
_SECRET_PATHS: Final = ("/direct-file/", "/result/", "/web/")
# Routes below it know only the rest of their path.
_API: Final = "/api/"
# nginx's word for a client that went away before the answer.
CLIENT_CLOSED: Final = 499
_LONGEST_PATH: Final = 200

_SECURITY_HEADERS: Final = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"cache-control": b"no-store",
}

Observer = Callable[[str, str, int, float], None]
"""Called with route, method, status and seconds of each request."""


@dataclass(slots=True)
class RequestFacts:
    """What is known about a request beside what it says.

    Attributes:
        request_id: in the log and in the answer.
        address: of the client.
        headers: added to the answer, whatever it will be; names in lower case.
        account_id: who asked, once known.
        image_id: what about, once known.
        body_ended: whether all of an upload was received.
    """

    request_id: str
    address: str
    headers: dict[bytes, bytes] = field(default_factory=dict)
    account_id: int | None = None
    image_id: int | None = None
    body_ended: bool = False


def facts_of(connection: HTTPConnection) -> RequestFacts:
    """The facts of a request that came through the middleware."""
    facts: RequestFacts = connection.scope[_KEY]
    return facts


class RequestMiddleware:
    """Pure ASGI, since it is passed by every request and by every piece of every file.

    Args:
        app: what answers.
        observe: told of each request when it is over.
        unexpected: gives the answer to a request that failed for no reason we know.
        trust_proxy: whether the last address in X-Forwarded-For is the client's.
    """

    def __init__(
        self,
        app: ASGIApp,
        observe: Observer,
        unexpected: Callable[[Scope], Response],
        *,
        trust_proxy: bool = False,
    ) -> None:
        self._app = app
        self._unexpected = unexpected
        self._observe = observe
        self._trust_proxy = trust_proxy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        facts = RequestFacts(_request_id(scope), self._address(scope))
        scope[_KEY] = facts
        status = 0

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = _complete(message["headers"], facts)
            await send(message)

        with bound(request_id=facts.request_id):
            try:
                await self._app(scope, receive, send_on)
            except ClientDisconnect:
                # Nobody is left to answer.
                return
            except Exception:
                _log.exception("the request failed")
                if status:
                    # Half an answer is out; only a broken connection tells the client.
                    raise
                await self._unexpected(scope)(scope, receive, send_on)
            finally:
                self._account(scope, facts, status or CLIENT_CLOSED, time.perf_counter() - started)

    def _account(self, scope: Scope, facts: RequestFacts, status: int, seconds: float) -> None:
        route = _template(scope)
        self._observe(route, scope["method"], status, seconds)
        path = scope["path"]
        with bound(account_id=facts.account_id, image_id=facts.image_id):
            log_request(
                _log,
                method=scope["method"],
                path=route if path.startswith(_SECRET_PATHS) else path[:_LONGEST_PATH],
                status=status,
                seconds=seconds,
            )

    def _address(self, scope: Scope) -> str:
        if self._trust_proxy:
            # The last one is the proxy's own word, all before it is the client's.
            for name, value in reversed(scope["headers"]):
                if name == b"x-forwarded-for":
                    last: str = value.decode("latin-1").rpartition(",")[2].strip()
                    return last[:64] or "unknown"
        client = scope.get("client")
        return client[0] if client else "unknown"


def _template(scope: Scope) -> str:
    """The route's path with its parameters' names, one for both versions of the API."""
    template: str = getattr(scope.get("route"), "path", "unmatched")
    if template != "unmatched" and scope["path"].startswith(_API):
        return f"{_API}{template.removeprefix('/')}"
    return template


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _CLIENT_ID.fullmatch(value):
            given: str = value.decode("ascii")
            return given
    return uuid.uuid4().hex


def _complete(headers: list[tuple[bytes, bytes]], facts: RequestFacts) -> list[tuple[bytes, bytes]]:
    """The headers of an answer, with ours where it does not set its own."""
    present = {name.lower() for name, _ in headers}
    added = {**_SECURITY_HEADERS, **facts.headers}
    return [
        *headers,
        *((name, value) for name, value in added.items() if name not in present),
        (b"x-request-id", facts.request_id.encode("ascii")),
    ]
