"""What tests in a browser share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.server.browsing import open_browser, open_page, why_not
from tests.server.running import RunningServer

OpenPage = Callable[..., Awaitable[Page]]


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One browser for all tests of this process."""
    reason = why_not()
    if reason:
        pytest.skip(reason)
    # Images are worked on meanwhile, maybe on a machine that does much else.
    expect.set_options(timeout=30_000)
    async with open_browser() as opened:
        yield opened


@pytest.fixture
async def open_new_page(browser: Browser, server: RunningServer) -> AsyncIterator[OpenPage]:
    """Opens pages of the running service, each with cookies of its own; see `open_page`."""
    async with AsyncExitStack() as stack:

        async def make(**arguments: Any) -> Page:
            return await stack.enter_async_context(open_page(browser, server.url, **arguments))

        yield make
