"""The home page in a real browser: with scripts, without them, by mouse, by keyboard, pasted."""

from __future__ import annotations

import io
from zipfile import ZipFile

import numpy as np
import pytest
import pyvips
from playwright.async_api import Browser, Page, Request, Response, expect

from tests.images import encode, photo
from tests.server.browser.conftest import OpenPage
from tests.server.browser.home_page import (
    check_accessibility,
    choose,
    done,
    files,
    give,
    row,
    saved,
)
from tests.server.browsing import DESK, PHONE, open_page
from tests.server.clients import picture
from tests.server.running import RunningServer

pytestmark = pytest.mark.anyio

# What the working page may weigh, images of the user left out.
BUDGET = 150_000
BROKEN = b"\xff\xd8\xff\xe0" + bytes(300)

_COUNT_BLOBS = """
  window.made = window.revoked = 0;
  const { createObjectURL, revokeObjectURL } = URL;
  URL.createObjectURL = (file) => { window.made += 1; return createObjectURL(file); };
  URL.revokeObjectURL = (url) => { window.revoked += 1; revokeObjectURL(url); };
"""

# What rows say, and the most of them that are on their way at a time.
_WATCH_ROWS = """() => {
  window.states = new Set();
  window.most = 0;
  new MutationObserver(() => {
    for (const state of document.querySelectorAll(".state")) window.states.add(state.textContent);
    const active = ".row:is([data-state=uploading], [data-state=processing])";
    window.most = Math.max(window.most, document.querySelectorAll(active).length);
  }).observe(document.querySelector("#rows"), {
    subtree: true, childList: true, characterData: true, attributes: true,
  });
}"""


@pytest.fixture
def uploads() -> list[str]:
    """Addresses of POST requests, noted by `note_uploads`."""
    return []


def note_uploads(page: Page, uploads: list[str]) -> None:
    def note(request: Request) -> None:
        if request.method == "POST":
            uploads.append(request.url.partition("/web/")[2])

    page.on("request", note)


async def test_three_formats_dropped_and_saved_as_one_file(open_new_page: OpenPage) -> None:
    page = await open_new_page()
    await page.goto("/")
    given = files("Foto.jpg", "logo.png", "moving.gif")
    assert await give(page, "drop", given)
    await done(page, *given)
    await expect(page.locator("#total")).to_contain_text("3 of 3 done")
    name, data = await saved(page, page.get_by_role("link", name="Download ZIP"))
    assert name == "tinyjpg.zip"
    with ZipFile(io.BytesIO(data)) as opened:
        assert sorted(opened.namelist()) == sorted(given)
        for file_name, original in given.items():
            link = row(page, file_name).get_by_role("link", name="Download")
            path = str(await link.get_attribute("href"))
            served = await page.request.get(path.partition("?")[0])
            assert opened.read(file_name) == await served.body()
            assert await saved(page, link) == (file_name, opened.read(file_name))
            before = await page.request.get(path.partition("?")[0].replace("optimized", "original"))
            assert await before.body() == original


async def test_long_names_in_any_script_still_make_an_address(open_new_page: OpenPage) -> None:
    page = await open_new_page()
    await page.goto("/")
    names = [f"{number}{chr(0x5199) * 150}.png" for number in range(8)]
    await give(page, "drop", dict.fromkeys(names, picture("png")))
    await done(page, *names)
    link = page.get_by_role("link", name="Download ZIP")
    assert len(str(await link.get_attribute("href"))) < 7500
    _, data = await saved(page, link)
    with ZipFile(io.BytesIO(data)) as opened:
        for name, kept in zip(sorted(names), sorted(opened.namelist()), strict=True):
            assert name.startswith(kept.removesuffix(".png"))
            assert len(kept) > 60
    assert (await saved(page, row(page, names[0]).get_by_role("link", name="Download")))[0] == (
        f"0{chr(0x5199) * 79}.png"
    )


async def test_a_row_tells_sizes_saving_and_score(open_new_page: OpenPage) -> None:
    page = await open_new_page()
    await page.add_init_script(_COUNT_BLOBS)
    await page.goto("/")
    await choose(page, files("a.jpg", width=200, height=160))
    await done(page, "a.jpg")
    figures = row(page, "a.jpg").locator(".figures")
    await expect(figures).to_contain_text(" saved")
    await expect(figures).to_contain_text("score ")
    await expect(figures.locator(".before")).to_contain_text("kB")
    await expect(page.locator("#announcer")).to_contain_text("a.jpg: ")
    thumbnail = row(page, "a.jpg").locator(".thumb img")
    assert await thumbnail.evaluate("image => image.naturalWidth") == 200
    # All addresses are given back once the pictures are shown.
    assert await page.evaluate("[window.made, window.revoked]") == [1, 1]


