"""/log-in and /log-out: sessions, where to go afterwards, guessing."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import func, select

from tests.server.account_tools import PASSWORD
from tests.server.pages.visiting import Visit, Visitor
from tinyjpg_server.accounts.users import User, disable
from tinyjpg_server.db import clock
from tinyjpg_server.db.database import Database
from tinyjpg_server.db.tables import sessions
from tinyjpg_server.pages.next_path import next_path

pytestmark = pytest.mark.anyio

WRONG = "not this sentence"


async def count_sessions(database: Database) -> int:
    async with database.read() as connection:
        return int(await connection.scalar(select(func.count()).select_from(sessions)) or 0)


async def test_log_in_leads_to_the_dashboard(visit: Visit, user: User) -> None:
    async with visit() as visitor:
        answer = await visitor.send("/log-in", email=user.email.upper(), password=PASSWORD)
        assert (answer.status_code, answer.headers["location"]) == (303, "/dashboard")
        page = await visitor.get("/dashboard")
        assert page.status_code == 200
        assert "Log out" in page.text
        assert page.headers["cache-control"] == "no-store"


async def test_the_page_that_was_wanted_comes_after_the_log_in(visit: Visit, user: User) -> None:
    async with visit() as visitor:
        sent = await visitor.get("/dashboard?status=failed&format=png")
        assert sent.status_code == 303
        form = await visitor.get(sent.headers["location"])
        assert 'name="next" value="/dashboard?status=failed&amp;format=png"' in form.text
        answer = await visitor.send(
            "/log-in",
            email=user.email,
            password=PASSWORD,
            next="/dashboard?status=failed&format=png",
        )
        assert answer.headers["location"] == "/dashboard?status=failed&format=png"


@pytest.mark.parametrize(
    "text",
    ["/", "/docs", "/docs?a=b&c=%2F%2F", "/result/abc#x", "/a//b", "/@host", "/" + "a" * 2000],
)
def test_paths_of_this_site(text: str) -> None:
    assert next_path(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "docs",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/docs\\x",
        "https://evil.example",
        "https:/evil.example",
        "javascript:alert(1)",
        " /docs",
        "/\t/evil.example",
        "/\n/evil.example",
        "/docs\r\nSet-Cookie: a=b",
        "/docs\n",
        "/docs\x00",
        "/docs\x7f",
        "/d\u00f6cs",
        "/\u2028/evil.example",
        "/" + "a" * 2001,
    ],
)
def test_what_leads_elsewhere_is_not_followed(text: str) -> None:
    assert next_path(text) == "/dashboard"


async def test_a_link_from_elsewhere_leads_to_the_dashboard(visit: Visit, user: User) -> None:
    async with visit() as visitor:
        page = await visitor.get("/log-in?next=//evil.example")
        assert "evil.example" not in page.text
        answer = await visitor.send(
            "/log-in", email=user.email, password=PASSWORD, next="//evil.example"
        )
        assert answer.headers["location"] == "/dashboard"
        answer = await visitor.get("/log-in?next=//evil.example")
        assert answer.headers["location"] == "/dashboard"


async def test_unknown_addresses_are_answered_like_wrong_passwords(
    visit: Visit, user: User
) -> None:
    answers = []
    for email in (user.email, "nobody@example.com"):
        async with visit() as visitor:
            answer = await visitor.send("/log-in", email=email, password=WRONG)
            body = re.sub(r"[0-9a-f]{64}", "TOKEN", answer.text.replace(email, "EMAIL"))
            names = sorted(name for name in answer.headers if name != "content-length")
            answers.append((answer.status_code, names, body))
    assert answers[0] == answers[1]
    assert answers[0][0] == 401
    assert 'role="alert"' in answers[0][2]
    assert 'value="EMAIL"' in answers[0][2]
    assert WRONG not in answers[0][2]


async def test_a_disabled_account_is_told_to_its_owner_alone(
    visit: Visit, user: User, database: Database
) -> None:
    async with database.write() as connection:
        await disable(connection, user.email, clock.now())
    async with visit() as visitor:
        stranger = await visitor.send("/log-in", email=user.email, password=WRONG)
        owner = await visitor.send("/log-in", email=user.email, password=PASSWORD)
    assert (stranger.status_code, owner.status_code) == (401, 403)
    assert "disabled" not in stranger.text
    assert "disabled" in owner.text


async def test_guessing_is_slowed_down(visit: Visit, user: User) -> None:
    async with visit("192.0.2.7") as visitor:
        token = await visitor.token("/log-in")
        tried = {"form_token": token, "email": user.email}
        for _ in range(10):
            assert (await visitor.post("/log-in", {**tried, "password": WRONG})).status_code == 401
        answer = await visitor.post("/log-in", {**tried, "password": PASSWORD})
        assert answer.status_code == 429
        assert 0 < int(answer.headers["retry-after"]) <= 900
        assert "Too many log-ins" in answer.text
    async with visit("192.0.2.8") as other:
        await other.log_in(user.email)


async def test_each_log_in_begins_another_session_and_ends_the_one_before(
    ann: Visitor, user: User, database: Database
) -> None:
    first = ann.client.cookies["tinyjpg"]
    assert await count_sessions(database) == 1
    answer = await ann.send("/log-in", at="/account", email=user.email, password=PASSWORD)
    assert answer.status_code == 303
    assert ann.client.cookies["tinyjpg"] != first
    assert await count_sessions(database) == 1


async def test_log_out_ends_the_session(ann: Visitor, database: Database) -> None:
    kept = ann.client.cookies["tinyjpg"]
    answer = await ann.send("/log-out", at="/dashboard")
    assert (answer.status_code, answer.headers["location"]) == (303, "/log-in?done=logged-out")
    assert "tinyjpg" not in ann.client.cookies
    assert "You are logged out" in (await ann.get(answer.headers["location"])).text
    assert await count_sessions(database) == 0
    ann.client.cookies.set("tinyjpg", kept)
    assert (await ann.get("/dashboard")).status_code == 303


async def test_log_out_is_no_link(ann: Visitor) -> None:
    assert (await ann.get("/log-out")).status_code == 405
    assert (await ann.get("/dashboard")).status_code == 200


async def test_who_is_logged_in_goes_on(ann: Visitor) -> None:
    for path, to in (("/log-in", "/dashboard"), ("/log-in?next=/account", "/account")):
        answer = await ann.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, to)


async def test_forms_of_before_the_log_in_are_not_taken_after_it(visit: Visit, user: User) -> None:
    async with visit() as visitor:
        stale = await visitor.token("/log-in")
        await visitor.log_in(user.email)
        answer = await visitor.post("/log-out", {"form_token": stale})
        assert answer.status_code == 403
        assert "no longer valid" in answer.text
        assert (await visitor.get("/dashboard")).status_code == 200


async def test_only_its_own_form_is_taken(visit: Visit, user: User) -> None:
    good = {"email": user.email, "password": PASSWORD}
    async with visit() as visitor, visit() as other:
        foreign = await other.token("/log-in")
        token = await visitor.token("/log-in")
        for given in ({}, {"form_token": foreign}):
            assert (await visitor.post("/log-in", {**good, **given})).status_code == 403
        for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            answer = await visitor.post("/log-in", {**good, "form_token": token}, headers)
            assert answer.status_code == 403
        assert "tinyjpg" not in visitor.client.cookies


async def test_cookies_behind_tls(visit: Visit, user: User) -> None:
    async with visit(public_url="https://img.example.com") as visitor:
        await visitor.get("/log-in")
        answer = await visitor.send("/log-in", email=user.email, password=PASSWORD)
    first, *attributes = answer.headers["set-cookie"].split("; ")
    assert first.startswith("__Host-tinyjpg=")
    assert {"Secure", "HttpOnly", "SameSite=lax", "Path=/"} <= set(attributes)
