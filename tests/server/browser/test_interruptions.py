"""The home page when something comes between: the network, a proxy, a folder, a closed dialog."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Request, Route, expect

from tests.server.browser.conftest import OpenPage
from tests.server.browser.home_page import choose, done, files, give, row
from tests.server.clients import picture
from tests.server.running import RunningServer

pytestmark = pytest.mark.anyio

# Asking for an image fails twice: nobody answers, then a proxy does.
_CUT = """
  const { fetch } = window;
  const failures = [
    () => Promise.reject(new TypeError("Failed to fetch")),
    () => Promise.resolve(new Response("<h1>Bad Gateway</h1>", { status: 502 })),
  ];
  window.asked = 0;
  window.fetch = (...given) => {
    window.asked += 1;
    return (failures.shift() ?? (() => fetch(...given)))();
  };
"""

_WATCH_LOADING = """() => {
  window.said = [];
  const loading = document.querySelector("#stage .loading");
  new MutationObserver(() => window.said.push(loading.textContent)).observe(loading, {
    childList: true,
  });
}"""


async def refusal_of(page: Page, name: str) -> str:
    """What the row of a file says that was not taken."""
    await expect(row(page, name)).to_have_attribute("data-state", "failed")
    return await row(page, name).locator(".fault").inner_text()


async def test_an_image_is_asked_for_again_and_not_sent_again(open_new_page: OpenPage) -> None:
    page = await open_new_page()
    sent: list[str] = []

    def note(request: Request) -> None:
        if request.method == "POST":
            sent.append(request.url)

    page.on("request", note)
    await page.add_init_script(_CUT)
    await page.goto("/")
    await choose(page, files("a.png"))
    await done(page, "a.png")
    assert len(sent) == 1
    assert await page.evaluate("window.asked") >= 3


@pytest.mark.parametrize("body", ["null", "[]", "1", '{"success": tr'])
async def test_an_answer_of_nobody_s_is_told(open_new_page: OpenPage, body: str) -> None:
    page = await open_new_page()

    async def answer(route: Route) -> None:
        await route.fulfill(status=200, body=body, content_type="application/json")

    await page.route("**/web/images", answer)
    await page.goto("/")
    await choose(page, files("a.png"))
    assert "answered with status 200" in await refusal_of(page, "a.png")


async def test_an_empty_file_is_called_empty(open_new_page: OpenPage) -> None:
    page = await open_new_page()
    await page.goto("/")
    await give(page, "drop", {"a.png": picture("png"), "empty.png": b""})
    assert "The file is empty" in await refusal_of(page, "empty.png")
    await done(page, "a.png")


async def test_a_folder_is_no_broken_connection(
    browser: Browser, server: RunningServer, tmp_path: Path
) -> None:
    folder, image = tmp_path / "holiday", tmp_path / "a.png"
    folder.mkdir()
    image.write_bytes(picture("png"))
    # Chromium tells on the console that it cannot show a folder.
    context = await browser.new_context(base_url=server.url)
    page = await context.new_page()
    await page.goto("/")
    session = await context.new_cdp_session(page)
    dragged = {"items": [], "files": [str(folder), str(image)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        event = {"type": kind, "x": 400, "y": 300, "data": dragged}
        await session.send("Input.dispatchDragEvent", event)
    assert "folder" in await refusal_of(page, "holiday")
    await done(page, "a.png")
    await context.close()


async def test_a_dialog_that_is_opened_again_while_it_loads(open_new_page: OpenPage) -> None:
    page = await open_new_page()
    go = asyncio.Event()

    async def hold(route: Route) -> None:
        await go.wait()
        await route.continue_()

    await page.goto("/")
    await choose(page, files("a.png"))
    await done(page, "a.png")
    await page.evaluate(_WATCH_LOADING)
    await page.route("**/direct-file/**", hold)
    compare = row(page, "a.png").get_by_role("button", name="Compare")
    await compare.click()
    await page.keyboard.press("Escape")
    await expect(page.locator("#compare")).to_be_hidden()
    await compare.click()
    await expect(page.locator("#compare")).to_be_visible()
    go.set()
    await expect(page.locator("#stage.ready")).to_be_visible()
    said = await page.evaluate("window.said")
    assert set(said) == {"Loading", ""}