async def test_pasting(open_new_page: OpenPage) -> None:
    page = await open_new_page()
    await page.goto("/")
    assert await give(page, "paste", files("image.png"))
    await done(page, "image.png")
    # Text that is pasted is nobody's business.
    assert not await give(page, "paste", {})
    await expect(page.locator(".row")).to_have_count(1)


async def test_progress_is_shown_and_few_are_sent_at_a_time(open_new_page: OpenPage) -> None:
    page = await open_new_page()
    await page.goto("/")
    network = await page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 400_000}
    await network.send("Network.emulateNetworkConditions", slow)
    await page.evaluate(_WATCH_ROWS)
    noise = np.random.default_rng(1).integers(0, 255, (160, 200, 3), dtype=np.uint8)
    data: bytes = pyvips.Image.new_from_array(noise).write_to_buffer(".png")
    names = [f"{number}.png" for number in range(7)]
    await give(page, "drop", dict.fromkeys(names, data))
    await done(page, *names)
    states: list[str] = await page.evaluate("[...window.states]")
    shown = [int(state.split()[1]) for state in states if state.startswith("Uploading")]
    assert any(0 < percent < 100 for percent in shown), states
    assert {"Waiting", "Processing"} <= set(states)
    assert await page.evaluate("window.most") == 4


async def test_at_most_twenty_at_a_time(open_new_page: OpenPage) -> None:
    page = await open_new_page()
    await page.goto("/")
    await give(page, "drop", {f"{number}.png": picture("png") for number in range(22)})
    await expect(page.locator(".row")).to_have_count(20)
    await expect(page.locator("#left-out")).to_contain_text("2 of what you gave were left out")
    await expect(page.locator('.row[data-state="completed"]')).to_have_count(20, timeout=90_000)


async def test_another_quality_needs_no_second_upload(
    open_new_page: OpenPage, uploads: list[str]
) -> None:
    page = await open_new_page()
    note_uploads(page, uploads)
    await page.goto("/")
    await choose(page, files("a.jpg", "b.jpg", width=160, height=160))
    await done(page, "a.jpg", "b.jpg")
    assert uploads == ["images", "images"]
    # Nothing to do at the same.
    await expect(row(page, "a.jpg").get_by_role("button", name="Again")).to_be_disabled()
    await expect(page.get_by_role("button", name="Optimize all at 80")).to_be_disabled()
    small = row(page, "a.jpg").locator(".after")
    at_80 = await small.inner_text()
    field = row(page, "a.jpg").get_by_role("spinbutton")
    await field.fill("30")
    await field.press("Enter")
    await expect(small).not_to_have_text(at_80)
    assert len(uploads) == 3
    # All of them, by the slider's quality; the words say what it means.
    slider = page.get_by_role("slider", name="Quality", exact=True)
    await slider.focus()
    await slider.press("End")
    await expect(page.locator("#quality-words")).to_have_text("100: pixel-identical")
    await page.get_by_role("button", name="Optimize all at 100").click()
    await expect(page.locator('.row[data-state="completed"]')).to_have_count(2)
    for name in ("a.jpg", "b.jpg"):
        await expect(row(page, name).get_by_role("spinbutton")).to_have_value("100")
        await expect(row(page, name).locator(".score")).to_have_text("score 100.0")
    assert len(uploads) == 5
    assert all(path.endswith("/again") for path in uploads[2:])


async def test_rows_can_be_removed(open_new_page: OpenPage) -> None:
    page = await open_new_page()
    await page.goto("/")
    await choose(page, files("a.png", "b.png"))
    await done(page, "a.png", "b.png")
    await page.get_by_role("button", name="Remove a.png").click()
    await expect(page.locator(".row")).to_have_count(1)
    await expect(page.get_by_role("button", name="Remove b.png")).to_be_focused()
    await expect(page.locator("#total")).to_contain_text("1 of 1 done")
    await page.keyboard.press("Enter")
    await expect(page.locator("#results")).to_be_hidden()
    await expect(page.locator("#file")).to_be_focused()


async def test_a_broken_file_says_why_and_the_others_go_on(
    browser: Browser, server: RunningServer
) -> None:
    async with open_page(browser, server.url, refusals=True) as page:
        await page.goto("/")
        good = files("a.png", "b.webp")
        await give(
            page, "drop", {"a.png": good["a.png"], "bad.jpg": BROKEN, "b.webp": good["b.webp"]}
        )
        await done(page, "a.png", "b.webp")
        bad = row(page, "bad.jpg")
        await expect(bad).to_have_attribute("data-state", "failed")
        await expect(bad.locator(".fault")).to_contain_text("The image is damaged")
        await expect(bad.get_by_role("link", name="Download")).to_be_hidden()
        await expect(page.locator("#total")).to_contain_text("2 of 3 done")
        _, data = await saved(page, page.get_by_role("link", name="Download ZIP"))
        with ZipFile(io.BytesIO(data)) as opened:
            assert opened.namelist() == ["a.png", "b.webp"]
        await check_accessibility(page)


