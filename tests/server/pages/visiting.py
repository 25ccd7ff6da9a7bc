"""Somebody with a browser at any address, and the application in this process."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Final

import httpx
from fastapi import FastAPI

from tests.server.account_tools import PASSWORD

_TOKEN: Final = re.compile(r'name="form_token" value="([0-9a-f]{64})"')


class Visitor:
    """Somebody with a browser that runs no scripts, at one address.

    Attributes:
        client: keeps the cookies.
        app: that is visited.
    """

    def __init__(self, client: httpx.AsyncClient, app: FastAPI) -> None:
        self.client: Final = client
        self.app: Final = app

    async def get(self, path: str) -> httpx.Response:
        """Open a page."""
        return await self.client.get(path)

    async def token(self, path: str) -> str:
        """Of the forms on a page."""
        answer = await self.get(path)
        found = _TOKEN.search(answer.text)
        assert found, f"no form on {path}: {answer.status_code} {answer.text}"
        return found[1]

    async def send(self, path: str, /, at: str | None = None, **fields: str) -> httpx.Response:
        """Send the form for `path` that stands on the page `at` (the same by default)."""
        return await self.post(path, {"form_token": await self.token(at or path), **fields})

    async def post(
        self, path: str, fields: Mapping[str, str], headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """Send fields as they are."""
        return await self.client.post(path, data=dict(fields), headers=headers)

    async def log_in(self, email: str, password: str = PASSWORD) -> None:
        """Fill in the form to log in."""
        answer = await self.send("/log-in", email=email, password=password)
        assert answer.status_code == 303, answer.text


Visit = Callable[..., AbstractAsyncContextManager[Visitor]]
