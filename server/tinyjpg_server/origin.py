"""Against requests that another site's page makes a browser send."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request

from tinyjpg_server.errors import ForbiddenError
from tinyjpg_server.services import services_of

_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def same_origin(request: Request) -> None:
    """Let pass what only reads, what no browser sent, and what a page of this origin sent.

    Raises:
        ForbiddenError: another site's page sent it; code `cross_origin`.
    """
    if request.method in _SAFE_METHODS:
        return
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site is not None:
        allowed = site in {"same-origin", "none"}
    elif origin is not None:
        allowed = _is_ours(origin, request)
    else:
        allowed = True
    if not allowed:
        raise ForbiddenError(
            "This request must come from a page of this service.", code="cross_origin"
        )


def _is_ours(origin: str, request: Request) -> bool:
    if origin == _origin_of(services_of(request).settings.base_url):
        return True
    try:
        host = urlsplit(origin).netloc.lower()
    except ValueError:
        # Nothing that a browser sends.
        return False
    return bool(host) and host == request.headers.get("host", "").lower()


def _origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
