"""Forms whose button is pressed twice before the answer is here."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from playwright.async_api import Page, Route, expect

from tests.server.browser.conftest import OpenPage
from tests.server.browser.home_page import choose, done, files, row
from tests.server.logging_in import COOKIE, new_member
from tests.server.running import RunningServer

pytestmark = pytest.mark.anyio

# By a script, since Playwright waits for the answer to the first; in turns of their own, as people
# press, and with a turn more in which the second is sent.
_PRESS_TWICE = """async (button) => {
  for (let times = 0; times < 2; times += 1) {
    button.click();
    await new Promise((go) => setTimeout(go, 200));
  }
}"""


async def press_twice(page: Page, path: str, name: str) -> list[str]:
    """Press a button, and once more while the answer to its form, sent to `path`, is held up; what
    was sent.
    """
    sent: list[str] = []
    go = asyncio.Event()

    async def hold(route: Route) -> None:
        if route.request.method == "POST":
            sent.append(route.request.url)
            await go.wait()
        await route.continue_()

    await page.route(path, hold)
    button = page.get_by_role("button", name=name)
    await button.evaluate(_PRESS_TWICE)
    go.set()
    return sent


async def test_one_key_is_made(open_new_page: OpenPage, server: RunningServer) -> None:
    page = await open_new_page()
    member = await asyncio.to_thread(new_member, server)
    cookie: Any = {"name": COOKIE, "value": member.session, "url": server.url}
    await page.context.add_cookies([cookie])
    await page.goto("/dashboard")
    await page.locator('form[action="/dashboard/keys"] [name="name"]').fill("shop")
    assert len(await press_twice(page, "**/dashboard/keys", "Make the key")) == 1
    await expect(page.locator("#new-key")).to_be_visible()


async def test_an_image_is_optimized_again_once(open_new_page: OpenPage) -> None:
    page = await open_new_page()
    await page.goto("/")
    await choose(page, files("a.jpg"))
    await done(page, "a.jpg")
    link = await row(page, "a.jpg").get_by_role("link", name="Download").get_attribute("href")
    assert link
    await page.goto(f"/result/{link.split('/')[-1].partition('.')[0]}")
    await page.get_by_label("Another quality").fill("50")
    assert len(await press_twice(page, "**/result/*/again*", "Optimize again")) == 1
    await expect(page.get_by_label("Another quality")).to_have_value("50")
