"""Accounts and the dashboard in a real browser."""

from __future__ import annotations

import asyncio
import json
import subprocess
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from tests.server.browser.conftest import OpenPage
from tests.server.browsing import DESK, PHONE
from tests.server.clients import completed, execute, in_database, new_client, picture, upload
from tests.server.logging_in import COOKIE, Member, new_member
from tests.server.pages.seeding import add_image
from tests.server.people import PASSWORD
from tests.server.running import RunningServer
from tinyjpg_server.db import clock
from tinyjpg_server.db.connection import Connection
from tinyjpg_server.jobs.images import Image

pytestmark = pytest.mark.anyio

BOTH = pytest.mark.parametrize("width", [PHONE, DESK])
SCHEMES = pytest.mark.parametrize("scheme", ["light", "dark"])
LONG_NAME = "verylongnamewithoutanyspaces" * 2


async def enter(page: Page, server: RunningServer) -> Member:
    """Log a new account in on this page."""
    member = await asyncio.to_thread(new_member, server)
    cookie: Any = {"name": COOKIE, "value": member.session, "url": server.url}
    await page.context.add_cookies([cookie])
    return member


async def add(server: RunningServer, member: Member, **values: Any) -> Image:
    """A row of an image in the running service."""

    async def work(connection: Connection) -> Image:
        return await add_image(connection, member.id, **values)

    return await asyncio.to_thread(in_database, server, work)


async def fill(server: RunningServer, member: Member) -> None:
    """Every kind of image, one with its files, and months of history."""

    def send() -> None:
        with new_client(server, member.key) as client:
            completed(client, upload(client)["image_id"])

    await asyncio.to_thread(send)
    for month in range(1, 6):
        then = clock.now() - timedelta(days=30 * month)
        await add(server, member, now=then, format=("png", "webp")[month % 2])
    await add(
        server,
        member,
        status="failed",
        format="gif",
        frames=130,
        width=123_456,
        height=123_456,
        error_message="the GIF ends in the middle of its data: " + "41 of 512 rows, " * 8,
        expires_at=clock.now(),
    )


async def judge(page: Page) -> None:
    """Nothing is wrong for axe, and nothing scrolls sideways."""
    found = await Axe().run(page)
    assert found.response["violations"] == [], found.generate_report()
    over = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert await page.evaluate(over) == 0


