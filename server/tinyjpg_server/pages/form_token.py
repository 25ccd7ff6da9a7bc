"""Forms are taken only from pages of ours: each carries a token that fits the browser's cookies.

The token is a hash of a random cookie of this browser and of its session, so that it ends with
either; another site can read neither cookie, and no secret of the server is needed.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from hmac import compare_digest
from typing import Final

from starlette.requests import HTTPConnection
from starlette.responses import Response

from tinyjpg_server.errors import ForbiddenError
from tinyjpg_server.services import services_of
from tinyjpg_server.session_cookie import cookie_name, session_token
from tinyjpg_server.settings import Settings

FIELD: Final = "form_token"
HEADER: Final = "x-form-token"

_COOKIE: Final = "tinyjpg-form"
_SEED: Final = re.compile(r"[0-9a-f]{32}")


class FormToken:
    """The token of the forms on one page; the cookie is set only where a form asks for one."""

    def __init__(self, request: HTTPConnection) -> None:
        self._seed = _seed_of(request)
        self._session = session_token(request)
        self._new = False

    def value(self) -> str:
        """The token."""
        if not self._seed:
            self._seed = secrets.token_hex(16)
            self._new = True
        return _token(self._seed, self._session)

    def remember(self, answer: Response, settings: Settings) -> None:
        """Let the browser keep what the token was made from."""
        if self._new:
            answer.set_cookie(
                cookie_name(settings, _COOKIE),
                self._seed,
                secure=settings.is_https,
                httponly=True,
                samesite="lax",
            )


def check_form_token(request: HTTPConnection, given: str) -> None:
    """Compare the token that came with a form.

    Raises:
        ForbiddenError: it does not fit; code `form_expired`.
    """
    seed = _seed_of(request)
    wanted = _token(seed, session_token(request))
    if not seed or not compare_digest(wanted.encode(), given.encode("utf-8", "replace")):
        raise ForbiddenError(
            "This form is no longer valid: you logged in or out since, or cookies are off. "
            "Reload the page and send it again.",
            code="form_expired",
        )


def _seed_of(request: HTTPConnection) -> str:
    seed = request.cookies.get(cookie_name(services_of(request).settings, _COOKIE), "")
    return seed if _SEED.fullmatch(seed) else ""


def _token(seed: str, session: str) -> str:
    return hashlib.sha256(f"form {seed} {session}".encode("utf-8", "replace")).hexdigest()
