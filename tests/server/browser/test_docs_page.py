"""The reference page in a real browser: tabs, the reader's key, copying, contents."""

from __future__ import annotations

import re
from typing import Final

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Locator, Page, expect

from tests.server.browser.conftest import OpenPage
from tests.server.browser.test_site import log_in
from tests.server.browsing import DESK, PHONE
from tests.server.running import RunningServer

pytestmark = pytest.mark.anyio

KEY: Final = "tj_" + "aB3" * 14 + "x"


def tab(page: Page, topic: str, name: str) -> Locator:
    return page.locator(f"#{topic}-example").get_by_role("tab", name=name)


def panel(page: Page, topic: str) -> Locator:
    """The one that is shown."""
    return page.locator(f"#{topic}-example").get_by_role("tabpanel")


async def test_a_language_is_chosen_for_the_whole_page_and_kept(open_new_page: OpenPage) -> None:
    page = await open_new_page()
    await page.goto("/docs")
    await expect(tab(page, "optimize", "cURL")).to_have_attribute("aria-selected", "true")
    await expect(panel(page, "optimize")).to_contain_text("curl -X POST")
    await tab(page, "optimize", "Python").click()
    for topic in ("optimize", "status", "idempotency"):
        await expect(tab(page, topic, "Python")).to_have_attribute("aria-selected", "true")
        await expect(tab(page, topic, "cURL")).to_have_attribute("aria-selected", "false")
        await expect(panel(page, topic)).to_have_count(1)
        await expect(panel(page, topic)).to_contain_text("import requests")
    await page.reload()
    await expect(panel(page, "status")).to_contain_text("import requests")


async def test_tabs_are_used_by_keys(open_new_page: OpenPage) -> None:
    page = await open_new_page()
    await page.goto("/docs")
    await tab(page, "status", "cURL").focus()
    for key, name in (
        ("ArrowRight", "Python"),
        ("ArrowRight", "JavaScript"),
        ("ArrowRight", "cURL"),
        ("ArrowLeft", "JavaScript"),
        ("Home", "cURL"),
        ("End", "JavaScript"),
    ):
        await page.keyboard.press(key)
        await expect(tab(page, "status", name)).to_be_focused()
        await expect(tab(page, "status", name)).to_have_attribute("aria-selected", "true")
    await expect(panel(page, "status")).to_contain_text("await fetch(")
    # One tab stop for all of them.
    await page.keyboard.press("Tab")
    await expect(panel(page, "status").get_by_role("button", name="Copy")).to_be_focused()


async def test_what_is_chosen_stays_where_it_is(open_new_page: OpenPage) -> None:
    page = await open_new_page()
    await page.goto("/docs")
    chosen = tab(page, "idempotency", "JavaScript")
    await chosen.scroll_into_view_if_needed()
    before = await chosen.bounding_box()
    await chosen.click()
    after = await chosen.bounding_box()
    assert before is not None
    assert after is not None
    assert after["y"] == pytest.approx(before["y"], abs=2)


async def test_the_readers_key_fills_all_examples_and_goes_nowhere(
    open_new_page: OpenPage,
) -> None:
    page = await open_new_page()
    sent: list[str] = []
    await page.goto("/docs")
    page.on("request", lambda request: sent.append(request.url))
    field = page.get_by_label("API key", exact=True)
    await field.fill("tj_short")
    await expect(page.locator("#api-key-hint")).to_contain_text("This is not a whole key")
    await expect(field).to_have_attribute("aria-invalid", "true")
    await expect(panel(page, "stats")).to_contain_text("X-API-Key: YOUR_API_KEY")
    await field.fill(f"  {KEY} ")
    await expect(panel(page, "stats")).to_contain_text(f"X-API-Key: {KEY}")
    assert set(await page.locator(".api-key").all_text_contents()) == {KEY}
    # The icon may come late; nothing else is asked for.
    assert [url for url in sent if not url.endswith("/mark.svg")] == []
    stored = "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"
    assert await page.evaluate(stored) == f'[{{}},{{"tinyjpg.key":"{KEY}"}},""]'
    await page.reload()
    await expect(panel(page, "stats")).to_contain_text(KEY)
    await page.get_by_role("button", name="Forget").click()
    await expect(panel(page, "stats")).to_contain_text("YOUR_API_KEY")
    assert await page.evaluate("sessionStorage.length") == 0


async def test_what_looks_like_markup_stays_out_of_the_examples(open_new_page: OpenPage) -> None:
    page = await open_new_page()
    await page.goto("/docs")
    await page.get_by_label("API key", exact=True).fill("<img src=x onerror=alert(1)>")
    await expect(page.locator(".code img")).to_have_count(0)
    await expect(panel(page, "stats")).to_contain_text("YOUR_API_KEY")


async def test_code_is_copied_with_the_key_in_it(open_new_page: OpenPage) -> None:
    page = await open_new_page()
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await page.goto("/docs")
    await page.get_by_label("API key", exact=True).fill(KEY)
    await panel(page, "stats").get_by_role("button", name="Copy").click()
    await expect(panel(page, "stats").get_by_role("button")).to_have_text("Copied")
    copied = await page.evaluate("navigator.clipboard.readText()")
    assert re.fullmatch(
        rf'curl -X GET "http://[^"]+/api/v1/stats" \\\n  -H "X-API-Key: {KEY}"', copied
    )


async def test_the_contents_stay_beside_the_text_and_say_what_is_read(
    open_new_page: OpenPage,
) -> None:
    page = await open_new_page(width=DESK)
    await page.goto("/docs")
    contents = page.get_by_role("navigation", name="On this page")
    await contents.get_by_role("link", name="Usage Statistics").click()
    await expect(page.locator("#usage")).to_be_in_viewport()
    await expect(contents.locator(".at-desk [aria-current]")).to_have_text("Usage Statistics")
    await expect(contents.get_by_role("link", name="Quick Start")).to_be_in_viewport()


async def test_the_contents_fold_on_a_phone(open_new_page: OpenPage) -> None:
    page = await open_new_page(width=PHONE)
    await page.goto("/docs")
    link = page.get_by_role("link", name="Idempotency", exact=True)
    await expect(link).to_be_hidden()
    await page.locator("summary", has_text="On this page").click()
    await link.click()
    await expect(link).to_be_hidden()
    await expect(page.locator("#idempotency")).to_be_in_viewport()


async def test_without_scripts_all_languages_are_there(open_new_page: OpenPage) -> None:
    page = await open_new_page(scripts=False)
    await page.goto("/docs")
    for text in ("curl -X GET", "import requests", "await fetch("):
        await expect(page.locator("#stats-example").get_by_text(text)).to_be_visible()
    for what in (".tabs", ".copy", "#api-key"):
        await expect(page.locator(what).first).to_be_hidden()


@pytest.mark.parametrize("width", [PHONE, DESK])
async def test_a_reader_with_a_key_is_told_which(
    open_new_page: OpenPage, server: RunningServer, width: int
) -> None:
    page = await open_new_page(width=width)
    await log_in(page, server)
    answer = await page.request.post("/api/keys", data={"name": "A rather long name " * 4})
    made = (await answer.json())["data"]
    await page.goto("/docs")
    await expect(page.locator(".key-box")).to_contain_text(made["hint"])
    await page.get_by_label("API key", exact=True).fill(made["key"])
    await expect(panel(page, "quick_start")).to_contain_text(made["key"])
    for summary in await page.locator(".fields summary").all():
        await summary.click()
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    found = await Axe().run(page)
    assert found.response["violations"] == [], found.generate_report()
