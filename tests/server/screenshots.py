"""Make the pictures of the pages that the README shows: ./run python -m tests.server.screenshots

Real pages of a service that is started for it, with photographs of the corpus; each picture is made
small by our own engine.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Page, expect

import tinyjpg
from corpus.photographs import photographs
from tests.server.browsing import DESK, open_browser, open_page
from tests.server.clients import in_database
from tests.server.logging_in import COOKIE, Member, new_member
from tests.server.pages.seeding import add_image
from tests.server.running import RunningServer
from tinyjpg_server.db import clock
from tinyjpg_server.db.connection import Connection

FOLDER: Final = Path(__file__).parents[2] / "docs" / "screenshots"

# Nobody's but the public's.
_SHOWN: Final = ("coffee.png", "rocket.jpg", "chelsea.png", "astronaut.png")
_COMPARED: Final = "astronaut.png"
# Images of the months before this one.
_HISTORY: Final = (3, 5, 4, 8, 7, 11, 9, 14, 12, 17, 21)
_MINUTES: Final = 60_000


async def main() -> None:
    """Write all pictures."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        server = RunningServer(Path(folder) / "data").start()
        try:
            async with open_browser() as browser:
                async with open_page(browser, server.url) as page:
                    await _home(page)
                async with open_page(browser, server.url, scheme="dark") as page:
                    await _dashboard(page, server)
                async with open_page(browser, server.url) as page:
                    await page.goto("/docs")
                    await _save(page, "docs")
        finally:
            server.stop()


async def _home(page: Page) -> None:
    await page.goto("/")
    await _optimize(page)
    await _save(page, "home")
    await page.locator(".row", has_text=_COMPARED).locator(".compare").click()
    await expect(page.locator("#stage.ready")).to_be_visible()
    await page.mouse.move(1, 1)
    # A photograph, most of it.
    await _save(page, "compare", quality=80)


async def _dashboard(page: Page, server: RunningServer) -> None:
    member = await asyncio.to_thread(new_member, server, "Free")
    await asyncio.to_thread(in_database, server, lambda connection: _fill(connection, member))
    cookie: Any = {"name": COOKIE, "value": member.session, "url": server.url}
    await page.context.add_cookies([cookie])
    await page.goto("/")
    await _optimize(page)
    # Down to the charts.
    await page.set_viewport_size({"width": DESK, "height": 1200})
    await page.goto("/dashboard")
    await _save(page, "dashboard")


async def _fill(connection: Connection, member: Member) -> None:
    for back, count in enumerate(reversed(_HISTORY), start=1):
        then = clock.now() - timedelta(days=30.4 * back)
        for each in range(count):
            await add_image(
                connection,
                member.id,
                now=then,
                format=("jpeg", "jpeg", "png", "webp")[each % 4],
                optimized_size=280_000 + 13_000 * (each % 9),
            )


async def _optimize(page: Page) -> None:
    shown = {photograph.name: photograph.path() for photograph in photographs()}
    await page.set_input_files("#file", [shown[name] for name in _SHOWN])
    done = page.locator(".row .download:visible")
    await expect(done).to_have_count(len(_SHOWN), timeout=_MINUTES)


async def _save(page: Page, name: str, quality: int = 90) -> None:
    result = tinyjpg.optimize(await page.screenshot(), quality)
    (FOLDER / f"{name}.png").write_bytes(result.data)
    sys.stderr.write(f"{name}.png: {len(result.data):,} bytes, {result.saved:.0%} saved\n")


if __name__ == "__main__":
    asyncio.run(main())
