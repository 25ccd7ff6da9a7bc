"""Changing plans in a real browser."""

from __future__ import annotations

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from tests.server.browser.conftest import OpenPage
from tests.server.browser.test_site import log_in
from tests.server.browsing import PHONE
from tests.server.running import RunningServer

pytestmark = pytest.mark.anyio


async def test_a_plan_is_chosen_asked_for_and_taken_back(
    open_new_page: OpenPage, server: RunningServer
) -> None:
    page = await open_new_page(width=PHONE)
    await log_in(page, server, "Pro")
    await page.goto("/pricing")
    await page.get_by_role("link", name="Choose Business").click()
    await expect(page).to_have_url(f"{server.url}/account/plan#plan-3")
    await page.get_by_role("button", name="Ask for Business").click()
    await expect(page.get_by_role("status")).to_have_text("Your request for Business is noted.")
    assert (await Axe().run(page)).response["violations"] == []
    await page.get_by_role("button", name="Withdraw the request").click()
    await expect(page.get_by_role("status")).to_have_text("Your request is withdrawn.")
    await page.get_by_role("button", name="Change to Free").click()
    await expect(page.get_by_role("status")).to_have_text("You are on the plan Free now.")
    await expect(page.locator(".plan.current h3")).to_have_text("Free")
