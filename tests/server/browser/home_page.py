"""The home page as tests use it: files given in every way, its rows, what it saves."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import FilePayload, Locator, Page, expect

from tests.server.clients import picture

_MIMES: Final = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp", "gif": "image/gif"}

# Files for a DataTransfer, as a drop or a paste has them.
_GIVE: Final = """([kind, files]) => {
  const transfer = new DataTransfer();
  for (const { name, type, data } of files) {
    const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
    transfer.items.add(new File([bytes], name, { type }));
  }
  const event = kind === "paste"
    ? new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true, cancelable: true })
    : new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true });
  return !document.querySelector("h1").dispatchEvent(event);
}"""


def files(*names: str, **size: int) -> dict[str, bytes]:
    """Pictures of the formats that their names end with."""
    return {
        name: picture(name.rpartition(".")[2], seed=seed, **size) for seed, name in enumerate(names)
    }


async def give(page: Page, kind: str, given: Mapping[str, bytes]) -> bool:
    """Dispatch a drop or paste of files; whether the page took it."""
    described = [
        {
            "name": name,
            "type": _MIMES.get(name.rpartition(".")[2], ""),
            "data": base64.b64encode(data).decode(),
        }
        for name, data in given.items()
    ]
    taken: bool = await page.evaluate(_GIVE, [kind, described])
    return taken


async def choose(page: Page, given: Mapping[str, bytes]) -> None:
    """Choose files in the form."""
    payloads: list[FilePayload] = [
        {"name": name, "mimeType": _MIMES[name.rpartition(".")[2]], "buffer": data}
        for name, data in given.items()
    ]
    await page.set_input_files("#file", payloads)


def row(page: Page, name: str) -> Locator:
    """The row of the file called `name`."""
    return page.locator(".row").filter(has=page.get_by_text(name, exact=True))


async def done(page: Page, *names: str) -> None:
    """Wait until the files are optimized."""
    for name in names:
        await expect(row(page, name)).to_have_attribute("data-state", "completed")


async def saved(page: Page, link: Locator) -> tuple[str, bytes]:
    """What a link has the browser save: name and content."""
    async with page.expect_download() as waiting:
        await link.click()
    download = await waiting.value
    return download.suggested_filename, Path(await download.path()).read_bytes()


async def check_accessibility(page: Page) -> None:
    """Let axe look at the page as it is."""
    found = await Axe().run(page)
    assert found.response["violations"] == [], found.generate_report()
