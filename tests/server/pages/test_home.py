"""The home page and what its scripts ask, over HTTP."""

from __future__ import annotations

import os
import socket
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import insert

from tests.server.clients import execute, in_database, picture
from tests.server.pages.sending import again, finished, form_post, script_post, script_upload
from tests.server.people import PASSWORD, Person
from tests.server.running import RunningServer
from tinyjpg_server.accounts.passwords import PASSWORDS
from tinyjpg_server.accounts.plans import plan_named
from tinyjpg_server.db import clock
from tinyjpg_server.db.connection import Connection
from tinyjpg_server.db.tables import accounts

FROM_HERE = {"X-Forwarded-For": "192.0.2.1"}


@pytest.fixture
def member(server: RunningServer, visitor: Person) -> Person:
    """Somebody with an account, who is logged in."""

    async def make(connection: Connection) -> None:
        plan = await plan_named(connection, "Free")
        await connection.execute(
            insert(accounts).values(
                email=visitor.email,
                password_hash=await PASSWORDS.hash(PASSWORD),
                plan_id=plan.id,
                created_at=clock.now(),
            )
        )

    in_database(server, make)
    answer = visitor.client.post(
        "/api/session", json={"email": visitor.email, "password": PASSWORD}
    )
    assert answer.status_code == 200, answer.text
    return visitor


def left(person: Person, address: str = "") -> str:
    """What the page says is left."""
    headers = {"X-Forwarded-For": address} if address else {}
    text = person.client.get("/", headers=headers).text
    return text.partition('id="allowance">')[2].partition("<")[0]


def log_out(person: Person) -> None:
    person.client.cookies.clear()


def test_a_visitor_has_an_image_optimized(visitor: Person) -> None:
    data = script_upload(visitor, picture("jpg"), quality=70)
    assert data["quality"] == 70
    assert data["allowance"].endswith("images left today without an account.")
    assert "image_id" not in data
    done = finished(visitor, data["name"])
    assert done["status"] == "completed"
    assert done["optimized_size"] < done["original_size"]
    assert done["score"] >= 69.5
    # Of this origin, wherever it is reached.
    assert done["original_url"] == f"/direct-file/original/{data['name']}.jpg"
    assert visitor.get(done["original_url"]).content == picture("jpg")
    assert len(visitor.get(done["optimized_url"]).content) == done["optimized_size"]


def test_the_token_is_checked_before_the_body_is_read(
    server: RunningServer, visitor: Person
) -> None:
    visitor.get("/")
    for token in ("", "0" * 64):
        answer = script_post(visitor, token=token)
        assert (answer.status_code, answer.json()["code"]) == (403, "form_expired")
    # The body never comes, the answer does.
    head = (
        b"POST /web/images HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n"
        b"Content-Type: multipart/form-data; boundary=x\r\nX-Form-Token: no\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", httpx.URL(server.url).port or 0), 30) as connection:
        connection.sendall(head)
        assert b" 403 " in connection.recv(4096).partition(b"\r\n")[0]


def test_pages_of_other_sites_are_refused(visitor: Person) -> None:
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = script_post(visitor, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "cross_origin")
        assert form_post(visitor, headers=headers).status_code == 403


def test_a_bad_image_is_refused_with_the_reason(visitor: Person) -> None:
    answer = script_post(visitor, b"\xff\xd8\xff\xe0" + bytes(200), name="broken.jpg")
    assert (answer.status_code, answer.json()["code"]) == (422, "corrupt_image")
    assert "damaged" in answer.json()["errors"]["image"][0]
    answer = script_post(visitor, os.urandom(11 * 2**20))
    assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")
    answer = script_post(visitor, quality=101)
    assert answer.json()["errors"] == {"quality": ["The quality must be between 1 and 100."]}


def test_again_needs_no_upload_and_is_another_image(visitor: Person) -> None:
    original = picture("jpg", seed=5)
    first = finished(visitor, script_upload(visitor, original, quality=90)["name"])
    answer = again(visitor, first["name"], 50)
    assert answer.status_code == 200, answer.text
    second = finished(visitor, answer.json()["data"]["name"])
    assert second["name"] != first["name"]
    assert second["quality"] == 50
    assert second["optimized_size"] < first["optimized_size"]
    assert visitor.get(second["original_url"]).content == original
    # The first is untouched.
    assert finished(visitor, first["name"]) == first


@pytest.mark.parametrize("quality", ["0", "101", "high", "80.5"])
def test_again_wants_a_quality(visitor: Person, quality: str) -> None:
    name = script_upload(visitor)["name"]
    answer = again(visitor, name, quality)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")


def test_again_wants_the_token(visitor: Person) -> None:
    name = script_upload(visitor)["name"]
    answer = again(visitor, name, 80, form_token="0" * 64)
    assert (answer.status_code, answer.json()["code"]) == (403, "form_expired")


def test_again_of_nothing_and_of_what_is_over(server: RunningServer, visitor: Person) -> None:
    for name in ("0" * 32, "..%2f..", "A" * 32):
        answer = again(visitor, name, 80)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    name = script_upload(visitor)["name"]
    finished(visitor, name)
    over = (datetime.now(UTC) - timedelta(seconds=1)).replace(tzinfo=None)
    execute(server, "UPDATE images SET expires_at = ? WHERE name = ?", str(over), name)
    answer = again(visitor, name, 70)
    assert (answer.status_code, answer.json()["code"]) == (404, "expired")
    assert visitor.client.get(f"/web/images/{name}").json()["code"] == "expired"


