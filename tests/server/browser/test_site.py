"""The frame of every page, in a real browser."""

from __future__ import annotations

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from tests.server.browser.conftest import OpenPage
from tests.server.browsing import DESK, PHONE

pytestmark = pytest.mark.anyio

PATHS = ("/",)


@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PATHS)
async def test_axe_finds_nothing(
    open_new_page: OpenPage, path: str, scheme: str, width: int
) -> None:
    page = await open_new_page(width=width, scheme=scheme)
    await page.goto(path)
    found = await Axe().run(page)
    assert found.response["violations"] == [], found.generate_report()


async def test_the_first_key_reaches_the_content(open_new_page: OpenPage) -> None:
    page = await open_new_page()
    await page.goto("/")
    await page.keyboard.press("Tab")
    await expect(page.locator(".skip")).to_be_focused()
