"""Debian's Chromium, driven by Playwright; and pages that tell what went wrong on them.

The asynchronous interface: the other one would keep an event loop running for all later tests.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, Literal

from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright

PHONE: Final = 390
DESK: Final = 1280

# What Chromium itself says of a request that was answered so.
_REFUSED: Final = "Failed to load resource: the server responded with a status of 4"

Scheme = Literal["light", "dark"]

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome")


def chromium() -> str | None:
    """Where Chromium is."""
    return next((found for name in _NAMES if (found := shutil.which(name))), None)


def why_not() -> str:
    """Why no browser can be driven here; empty if one can."""
    return "" if chromium() else "there is no Chromium: apt-get install chromium"


@asynccontextmanager
async def open_browser() -> AsyncIterator[Browser]:
    """Chromium without a window."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium(),
            # Containers have no user namespaces, and little of /dev/shm.
            args=["--no-sandbox", "--disable-dev-shm-usage"],
        )
        yield browser
        await browser.close()


@asynccontextmanager
async def open_page(
    browser: Browser,
    base_url: str,
    *,
    width: int = DESK,
    scheme: Scheme = "light",
    scripts: bool = True,
    refusals: bool = False,
) -> AsyncIterator[Page]:
    """A page with cookies of its own. Leaving it fails if the console told errors meanwhile; not
    where `refusals` are expected, of requests that the server answers with a status of 4xx.
    """
    context = await browser.new_context(
        base_url=base_url,
        viewport={"width": width, "height": 844 if width == PHONE else 900},
        color_scheme=scheme,
        java_script_enabled=scripts,
        accept_downloads=True,
    )
    faults: list[str] = []

    def note(message: ConsoleMessage) -> None:
        refused = refusals and message.text.startswith(_REFUSED)
        if message.type in {"error", "warning"} and not refused:
            faults.append(f"{message.text} ({message.location})")

    page = await context.new_page()
    page.on("console", note)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.set_default_timeout(30_000)
    yield page
    await context.close()
    assert not faults, faults