def test_who_is_logged_in_pays_with_their_own_plan(member: Person) -> None:
    assert left(member) == "500 of 500 images left this month on your plan Free."
    data = script_upload(member)
    assert data["allowance"] == "499 of 500 images left this month on your plan Free."
    finished(member, data["name"])
    assert again(member, data["name"], 60).status_code == 200
    assert left(member).startswith("498 of 500")
    # The plan's largest upload, not a visitor's.
    assert script_post(member, os.urandom(6 * 2**20)).status_code == 413


def test_a_used_up_month_is_told_before_the_upload(server: RunningServer, member: Person) -> None:
    month = datetime.now(UTC).strftime("%Y-%m")
    execute(
        server,
        "INSERT INTO usage (account_id, month, used) SELECT id, ?, 500 FROM accounts "
        "WHERE email = ?",
        month,
        member.email,
    )
    answer = script_post(member)
    assert (answer.status_code, answer.json()["code"]) == (403, "quota_exceeded")
    page = member.get("/").text
    assert 'id="used-up" role="alert">' in page
    assert "See the plans" in page


def test_images_of_visitors_are_nobodys_in_the_api(visitor: Person, client: httpx.Client) -> None:
    name = script_upload(visitor)["name"]
    listed = client.get("/api/images", params={"limit": 100}).json()["data"]["images"]
    assert all(name not in image["original_url"] for image in listed)


def test_what_all_visitors_did_is_not_told(visitor: Person) -> None:
    answer = script_post(visitor)
    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.startswith("x-quota")]


def test_names_stay_out_of_the_log(server: RunningServer, visitor: Person) -> None:
    name = script_upload(visitor)["name"]
    finished(visitor, name)
    again(visitor, name, 60)
    visitor.get(f"/result/{name}?as=secret-name.png")
    visitor.get(f"/web/zip?image={name}&as=secret-name.png")
    assert "/web/images/{name}" in server.log
    assert name not in server.log
    assert "secret-name" not in server.log


def test_an_address_has_two_a_day_and_is_told(strict_server: RunningServer) -> None:
    with Person(strict_server) as visitor:
        visitor.client.headers.update(FROM_HERE)
        assert left(visitor) == "2 of 2 images left today without an account."
        # What is refused costs nothing.
        assert script_post(visitor, b"no image at all, but long enough to tell").status_code == 415
        first = script_upload(visitor)
        assert first["allowance"] == "1 of 2 images left today without an account."
        finished(visitor, first["name"])
        assert again(visitor, first["name"], 60).status_code == 200
        refused = script_post(visitor)
        assert (refused.status_code, refused.json()["code"]) == (429, "daily_allowance")
        midnight = int(refused.headers["Retry-After"])
        assert 0 < midnight <= 86400
        assert again(visitor, first["name"], 70).json()["code"] == "daily_allowance"
        page = visitor.get("/").text
        assert 'id="used-up" role="alert">' in page
        assert 'href="/sign-up"' in page
        # The form without scripts says it on the page.
        answer = form_post(visitor)
        assert answer.status_code == 429
        assert answer.headers["Content-Type"].startswith("text/html")
        assert "The 2 images a day that are free" in answer.text
        # Cookies are not what is counted.
        log_out(visitor)
        assert script_post(visitor).status_code == 429


def test_addresses_are_counted_apart_ipv6_by_network(strict_server: RunningServer) -> None:
    with Person(strict_server) as visitor:
        for address in ("2001:db8:9:9::1", "2001:db8:9:9:ffff::2"):
            visitor.client.headers["X-Forwarded-For"] = address
            script_upload(visitor)
        visitor.client.headers["X-Forwarded-For"] = "2001:db8:9:9:1::3"
        assert script_post(visitor).status_code == 429
        visitor.client.headers["X-Forwarded-For"] = "2001:db8:9:a::1"
        script_upload(visitor)


def test_no_address_is_in_the_database(strict_server: RunningServer) -> None:
    with Person(strict_server) as visitor:
        visitor.client.headers["X-Forwarded-For"] = "198.51.100.23"
        script_upload(visitor)
    with closing(sqlite3.connect(strict_server.data / "tinyjpg.sqlite3")) as connection:
        dump = "\n".join(connection.iterdump())
    assert "visitors" in dump
    assert "198.51.100.23" not in dump


def test_without_visitors_the_page_asks_to_log_in(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    data = tmp_path_factory.mktemp("closed") / "data"
    with (
        RunningServer(data, workers=0, environment={"TINYJPG_VISITOR_IMAGES": "0"}) as closed,
        Person(closed) as visitor,
    ):
        page = visitor.get("/")
        assert page.status_code == 200
        assert "Log in to begin" in page.text
        assert "<form" not in page.text.partition("<main")[2]
        visitor.client.cookies.set("tinyjpg-form", "0" * 32)
        answer = visitor.client.post("/web/images", files={"image": picture()})
        assert answer.status_code == 403
