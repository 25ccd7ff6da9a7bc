"""Somebody with a browser that runs no scripts: keeps cookies, follows links, sends forms."""

from __future__ import annotations

import re
import uuid
from types import TracebackType
from typing import Final, Self

import httpx

from tests.server.running import RunningServer

PASSWORD: Final = "a long sentence for tests"  # noqa: S105 - of people that tests make

_TOKEN: Final = re.compile(r'name="form_token" value="([0-9a-f]{64})"')


class Person:
    """Uses the pages of `server`, in a `with` statement.

    Attributes:
        client: for requests that are no forms.
        email: of their own, nobody else's; made up where none is given.
    """

    def __init__(self, server: RunningServer, email: str = "") -> None:
        self.client: Final = httpx.Client(
            base_url=server.url,
            headers={"Accept": "text/html,*/*;q=0.8"},
            timeout=90,
            trust_env=False,
        )
        self.email: Final = email or f"{uuid.uuid4().hex}@example.com"

    @property
    def credentials(self) -> dict[str, str]:
        """What `POST /api/session` takes."""
        return {"email": self.email, "password": PASSWORD}

    def get(self, path: str) -> httpx.Response:
        """Open a page."""
        return self.client.get(path)

    def send(self, path: str, /, at: str | None = None, **fields: str) -> httpx.Response:
        """Send the form for `path` that stands on the page `at` (the same by default)."""
        return self.client.post(path, data={"form_token": self.token(at or path), **fields})

    def token(self, path: str) -> str:
        """Of the forms on a page."""
        answer = self.get(path)
        found = _TOKEN.search(answer.text)
        assert found, f"no form on {path}: {answer.status_code} {answer.text}"
        return found[1]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.client.close()
