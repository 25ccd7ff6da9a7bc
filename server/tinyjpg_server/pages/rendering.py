"""Templates become answers, with the headers that pages have."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, Response

from tinyjpg_server.accounts.caller import Caller
from tinyjpg_server.middleware import facts_of
from tinyjpg_server.pages import words
from tinyjpg_server.pages.assets import Assets
from tinyjpg_server.pages.form_token import FormToken
from tinyjpg_server.session_cookie import maybe_logged_in
from tinyjpg_server.settings import Settings

_TEMPLATES: Final = Path(__file__).parent / "templates"

_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        # Pictures that a script shows before they are uploaded are blobs.
        "img-src 'self' blob:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
}
# What programs ask for, whatever they say that they accept.
_NOT_PAGES: Final = re.compile(
    r"/(api|direct-file|static|web|metrics|openapi\.json|healthz|readyz)(/|$)"
)
_OVER_TLS: Final = {"Strict-Transport-Security": "max-age=31536000"}


class Pages:
    """The templates and static files of one application.

    Args:
        settings: in force.
    """

    def __init__(self, settings: Settings) -> None:
        self.assets: Final = Assets()
        self._settings: Final = settings
        self._templates: Final = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters.update(words.FILTERS)
        self._templates.globals.update(
            asset=self.assets.url,
            price=words.price,
            base_url=settings.base_url,
            sign_up_open=settings.sign_up,
        )

    def render(
        self,
        request: HTTPConnection,
        template: str,
        viewer: Caller | None,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **values: Any,
    ) -> Response:
        """The page that `template` makes of `values`, for `viewer`, None if nobody is logged in."""
        token = FormToken(request)
        html = self._templates.get_template(template).render(
            path=request.url.path, viewer=viewer, form_token=token.value, **values
        )
        over_tls = _OVER_TLS if self._settings.is_https else {}
        answer = HTMLResponse(html, status, {**_HEADERS, **over_tls, **(headers or {})})
        token.remember(answer, self._settings)
        return answer


def pages_of(request: HTTPConnection) -> Pages:
    """The pages of the application that this request came to."""
    pages: Pages = request.app.state.pages
    return pages


async def page(
    request: HTTPConnection,
    template: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **values: Any,
) -> Response:
    """The page that `template` makes of `values`, for whoever is logged in."""
    viewer = await maybe_logged_in(request)
    return pages_of(request).render(
        request, template, viewer, status=status, headers=headers, **values
    )


def failure_page(
    request: HTTPConnection,
    status: int,
    message: str,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The page that says what went wrong. It asks nobody who is logged in: the database may be
    what failed.
    """
    return pages_of(request).render(
        request,
        "error.html",
        None,
        status=status,
        headers=headers,
        title=HTTPStatus(status).phrase,
        status_code=status,
        message=message,
        retry_after=(headers or {}).get("Retry-After"),
        request_id=facts_of(request).request_id,
    )


def log_in_address(request: HTTPConnection) -> str:
    """Where to log in and come back to the page that `request` asks for."""
    url = request.url
    wanted = f"{url.path}?{url.query}" if url.query else url.path
    return (
        f"/log-in?{urlencode({'next': wanted})}" if request.scope["method"] == "GET" else "/log-in"
    )


def is_page(request: HTTPConnection) -> bool:
    """Whether who asks is a browser that shows what comes, not a program."""
    wants_page = "text/html" in request.headers.get("accept", "")
    return wants_page and not _NOT_PAGES.match(request.url.path)