def curl(server: RunningServer, key: str, photo: Path) -> dict[str, Any]:
    """What the API answers when curl sends `photo`."""
    done = subprocess.run(
        [
            "curl",
            "--silent",
            "--header",
            f"X-API-Key: {key}",
            "--form",
            f"image=@{photo}",
            f"{server.url}/api/optimize?wait=60",
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


async def test_from_the_sign_up_to_a_counted_image_and_a_revoked_key(
    open_new_page: OpenPage, server: RunningServer, tmp_path: Path
) -> None:
    photo = tmp_path / "photo.png"
    photo.write_bytes(picture())
    page = await open_new_page()
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    email = f"{uuid.uuid4().hex}@example.com"

    await page.goto("/")
    await page.get_by_role("link", name="Sign up").click()
    await page.get_by_label("E-mail").fill(email)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Make the account").click()
    await expect(page.get_by_role("status")).to_contain_text("Now log in")
    await expect(page.get_by_label("E-mail")).to_have_value(email)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("main").get_by_role("button", name="Log in").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Dashboard")
    await expect(page.locator(".quota")).to_contain_text("0 of 500 images")

    await page.get_by_label("Name of a new key").fill("Web shop")
    await page.get_by_role("button", name="Make the key").click()
    key = await page.locator("#new-key").inner_text()
    await page.get_by_role("button", name="Copy").click()
    await expect(page.get_by_role("status")).to_have_text("Copied to the clipboard.")
    assert await page.evaluate("navigator.clipboard.readText()") == key

    # Reloading makes no second key.
    await page.reload()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Dashboard")
    await expect(page.locator("li.key")).to_have_count(1)
    assert key not in await page.content()

    answer = await asyncio.to_thread(curl, server, key, photo)
    assert answer["data"]["status"] == "completed", answer
    await page.reload()
    await expect(page.locator(".quota")).to_contain_text("1 of 500 images")
    row = page.locator("li.image")
    await expect(row).to_contain_text("PNG 48")
    await expect(row.locator("img")).to_have_js_property("naturalWidth", 48)

    await page.get_by_role("button", name="Revoke the key Web shop").click()
    dialog = page.get_by_role("dialog", name="Revoke this key?")
    await expect(dialog).to_contain_text("“Web shop”")
    await expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    answer = await asyncio.to_thread(curl, server, key, photo)
    assert answer["success"] is True
    await page.get_by_role("button", name="Revoke the key Web shop").click()
    await dialog.get_by_role("button", name="Revoke the key").click()
    await expect(page.get_by_text("The key is revoked.")).to_be_visible()
    answer = await asyncio.to_thread(curl, server, key, photo)
    assert (answer["code"], answer["success"]) == ("unauthorized", False)


async def test_copying_where_there_is_no_clipboard_api(
    open_new_page: OpenPage, server: RunningServer
) -> None:
    page = await open_new_page()
    await page.add_init_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    await enter(page, server)
    await page.goto("/dashboard")
    await page.get_by_label("Name of a new key").fill("Plain http")
    await page.get_by_role("button", name="Make the key").click()
    key = await page.locator("#new-key").inner_text()
    await page.get_by_role("button", name="Copy").click()
    await expect(page.get_by_role("status")).to_have_text("Copied to the clipboard.")
    await page.get_by_role("link", name="Back to the dashboard").click()
    await page.get_by_label("Name of a new key").focus()
    await page.keyboard.press("Control+V")
    await expect(page.get_by_label("Name of a new key")).to_have_value(key)
    # The way back leads to no key, and makes none.
    await page.go_back()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Dashboard")
    await expect(page.locator("li.key")).to_have_count(2)
    await expect(page.get_by_text(key)).to_have_count(0)


async def test_without_scripts_a_page_asks(open_new_page: OpenPage, server: RunningServer) -> None:
    page = await open_new_page(scripts=False)
    await enter(page, server)
    await page.goto("/dashboard")
    await page.get_by_role("button", name="Revoke the key test").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Revoke this key?")
    await page.get_by_role("link", name="Cancel").click()
    await expect(page.locator("li.key")).to_have_count(1)
    await page.get_by_role("button", name="Revoke the key test").click()
    await page.get_by_role("button", name="Revoke the key").click()
    await expect(page.get_by_text("No key yet")).to_be_visible()


async def test_the_log_in_by_keyboard_alone(open_new_page: OpenPage) -> None:
    email = f"{uuid.uuid4().hex}@example.com"
    page = await open_new_page()
    await page.goto("/sign-up")
    await _type(page, email, PASSWORD)
    await expect(page.get_by_role("status")).to_contain_text("Now log in")
    # The address is there already.
    await _type(page, "", PASSWORD)
    await page.wait_for_url("**/dashboard")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await expect(page.locator("main :focus")).to_have_count(1)


async def _type(page: Page, email: str, password: str) -> None:
    """Fill in the form by Tab, letters and Enter."""
    focused = "document.activeElement?.id ?? ''"
    for _ in range(20):
        await page.keyboard.press("Tab")
        if await page.evaluate(focused) == "email":
            break
    await expect(page.get_by_label("E-mail")).to_be_focused()
    if email:
        await page.keyboard.type(email)
    await page.keyboard.press("Tab")
    await expect(page.get_by_label("Password")).to_be_focused()
    await page.keyboard.type(password)
    await page.keyboard.press("Enter")


async def test_an_image_that_is_done_shows_by_itself(
    open_new_page: OpenPage, server: RunningServer
) -> None:
    page = await open_new_page()
    member = await enter(page, server)
    # Held by a worker that is not there.
    image = await add(
        server,
        member,
        status="processing",
        attempt=1,
        claimed_by="a test",
        lease_until=clock.now() + timedelta(hours=1),
    )
    await page.goto("/dashboard")
    row = page.locator("li.image")
    await expect(row).to_contain_text("processing")
    statement = (
        "UPDATE images SET status = 'failed', lease_until = NULL, error_code = 'corrupt_image', "
        "error_message = 'no picture' WHERE id = ?"
    )
    await asyncio.to_thread(execute, server, statement, image.id)
    await expect(row).to_contain_text("No picture.")
    await expect(page.locator("#live")).to_have_text("1 image is done.")


@BOTH
@SCHEMES
@pytest.mark.parametrize("path", ["/log-in", "/sign-up", "/log-in?done=deleted"])
async def test_pages_of_strangers(
    open_new_page: OpenPage, path: str, scheme: str, width: int
) -> None:
    page = await open_new_page(width=width, scheme=scheme)
    await page.goto(path)
    await judge(page)


@BOTH
@SCHEMES
async def test_pages_of_members(
    open_new_page: OpenPage, server: RunningServer, scheme: str, width: int
) -> None:
    page = await open_new_page(width=width, scheme=scheme)
    member = await enter(page, server)
    await page.goto("/dashboard")
    await judge(page)

    await fill(server, member)
    await page.goto("/dashboard")
    await expect(page.locator("li.image")).to_have_count(7)
    for summary in await page.locator("summary").all():
        await summary.click()
    await judge(page)
    await page.get_by_role("button", name="Rotate the key test").click()
    await judge(page)
    await page.get_by_role("button", name="Make the new key").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Your new key")
    await judge(page)

    await page.goto("/dashboard?status=failed")
    await page.get_by_label("Name of a new key").fill(LONG_NAME)
    await page.get_by_role("button", name="Make the key").click()
    await judge(page)
    await page.goto("/dashboard")
    await judge(page)

    await page.goto("/account")
    await page.locator("summary").click()
    await judge(page)


@BOTH
@SCHEMES
async def test_the_page_that_asks(
    open_new_page: OpenPage, server: RunningServer, scheme: str, width: int
) -> None:
    page = await open_new_page(width=width, scheme=scheme)
    await enter(page, server)
    await page.goto("/dashboard")
    asking = "form => { delete form.dataset.question; form.submit(); }"
    await page.locator("form[action$='/revoke']").evaluate(asking)
    await expect(page.get_by_role("heading", level=1)).to_have_text("Revoke this key?")
    await judge(page)
