"""The form without scripts, and the page of its result."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.server.clients import execute, picture
from tests.server.pages.sending import finished, form_post, script_upload
from tests.server.people import Person
from tests.server.running import RunningServer


def result_of(person: Person, answer: httpx.Response) -> httpx.Response:
    """The page that a sent form leads to."""
    assert answer.status_code == 303, answer.text
    return person.get(answer.headers["Location"])


def test_the_form_leads_to_the_result(visitor: Person) -> None:
    answer = form_post(visitor, picture("jpg"), name="Grüße & <b>.jpg", quality="85")
    assert re.fullmatch(r"/result/[0-9a-f]{32}\?as=\S+", answer.headers["Location"])
    page = result_of(visitor, answer)
    assert page.status_code == 200
    # Waited for on the server, so the first look shows it.
    assert "Refresh" not in page.headers
    assert "saved at a score of" in page.text
    assert "Grüße &amp; _b_.jpg" in page.text
    assert "<b>" not in page.text
    (download,) = re.findall(r'class="button" href="(/direct-file/optimized/[^"]+)"', page.text)
    saved = visitor.get(download.replace("&amp;", "&"))
    assert saved.status_code == 200
    assert saved.headers["Content-Disposition"].endswith(
        "filename*=UTF-8''Gr%C3%BC%C3%9Fe%20%26%20_b_.jpg"
    )


def test_another_quality_without_scripts(visitor: Person) -> None:
    location = form_post(visitor, picture("jpg", seed=7)).headers["Location"]
    page = visitor.get(location)
    (action,) = re.findall(r'action="(/result/[^"]+)"', page.text)
    answer = visitor.send(action, at=location, quality="40")
    assert answer.status_code == 303
    assert answer.headers["Location"] != location
    assert answer.headers["Location"].endswith("?as=picture.png")
    assert (
        'name="quality" min="1" max="100" value="40"'
        in visitor.get(answer.headers["Location"]).text
    )
    wrong = visitor.send(action, at=location, quality="400")
    assert wrong.status_code == 422
    assert "The quality must be between 1 and 100." in wrong.text


@pytest.mark.parametrize(
    ("image", "status", "said"),
    [
        (b"", 422, "The image field is required."),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), 422, "The image is damaged"),
        (
            b"only some text, nothing of a picture",
            415,
            "give a JPEG, PNG, WebP or GIF",
        ),
    ],
)
def test_what_is_refused_is_said_on_the_page(
    visitor: Person, image: bytes, status: int, said: str
) -> None:
    answer = form_post(visitor, image, name="picture.png", quality="85")
    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith("text/html")
    assert said in answer.text
    assert 'role="alert"' in answer.text


def test_a_form_with_another_token_is_refused(visitor: Person) -> None:
    answer = form_post(visitor, form_token="0" * 64)
    assert answer.status_code == 403
    assert "no longer valid" in answer.text


def test_a_form_that_is_none_is_refused_on_the_page(visitor: Person) -> None:
    answer = visitor.client.post("/", content=b"x", headers={"Content-Type": "text/plain"})
    assert answer.status_code == 415
    assert answer.headers["Content-Type"].startswith("text/html")


def test_while_it_is_worked_on_the_page_looks_again(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    environment = {"TINYJPG_LONGEST_WAIT": "0.1"}
    data = tmp_path_factory.mktemp("idle") / "data"
    with (
        RunningServer(data, workers=0, environment=environment) as idle,
        Person(idle) as visitor,
    ):
        page = result_of(visitor, form_post(visitor))
        assert page.headers["Refresh"] == "2"
        assert "Still working on it" in page.text


def test_a_failed_image_says_why(server: RunningServer, visitor: Person) -> None:
    name = script_upload(visitor)["name"]
    finished(visitor, name)
    execute(
        server,
        "UPDATE images SET status = 'failed', error_code = 'took_too_long', "
        "error_message = 'the image could not be optimised in the time allowed', "
        "result_attempt = NULL, optimized_size = NULL WHERE name = ?",
        name,
    )
    page = visitor.get(f"/result/{name}")
    assert "the image could not be optimised in the time allowed" in page.text


def test_nothing_and_what_is_over_are_pages(server: RunningServer, visitor: Person) -> None:
    missing = visitor.get(f"/result/{'0' * 32}")
    assert missing.status_code == 404
    assert missing.headers["Content-Type"].startswith("text/html")
    name = script_upload(visitor)["name"]
    finished(visitor, name)
    over = (datetime.now(UTC) - timedelta(seconds=1)).replace(tzinfo=None)
    execute(server, "UPDATE images SET expires_at = ? WHERE name = ?", str(over), name)
    gone = visitor.get(f"/result/{name}")
    assert gone.status_code == 404
    assert "has expired" in gone.text


def test_a_file_is_saved_under_the_users_name(visitor: Person) -> None:
    data = finished(visitor, script_upload(visitor)["name"])
    shown = visitor.get(data["optimized_url"])
    assert shown.headers["Content-Disposition"] == f'inline; filename="{data["name"]}.png"'
    for kind in ("original_url", "optimized_url"):
        path = f"{data[kind]}?download=mine%2F..%2Fyours.exe"
        for answer in (visitor.get(path), visitor.client.head(path)):
            assert answer.headers["Content-Disposition"] == (
                "attachment; filename=\"yours.exe.png\"; filename*=UTF-8''yours.exe.png"
            )
    unnamed = visitor.get(f"{data['optimized_url']}?download=")
    assert f'filename="{data["name"]}.png"' in unnamed.headers["Content-Disposition"]
    part = visitor.client.get(
        f"{data['optimized_url']}?download=a.png", headers={"Range": "bytes=0-3"}
    )
    assert (part.status_code, part.content) == (206, b"\x89PNG")
    assert part.headers["Content-Disposition"].startswith("attachment;")
