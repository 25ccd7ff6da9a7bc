"""The keys of an account over HTTP, on both databases."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select

from tests.server.account_tools import (
    Connect,
    data_of,
    log_in,
    make_user,
    refused,
    works,
)
from tinyjpg_server.accounts.sessions import open_session
from tinyjpg_server.db import clock
from tinyjpg_server.db.database import Database
from tinyjpg_server.db.tables import api_keys

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/keys"),
        ("POST", "/api/keys"),
        ("DELETE", "/api/keys/1"),
        ("POST", "/api/keys/1/rotate"),
    ],
)
async def test_keys_need_a_session(
    connect: Connect, database: Database, method: str, path: str
) -> None:
    user = await make_user(database)
    async with database.write() as connection:
        # There is one, but it was not sent.
        await open_session(connection, user.id, clock.now())
    async with connect() as client:
        body = {"name": "shop"} if path == "/api/keys" and method == "POST" else None
        for cookie in ("", "tinyjpg=", "tinyjpg=" + "a" * 43, "__Host-tinyjpg=x", "tinyjpg=\xe9"):
            headers = {b"Cookie": cookie.encode("latin-1")}
            answer = await client.request(method, path, json=body, headers=headers)
            refused(answer, 401, "unauthorized")
    async with database.read() as connection:
        assert await connection.scalar(select(api_keys.c.id)) is None


async def test_a_body_is_small(browser: httpx.AsyncClient) -> None:
    large = json.dumps({"name": "x" * 20_000}).encode()

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(large), 1000):
            yield large[start : start + 1000]

    for content in (large, pieces()):
        answer = await browser.post(
            "/api/keys", content=content, headers={"Content-Type": "application/json"}
        )
        refused(answer, 413, "payload_too_large")


async def test_a_key_is_made_shown_once_listed_and_revoked(
    browser: httpx.AsyncClient, database: Database
) -> None:
    made = data_of(await browser.post("/api/keys", json={"name": "Web shop"}))
    secret = made.pop("key")
    assert await works(database, secret)
    listing = await browser.get("/api/keys")
    assert data_of(listing)["keys"] == [made]
    assert secret not in listing.text
    assert set(made) == {
        "id", "name", "hint", "created_at", "last_used_at", "expires_at", "revoked_at", "state"
    }  # fmt: skip
    assert (made["name"], made["state"]) == ("Web shop", "active")
    revoked = data_of(await browser.delete(f"/api/keys/{made['id']}"))
    assert revoked["state"] == "revoked"
    assert not await works(database, secret)
    assert data_of(await browser.delete(f"/api/keys/{made['id']}")) == revoked


async def test_a_key_is_rotated_with_overlap(
    browser: httpx.AsyncClient, database: Database
) -> None:
    first = data_of(await browser.post("/api/keys", json={"name": "shop"}))
    second = data_of(await browser.post(f"/api/keys/{first['id']}/rotate"))
    assert second["name"] == "shop"
    now = clock.now()
    day = timedelta(days=1)
    assert await works(database, first["key"], now + day - timedelta(minutes=1))
    assert not await works(database, first["key"], now + day)
    assert await works(database, second["key"], now + 100 * day)
    third = data_of(await browser.post(f"/api/keys/{second['id']}/rotate", json={"overlap": 0}))
    assert not await works(database, second["key"])
    assert await works(database, third["key"])
    again = await browser.post(f"/api/keys/{second['id']}/rotate")
    refused(again, 409, "key_not_active")


@pytest.mark.parametrize("overlap", [-1, 30 * 86400 + 1, 10**30, "soon", 0.5, None, True])
async def test_an_overlap_has_bounds(browser: httpx.AsyncClient, overlap: object) -> None:
    made = data_of(await browser.post("/api/keys", json={"name": "shop"}))
    answer = await browser.post(f"/api/keys/{made['id']}/rotate", json={"overlap": overlap})
    assert list(refused(answer, 422, "validation_failed")) == ["overlap"]
    assert len(data_of(await browser.get("/api/keys"))["keys"]) == 1


@pytest.mark.parametrize("name", ["", "  ", "x" * 81, "a\0b", 5, None])
async def test_a_key_needs_a_name(browser: httpx.AsyncClient, name: object) -> None:
    answer = await browser.post("/api/keys", json={"name": name})
    assert list(refused(answer, 422, "validation_failed")) == ["name"]


async def test_another_account_s_keys_are_not_there(
    browser: httpx.AsyncClient, connect: Connect, database: Database
) -> None:
    made = data_of(await browser.post("/api/keys", json={"name": "shop"}))
    await make_user(database, "bob@example.com")
    async with connect() as bob:
        data_of(await log_in(bob, "bob@example.com"))
        assert data_of(await bob.get("/api/keys")) == {"keys": []}
        theirs = await bob.delete(f"/api/keys/{made['id']}")
        missing = await bob.delete(f"/api/keys/{made['id'] + 1}")
        refused(theirs, 404, "key_not_found")
        refused(missing, 404, "key_not_found")
        refused(await bob.post(f"/api/keys/{made['id']}/rotate"), 404, "key_not_found")
    assert await works(database, made["key"])


@pytest.mark.parametrize("key_id", ["0", "-1", str(2**63), str(10**30)])
async def test_a_number_that_is_no_key(browser: httpx.AsyncClient, key_id: str) -> None:
    refused(await browser.delete(f"/api/keys/{key_id}"), 404, "key_not_found")
    refused(await browser.post(f"/api/keys/{key_id}/rotate"), 404, "key_not_found")
