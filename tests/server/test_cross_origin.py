"""Pages of other sites change nothing: log-in and keys over HTTP, on both databases."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.server.account_tools import (
    HERE,
    HTTPS,
    PASSWORD,
    Connect,
    data_of,
    log_in,
    refused,
    works,
)
from tinyjpg_server.accounts.users import User
from tinyjpg_server.db.database import Database

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": HERE},
        {"Origin": "http://evil.example"},
        {"Origin": "http://127.0.0.1:8001"},
        {"Origin": "http://127.0.0.1:8000.evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://["},
    ],
)
async def test_another_site_s_page_changes_nothing(
    browser: httpx.AsyncClient, database: Database, user: User, headers: dict[str, str]
) -> None:
    made = data_of(await browser.post("/api/keys", json={"name": "shop"}))
    path = f"/api/keys/{made['id']}"
    for answer in (
        await browser.post("/api/keys", json={"name": "theirs"}, headers=headers),
        await browser.post(f"{path}/rotate", headers=headers),
        await browser.delete(path, headers=headers),
        await browser.delete("/api/session", headers=headers),
        await browser.post(
            "/api/session", json={"email": user.email, "password": PASSWORD}, headers=headers
        ),
    ):
        refused(answer, 403, "cross_origin")
        assert "set-cookie" not in answer.headers
    listed = data_of(await browser.get("/api/keys", headers=headers))["keys"]
    assert [key["state"] for key in listed] == ["active"]
    assert await works(database, made["key"])


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "same-origin", "Origin": HERE},
        {"Sec-Fetch-Site": "same-origin"},
        {"Origin": HERE},
        # Another name of the same machine.
        {"Origin": "http://localhost:8000", "Host": "localhost:8000"},
    ],
)
async def test_this_site_s_pages_and_programs_do(
    browser: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    [cookie] = browser.cookies.jar
    sent = {"Cookie": f"{cookie.name}={cookie.value}", **headers}
    data_of(await browser.post("/api/keys", json={"name": "shop"}, headers=sent))


async def test_behind_a_proxy_the_public_origin_is_ours(connect: Connect, user: User) -> None:
    async with connect(HTTPS) as client:
        data_of(await log_in(client, user.email))
        [cookie] = client.cookies.jar
        sent = {"Cookie": f"{cookie.name}={cookie.value}", "Host": "127.0.0.1:8000"}
        ours = {**sent, "Origin": HTTPS}
        data_of(await client.post("/api/keys", json={"name": "shop"}, headers=ours))
        theirs = {**sent, "Origin": "http://img.example.com"}
        refused(
            await client.post("/api/keys", json={"name": "shop"}, headers=theirs),
            403,
            "cross_origin",
        )


async def test_a_form_of_another_site_cannot_log_in(connect: Connect, user: User) -> None:
    """A form needs no permission to be sent across sites, but cannot say that it is JSON."""
    body = json.dumps({"email": user.email, "password": PASSWORD})
    async with connect() as client:
        for kind in ("text/plain", "application/x-www-form-urlencoded"):
            answer = await client.post("/api/session", content=body, headers={"Content-Type": kind})
            refused(answer, 422, "validation_failed")
