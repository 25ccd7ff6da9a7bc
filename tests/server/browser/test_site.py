"""What holds for every page, in a real browser."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Final

import pytest
from anyio import to_thread
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from tests.server.browser.conftest import OpenPage
from tests.server.browsing import DESK, PHONE
from tests.server.logging_in import new_login
from tests.server.people import PASSWORD
from tests.server.running import RunningServer

pytestmark = pytest.mark.anyio

# Pages that anybody may see, and those of accounts.
PATHS: Final = ("/", "/docs", "/pricing")
OF_ACCOUNTS: Final = ("/account/plan",)

# Bytes that a page with its styles and scripts may take.
_LARGEST: Final = 150_000

_TRANSFER: Final = """() => [
    ...performance.getEntriesByType("navigation"),
    ...performance.getEntriesByType("resource"),
].reduce((sum, entry) => sum + entry.transferSize, 0)"""
_SHIFT: Final = """() => new Promise((resolve) => {
    let sum = 0;
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) sum += entry.value;
    }).observe({ type: "layout-shift", buffered: true });
    setTimeout(() => resolve(sum), 300);
})"""
# What sticks out of the page, but for what lies in a box that scrolls by itself.
_STICKS_OUT: Final = """() => document.documentElement.scrollWidth > innerWidth
    ? [...document.querySelectorAll("body *")]
        .filter((element) => element.getBoundingClientRect().right > innerWidth)
        .map((element) => element.outerHTML.slice(0, 80)).slice(0, 5)
    : []"""

OpenAt = Callable[..., Coroutine[Any, Any, Page]]


@pytest.fixture(params=[PHONE, DESK])
def width(request: pytest.FixtureRequest) -> int:
    """Of a phone and of a desk."""
    chosen: int = request.param
    return chosen


@pytest.fixture
def open_at(open_new_page: OpenPage, server: RunningServer, width: int) -> OpenAt:
    """Opens a page of this width at a path, logged in where the path wants it."""

    async def make(path: str, **arguments: Any) -> Page:
        page: Page = await open_new_page(width=width, **arguments)
        if path in OF_ACCOUNTS:
            await log_in(page, server)
        await page.goto(path, wait_until="networkidle")
        return page

    return make


async def log_in(page: Page, server: RunningServer, plan: str = "Free") -> str:
    """Log a new account in; its address."""
    email = await to_thread.run_sync(new_login, server, plan)
    given = {"email": email, "password": PASSWORD}
    answer = await page.request.post("/api/session", data=given)
    assert answer.ok, await answer.text()
    return email


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PATHS + OF_ACCOUNTS)
async def test_axe_finds_nothing(open_at: OpenAt, path: str, scheme: str) -> None:
    page = await open_at(path, scheme=scheme)
    found = await Axe().run(page)
    assert found.response["violations"] == [], found.generate_report()


@pytest.mark.parametrize("path", PATHS + OF_ACCOUNTS)
async def test_nothing_scrolls_sideways(open_at: OpenAt, path: str) -> None:
    page = await open_at(path)
    assert await page.evaluate(_STICKS_OUT) == []


@pytest.mark.parametrize("path", PATHS + OF_ACCOUNTS)
async def test_pages_are_small_and_nothing_moves(open_at: OpenAt, path: str) -> None:
    page = await open_at(path)
    assert 0 < await page.evaluate(_TRANSFER) < _LARGEST
    assert await page.evaluate(_SHIFT) == 0


@pytest.mark.parametrize("path", PATHS + OF_ACCOUNTS)
async def test_pages_stand_without_scripts(open_at: OpenAt, path: str) -> None:
    page = await open_at(path, scripts=False)
    await expect(page.locator("h1")).to_be_visible()


async def test_a_page_that_is_not_there_is_fit_to_see(
    open_new_page: OpenPage, server: RunningServer
) -> None:
    page = await open_new_page(width=PHONE)
    await page.goto("/")
    # As a document, so that the browser does not tell of the status as of a fault.
    answer = await page.request.get("/no-such-page", headers={"Accept": "text/html"})
    await page.set_content((await answer.text()).replace('href="/', f'href="{server.url}/'))
    await expect(page.get_by_role("heading", level=1)).to_have_text("Not Found")
    assert await page.evaluate(_STICKS_OUT) == []
    found = await Axe().run(page)
    assert found.response["violations"] == [], found.generate_report()


async def test_the_first_key_reaches_the_content(open_new_page: OpenPage) -> None:
    page = await open_new_page()
    await page.goto("/")
    await page.keyboard.press("Tab")
    await expect(page.locator(".skip")).to_be_focused()
