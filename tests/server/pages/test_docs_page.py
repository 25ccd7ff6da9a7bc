"""The reference page is complete, true of this server, and its examples work."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
import pytest

from tests.server.clients import admin, completed, execute, new_client, picture, upload
from tests.server.logging_in import member
from tests.server.people import PASSWORD, Person
from tests.server.running import RunningServer
from tinyjpg_server.openapi.codes import CODES, IMAGE_CODES
from tinyjpg_server.pages.reference.contents import SECTIONS
from tinyjpg_server.pages.reference.examples import FOLDER, LANGUAGES

API: Final = (Path(__file__).parents[3] / "docs" / "api.md").read_text(encoding="utf-8")
REFERENCE: Final = (
    "TinyJPG API Documentation",
    "Get Your API Key",
    "Quick Start",
    "1. Get Your API Key",
    "2. Make Your First Request",
    "Base URL",
    "All API requests require authentication using an API key in the X-API-Key header.",
    "Image Optimization",
    "POST /api/optimize",
    "Upload and optimize an image file.",
    "Request Parameters",
    "image File Yes The image file to optimize (JPEG, PNG, GIF, or WebP).",
    "quality Integer No Compression quality level (1-100, default is 80).",
    "Example Request",
    '"message": "Image uploaded and queued for optimization"',
    "Check Optimization Status",
    "GET /api/status/{image_id}",
    "Path Parameters",
    "image_id Integer Yes The ID of the image returned from the optimize endpoint.",
    '"compression_ratio": 50.0',
    "Usage Statistics",
    "GET /api/v1/usage",
    "Get detailed usage information, including monthly trends, image type distribution, and",
    "Error Handling",
    "Common Status Codes",
    "Error Response Example",
    '"The image field is required."',
    "Rate Limits & Quotas",
    "limits will result in API requests being rejected until your quota resets or you upgrade your",
    "Monthly Quotas",
    "Need More Capacity?",
    "Ready to optimize your images?",
)
TOPICS: Final = sorted({path.stem for path in FOLDER.iterdir()})
COMMANDS: Final = {
    "curl": ("bash", "-ec"),
    "python": (sys.executable, "-W", "error", "-c"),
    "javascript": ("node", "--input-type=module", "-e"),
}


@pytest.fixture(scope="module")
def page(server: RunningServer) -> str:
    """The page as somebody without an account gets it."""
    with Person(server) as visitor:
        answer = visitor.get("/docs")
    assert answer.status_code == 200, answer.text
    return answer.text


def text_of(markup: str) -> str:
    """What a reader sees, roughly."""
    # The colours of code are no words' ends.
    joined = re.sub(r"</?(?:span|code)[^>]*>", "", markup)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", joined)).split())


def test_all_of_the_first_reference_is_there_in_its_order(page: str) -> None:
    text = text_of(page[page.index("<h1>") :])
    place = 0
    for words in REFERENCE:
        found = text.find(words, place)
        assert found >= 0, f"{words!r} is not there, or not in its place"
        place = found


def test_the_sections_stand_in_the_order_of_the_contents(page: str) -> None:
    headings = re.findall(r'<h2 id="([a-z-]+)">', page)
    wanted = [section.id for section in SECTIONS]
    assert [heading for heading in headings if heading != "your-key"] == wanted
    assert re.findall(r'<li><a href="#([a-z-]+)">', page) == wanted * 2


def test_every_address_has_one_place(page: str) -> None:
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert {link for link in re.findall(r'href="#([^"]+)"', page) if link not in ids} == set()


def test_every_operation_is_there(server: RunningServer, page: str) -> None:
    text = text_of(page)
    with Person(server) as visitor:
        paths = visitor.get("/openapi.json").json()["paths"]
    for path, operations in paths.items():
        shown = path.replace("{file_name}", "{name}")
        for method in operations:
            assert f"{method.upper()} {shown}" in text


def test_the_page_and_the_reference_in_the_repository_agree(page: str) -> None:
    text = text_of(page)
    paths = re.findall(r"(?:GET|POST|DELETE) (/[a-z0-9/_{}-]+)", API)
    assert len(paths) >= 9
    assert {path for path in paths if path not in text} == set()
    rows = "\n".join(
        f"| {', '.join(map(str, row.statuses))} | "
        f"{', '.join(f'`{code}`' for code in row.codes)} | {row.meaning} |"
        for row in CODES
    )
    assert rows in API
    codes = {code for row in CODES for code in row.codes} | set(IMAGE_CODES)
    assert {code for code in codes if f"`{code}`" not in API} == set()
    assert {code for code in codes if f"<code>{code}</code>" not in page} == set()


def test_the_plans_are_those_of_the_database(server: RunningServer) -> None:
    admin(server, "plan", "set", "Business", "--monthly-quota", "123456")
    try:
        with Person(server) as visitor:
            shown = text_of(visitor.get("/docs").text)
    finally:
        execute(server, "UPDATE plans SET monthly_quota = 100000 WHERE name = 'Business'")
    assert "Business 123,456 128 MiB 3,000 $75" in shown


def test_the_address_and_the_limits_are_those_of_this_server(tmp_path: Path) -> None:
    environment = {
        "TINYJPG_PUBLIC_URL": "https://images.example.com",
        "TINYJPG_LONGEST_WAIT": "7.5",
        "TINYJPG_MAX_PIXELS": "1234567",
        "TINYJPG_RETENTION_DAYS": "2.5",
        "TINYJPG_UPLOAD_TIMEOUT": "11",
    }
    with (
        RunningServer(tmp_path / "data", workers=0, environment=environment) as server,
        Person(server) as visitor,
    ):
        page = visitor.get("/docs").text
    text = text_of(page)
    assert "127.0.0.1" not in page
    assert "https://images.example.com/api" in text
    assert '"https://images.example.com/api/optimize?wait=7.5"' in text
    assert "wait Number No Seconds to hold the answer until the image is finished" in text
    assert "0 to 7.5." in text
    assert "0 to 60" not in text
    assert "1,234,567 pixels" in text
    assert "deleted after 2.5 days" in text
    assert "may take 11 seconds" in text


def test_readers_are_told_of_their_keys(server: RunningServer) -> None:
    with Person(server) as visitor:
        assert "sign up to get one" in text_of(visitor.get("/docs").text)
    with member(server, "Pro") as ann:
        assert "You have no API key yet" in text_of(ann.get("/docs").text)
        made = ann.client.post("/api/keys", json={"name": "<shop>"}).json()["data"]
        answer = ann.get("/docs")
        assert f"&lt;shop&gt; (<code>{made['hint']}</code>)" in answer.text
        assert made["key"] not in answer.text
        assert "Only a hash of each is kept" in answer.text
        assert "Pro (yours)" in text_of(answer.text)
        for name in "abcd":
            ann.client.post("/api/keys", json={"name": name})
        assert "and 2 more on your" in text_of(ann.get("/docs").text)
        ann.client.delete(f"/api/keys/{made['id']}")
        assert made["hint"] not in ann.get("/docs").text


def test_every_topic_has_every_language(page: str) -> None:
    suffixes = {language.suffix for language in LANGUAGES}
    for topic in TOPICS:
        assert {path.suffix for path in FOLDER.glob(f"{topic}.*")} == suffixes
        assert f'id="{topic}-example"' in page


def example(page: str, topic: str, language: str) -> str:
    """The code of an example, as a reader would copy it."""
    begin = page.index(f'id="{topic}-example"')
    found = re.compile(
        rf'<div class="example" data-language="{language}">.*?<code>(.*?)</code>', re.DOTALL
    ).search(page, begin)
    assert found
    return html.unescape(re.sub(r"<[^>]+>", "", found[1]))


@pytest.fixture(scope="module")
def finished(server: RunningServer) -> Iterator[tuple[Person, dict[str, str]]]:
    """Somebody with a key and a finished image, and what examples say -> what is theirs."""
    with member(server) as ann:
        key = ann.client.post("/api/keys", json={"name": "first"}).json()["data"]
        with new_client(server, key["key"]) as client:
            image = completed(client, upload(client, picture("jpg", 200, 160))["image_id"])
        yield (
            ann,
            {
                "YOUR_API_KEY": key["key"],
                "YOUR_PASSWORD": PASSWORD,
                "you@example.com": ann.email,
                "/123": f"/{image['image_id']}",
                "9f86d081884c7d659a2feaa0c55ad015": image["optimized_url"][-36:-4],
            },
        )


@pytest.mark.parametrize("language", [language.id for language in LANGUAGES])
@pytest.mark.parametrize("topic", TOPICS)
def test_the_examples_work(
    page: str,
    finished: tuple[Person, dict[str, str]],
    tmp_path: Path,
    topic: str,
    language: str,
) -> None:
    ann, ours = finished
    command = COMMANDS[language]
    if shutil.which(command[0]) is None:
        pytest.skip(f"there is no {command[0]} here")
    if topic == "delete_image":
        with new_client_of(ann, ours["YOUR_API_KEY"]) as client:
            image_id = upload(client, picture("jpg", seed=list(COMMANDS).index(language)))[
                "image_id"
            ]
        ours = {**ours, "/123": f"/{image_id}"}
    if topic == "keys":
        own = ann.client.post("/api/keys", json={"name": "to rotate"}).json()["data"]["id"]
        ours = {**ours, "keys/7": f"keys/{own}", "KEY_ID = 7": f"KEY_ID = {own}"}
    script = example(page, topic, language)
    for said, meant in ours.items():
        script = script.replace(said, meant)
    (tmp_path / "photo.jpg").write_bytes(picture("jpg", 200, 160, seed=7))
    done = subprocess.run(
        [*command, script.replace("curl ", "curl --silent --show-error --fail ")],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=120,
        env={**os.environ, "NO_PROXY": "127.0.0.1"},
    )
    assert done.returncode == 0, script + done.stderr
    assert done.stderr == ""
    if language == "curl" and topic != "files":
        (answer, *_), _ = decoded(done.stdout)
        assert answer["success"] is True
    elif topic != "files":
        assert done.stdout
    if topic == "files" or (topic == "quick_start" and language != "curl"):
        assert (tmp_path / "photo.min.jpg").read_bytes().startswith(b"\xff\xd8\xff")


def new_client_of(person: Person, key: str) -> httpx.Client:
    """A program that has the person's key."""
    return httpx.Client(
        base_url=person.client.base_url, headers={"X-API-Key": key}, timeout=90, trust_env=False
    )


def decoded(output: str) -> tuple[list[dict[str, object]], str]:
    """The JSON objects that stand one after another, and what follows them."""
    found = []
    while output:
        value, end = json.JSONDecoder().raw_decode(output)
        found.append(value)
        output = output[end:]
    return found, output