async def test_a_used_up_allowance_says_what_to_do(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    data = tmp_path_factory.mktemp("small") / "data"
    with RunningServer(data, environment={"TINYJPG_VISITOR_IMAGES": "2"}) as small:
        async with open_page(browser, small.url, refusals=True) as page:
            await page.goto("/")
            await expect(page.locator("#allowance")).to_contain_text("2 of 2 images left")
            await give(page, "drop", {f"{number}.png": picture("png") for number in range(6)})
            used_up = page.locator("#used-up")
            await expect(used_up).to_contain_text("free without an account are used up")
            await expect(used_up.get_by_role("link", name="Sign up")).to_be_visible()
            await expect(page.locator('.row[data-state="completed"]')).to_have_count(2)
            await expect(page.locator('.row[data-state="failed"]')).to_have_count(4)
            await expect(page.locator("#allowance")).to_contain_text("0 of 2 images left")
            # What is there stays there when more is refused.
            field = page.locator('.row[data-state="completed"]').first.get_by_role("spinbutton")
            await field.fill("60")
            await field.press("Enter")
            first = page.locator('.row[data-state="completed"]').first
            await expect(first.locator(".fault")).to_contain_text("used up")
            await page.reload()
            await expect(used_up).to_be_visible()


@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_with_results_and_dialog(
    open_new_page: OpenPage, scheme: str, width: int
) -> None:
    page = await open_new_page(width=width, scheme=scheme)
    await page.goto("/")
    long_name = "a name that is far too long for any row of any page, on a phone above all.png"
    await choose(page, files("a.jpg", long_name))
    await done(page, "a.jpg", long_name)
    await check_accessibility(page)
    assert await page.evaluate("document.documentElement.scrollWidth") == width
    await row(page, "a.jpg").get_by_role("button", name="Compare").click()
    await expect(page.locator("#stage.ready")).to_be_visible()
    await check_accessibility(page)
    assert await page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("width", [PHONE, DESK])
async def test_light_and_still_while_it_loads(open_new_page: OpenPage, width: int) -> None:
    page = await open_new_page(width=width)
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108
    await page.add_init_script(
        """window.shift = 0;
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries()) window.shift += entry.value;
        }).observe({ type: "layout-shift", buffered: true });"""
    )
    await page.goto("/", wait_until="networkidle")
    await expect(page.locator("#quality-words")).not_to_be_empty()
    assert await page.evaluate("window.shift") == 0
    weight = 0
    for answer in answers:
        sizes = await answer.request.sizes()
        weight += sizes["responseBodySize"] + sizes["responseHeadersSize"]
    assert len(answers) > 5
    assert weight < BUDGET
    origin = page.url.rstrip("/")
    assert {answer.url for answer in answers if not answer.url.startswith(origin)} == set()


@pytest.mark.parametrize("width", [PHONE, DESK])
async def test_without_scripts_all_of_it_works(open_new_page: OpenPage, width: int) -> None:
    page = await open_new_page(scripts=False, width=width)
    await page.goto("/")
    # What is plain in parts may be as small as can be at any quality.
    await choose(page, {"Foto 1.jpg": encode(photo(160, 160), "JPEG", quality=97)})
    await page.get_by_role("button", name="Make it smaller").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Foto 1.jpg")
    await expect(page.locator(".lead")).to_contain_text("saved at a score of")
    await expect(page.get_by_role("img", name="Before")).to_be_visible()
    await expect(page.get_by_role("img", name="After", exact=True)).to_be_visible()
    name, data = await saved(page, page.get_by_role("link", name="Download"))
    assert name == "Foto 1.jpg"
    assert data.startswith(b"\xff\xd8\xff")
    first = page.url
    await page.get_by_label("Another quality").fill("40")
    await page.get_by_role("button", name="Optimize again").click()
    await expect(page.get_by_label("Another quality")).to_have_value("40")
    assert page.url != first
    _, smaller = await saved(page, page.get_by_role("link", name="Download"))
    assert len(smaller) < len(data)


async def test_the_page_of_a_result_is_accessible(
    open_new_page: OpenPage, server: RunningServer
) -> None:
    page = await open_new_page()
    await page.goto("/")
    await choose(page, files("a.jpg"))
    await done(page, "a.jpg")
    href = await row(page, "a.jpg").get_by_role("link", name="Download").get_attribute("href")
    name = str(href).rpartition("/")[2].partition(".")[0]
    for width in (PHONE, DESK):
        for scheme in ("light", "dark"):
            result = await open_new_page(width=width, scheme=scheme)
            await result.goto(f"{server.url}/result/{name}?as={'long' * 20}.jpg")
            await check_accessibility(result)
            assert await result.evaluate("document.documentElement.scrollWidth") == width
