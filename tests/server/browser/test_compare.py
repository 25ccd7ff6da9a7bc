"""Before and after over one another, with a divider between, in a real browser."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.server.browser.conftest import OpenPage
from tests.server.browser.home_page import choose, done, files, row

pytestmark = pytest.mark.anyio


async def split(page: Page) -> int:
    value = await page.get_by_role("slider", name="Divider").get_attribute("aria-valuenow")
    assert value is not None
    return int(value)


async def clipped(page: Page) -> float:
    """The x of the edge of "after", in the window's pixels."""
    edge: float = await page.evaluate(
        """() => {
          const after = document.querySelector("#stage .after");
          const inset = getComputedStyle(after).clipPath.match(/[\\d.]+(?=px\\)$)/);
          return after.getBoundingClientRect().left + Number(inset ? inset[0] : 0);
        }"""
    )
    return edge


async def test_the_divider_by_keyboard_and_pointer(open_new_page: OpenPage) -> None:
    page = await open_new_page()
    await page.goto("/")
    await choose(page, files("a.png", width=900, height=700))
    await done(page, "a.png")
    await row(page, "a.png").get_by_role("button", name="Compare").click()
    await expect(page.locator("#stage.ready")).to_be_visible()
    divider = page.get_by_role("slider", name="Divider")
    await expect(divider).to_be_focused()
    assert await split(page) == 50
    before = await clipped(page)
    for key, at in (("ArrowLeft", 49), ("ArrowRight", 50), ("Shift+ArrowRight", 60)):
        await page.keyboard.press(key)
        assert await split(page) == at
    assert await clipped(page) > before
    await page.keyboard.press("Home")
    assert await split(page) == 0
    await page.keyboard.press("PageUp")
    assert await split(page) == 10
    stage = await page.locator("#stage").bounding_box()
    box = await divider.bounding_box()
    assert stage
    assert box
    middle = box["y"] + box["height"] / 2
    await page.mouse.move(box["x"] + box["width"] / 2, middle)
    await page.mouse.down()
    await page.mouse.move(stage["x"] + stage["width"] * 0.7, middle, steps=4)
    await page.mouse.up()
    assert await split(page) == 70
    assert await clipped(page) == pytest.approx(stage["x"] + stage["width"] * 0.7, abs=1.5)
    await page.keyboard.press("Escape")
    await expect(page.locator("#compare")).not_to_be_visible()
    await expect(row(page, "a.png").get_by_role("button", name="Compare")).to_be_focused()


async def test_zoom_shows_pixels_and_dragging_pans(open_new_page: OpenPage) -> None:
    page = await open_new_page()
    await page.goto("/")
    await choose(page, files("a.png", width=1600, height=1000))
    await done(page, "a.png")
    await row(page, "a.png").get_by_role("button", name="Compare").click()
    await expect(page.locator("#stage.ready")).to_be_visible()
    after = page.locator("#stage .after")
    for which, kind in (("before", "original"), ("after", "optimized")):
        source = await page.locator(f"#stage .{which}").get_attribute("src")
        assert str(source).startswith(f"/direct-file/{kind}/")

    async def shown(zoom: str) -> tuple[float, str]:
        await page.get_by_role("button", name=zoom, exact=True).click()
        pressed = page.locator('.zoom[aria-pressed="true"]')
        await expect(pressed).to_have_text(zoom)
        box = await after.bounding_box()
        assert box
        return box["width"], await after.evaluate("i => getComputedStyle(i).imageRendering")

    opened = await after.bounding_box()
    assert opened
    assert opened["width"] == 1600
    width, rendering = await shown("Fit")
    assert width < 1280
    assert rendering == "auto"
    assert await shown("1:1") == (1600, "auto")
    assert await shown("2\u00d7") == (3200, "pixelated")
    # What was in the middle stays there.
    middle = "e => [e.scrollLeft + e.clientWidth / 2, e.scrollTop + e.clientHeight / 2]"
    scroller = page.locator("#stage .scroller")
    assert await scroller.evaluate(middle) == pytest.approx([1600, 1000], abs=2)
    await page.mouse.move(300, 300)
    await page.mouse.down()
    await page.mouse.move(200, 260, steps=5)
    await page.mouse.up()
    assert await scroller.evaluate(middle) == pytest.approx([1700, 1040], abs=3)
    # The edge stays under the divider.
    divider = await page.get_by_role("slider", name="Divider").bounding_box()
    assert divider
    assert await clipped(page) == pytest.approx(divider["x"] + divider["width"] / 2, abs=1.5)
