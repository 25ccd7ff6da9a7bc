"""Log in and out, and the keys of an account, over HTTP on both databases."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select, update

from tests.server.account_tools import CHEAP, PASSWORD, make_user
from tinyjpg_server.accounts.caller import caller_of_key
from tinyjpg_server.accounts.sessions import open_session
from tinyjpg_server.accounts.users import User, authenticate, disable
from tinyjpg_server.app import create_app
from tinyjpg_server.db import clock
from tinyjpg_server.db.database import Database
from tinyjpg_server.db.tables import api_keys, sessions
from tinyjpg_server.errors import TooManyRequestsError, UnauthorizedError
from tinyjpg_server.ratelimit import RateLimiter
from tinyjpg_server.routes import account
from tinyjpg_server.settings import load_settings

pytestmark = pytest.mark.anyio

HERE = "http://127.0.0.1:8000"
HTTPS = "https://img.example.com"

Connect = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
async def connect(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Connect]:
    """Opens a browser without cookies; `public_url` starts another application."""
    monkeypatch.setattr(account, "authenticate", partial(authenticate, passwords=CHEAP))
    apps: dict[str | None, FastAPI] = {}
    async with AsyncExitStack() as stack:

        @asynccontextmanager
        async def open_client(
            public_url: str | None = None, address: str = "192.0.2.1"
        ) -> AsyncIterator[httpx.AsyncClient]:
            if public_url not in apps:
                settings = load_settings(
                    data=tmp_path, database_url=database.url, public_url=public_url
                )
                apps[public_url] = app = create_app(settings)
                await stack.enter_async_context(app.router.lifespan_context(app))
            transport = httpx.ASGITransport(apps[public_url], client=(address, 1234))
            async with httpx.AsyncClient(
                transport=transport, base_url=public_url or HERE
            ) as client:
                yield client

        yield open_client


@pytest.fixture
async def user(database: Database) -> User:
    return await make_user(database, plan="Pro")


@pytest.fixture
async def browser(connect: Connect, user: User) -> AsyncIterator[httpx.AsyncClient]:
    """Logged in as `user`."""
    async with connect() as client:
        assert (await log_in(client, user.email)).status_code == 200
        yield client


async def log_in(
    client: httpx.AsyncClient, email: str = "ann@example.com", password: str = PASSWORD
) -> httpx.Response:
    return await client.post("/api/session", json={"email": email, "password": password})


def data_of(answer: httpx.Response) -> Any:
    body = answer.json()
    assert (answer.status_code, body["success"]) == (200, True), body
    return body["data"]


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, list[str]]:
    body = answer.json()
    assert (answer.status_code, body["success"], body["code"]) == (status, False, code), body
    assert set(body) == {"success", "message", "errors", "code"}
    assert body["message"]
    errors: dict[str, list[str]] = body["errors"]
    return errors


def cookie_of(answer: httpx.Response) -> tuple[str, set[str]]:
    first, *attributes = answer.headers["set-cookie"].split("; ")
    return first, set(attributes)


async def works(database: Database, secret: str, now: datetime | None = None) -> bool:
    async with database.read() as connection:
        try:
            await caller_of_key(connection, secret, now or clock.now())
        except UnauthorizedError:
            return False
    return True


async def test_log_in_on_plain_http(connect: Connect, user: User, database: Database) -> None:
    async with connect() as client:
        answer = await log_in(client, "ANN@example.com")
    data = data_of(answer)
    assert (data["email"], data["plan"]) == (user.email, "Pro")
    lasts = datetime.fromisoformat(data["expires_at"]) - clock.now()
    assert timedelta(days=29, hours=23) < lasts <= timedelta(days=30)
    cookie, attributes = cookie_of(answer)
    assert cookie.startswith("tinyjpg=")
    assert attributes == {"HttpOnly", "Max-Age=2592000", "Path=/", "SameSite=lax"}
    async with database.read() as connection:
        assert cookie not in f"tinyjpg={await connection.scalar(select(sessions.c.token_hash))}"
    assert answer.headers["cache-control"] == "no-store"


async def test_log_in_on_https(connect: Connect, user: User) -> None:
    async with connect(HTTPS) as client:
        answer = await log_in(client, user.email)
        cookie, attributes = cookie_of(answer)
        assert cookie.startswith("__Host-tinyjpg=")
        assert {"HttpOnly", "Path=/", "SameSite=lax", "Secure"} < attributes
        assert not any(attribute.startswith("Domain") for attribute in attributes)
        assert data_of(await client.get("/api/keys")) == {"keys": []}
        gone, attributes = cookie_of(await client.delete("/api/session"))
        assert gone == '__Host-tinyjpg=""'
        assert "Secure" in attributes
        refused(await client.get("/api/keys"), 401, "unauthorized")


async def test_wrong_and_unknown_are_answered_alike(connect: Connect, user: User) -> None:
    async with connect() as client:
        wrong = await log_in(client, user.email, "not the password")
        unknown = await log_in(client, "nobody@example.com")
        nonsense = await log_in(client, "\0", "\0")
    for answer in (wrong, unknown, nonsense):
        refused(answer, 401, "wrong_credentials")
        assert answer.content == wrong.content
        assert "set-cookie" not in answer.headers


async def test_a_disabled_account(
    browser: httpx.AsyncClient, user: User, database: Database
) -> None:
    async with database.write() as connection:
        await disable(connection, user.email, clock.now())
    refused(await browser.get("/api/keys"), 401, "unauthorized")
    refused(await log_in(browser, user.email), 403, "account_disabled")
    refused(await log_in(browser, user.email, "not the password"), 401, "wrong_credentials")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"email": "ann@example.com"}, "password"),
        ({"password": PASSWORD}, "email"),
        ({"email": 5, "password": PASSWORD}, "email"),
        ({"email": "a" * 255, "password": PASSWORD}, "email"),
        ({"email": "ann@example.com", "password": "x" * 1001}, "password"),
        ({"email": "ann@example.com", "password": PASSWORD, "admin": True}, "admin"),
    ],
)
async def test_a_log_in_of_the_wrong_shape(
    connect: Connect, body: dict[str, Any], field: str
) -> None:
    async with connect() as client:
        answer = await client.post("/api/session", json=body)
    assert list(refused(answer, 422, "validation_failed")) == [field]
    assert PASSWORD not in answer.text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff",
        b'"x"',
        b"[" * 10_000,
        b'{"email": "a@b.c", "password": "\\ud83d"}',
    ],
)
async def test_a_body_that_is_no_log_in(connect: Connect, body: bytes) -> None:
    async with connect() as client:
        answer = await client.post(
            "/api/session", content=body, headers={"Content-Type": "application/json"}
        )
    assert answer.status_code in {400, 422}
    assert answer.json()["success"] is False


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


async def test_log_out_ends_the_session_on_the_server(browser: httpx.AsyncClient) -> None:
    [cookie] = browser.cookies.jar
    data_of(await browser.get("/api/keys"))
    assert data_of(await browser.delete("/api/session")) is None
    assert not list(browser.cookies.jar)
    again = await browser.get("/api/keys", headers={"Cookie": f"{cookie.name}={cookie.value}"})
    refused(again, 401, "unauthorized")
    # Once more is no error.
    data_of(await browser.delete("/api/session"))


async def test_another_log_in_replaces_the_session(
    browser: httpx.AsyncClient, user: User, database: Database
) -> None:
    [before] = [cookie.value for cookie in browser.cookies.jar]
    data_of(await log_in(browser, user.email))
    [after] = [cookie.value for cookie in browser.cookies.jar]
    assert before != after
    async with database.read() as connection:
        assert len(list(await connection.scalars(select(sessions.c.id)))) == 1


async def test_a_session_that_is_over(browser: httpx.AsyncClient, database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(update(sessions).values(expires_at=clock.now()))
    refused(await browser.get("/api/keys"), 401, "unauthorized")


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


async def test_log_ins_are_throttled_by_address_and_account(connect: Connect, user: User) -> None:
    async with connect() as client:
        for _ in range(10):
            refused(await log_in(client, user.email, "wrong password"), 401, "wrong_credentials")
        answer = await log_in(client, user.email, "wrong password")
        refused(answer, 429, "rate_limited")
        assert 60 < int(answer.headers["retry-after"]) <= 900
        # Whether there is such an account is not told here either.
        for _ in range(10):
            refused(await log_in(client, "nobody@example.com"), 401, "wrong_credentials")
        refused(await log_in(client, "Nobody@Example.com "), 429, "rate_limited")
    async with connect(address="192.0.2.2") as elsewhere:
        refused(await log_in(elsewhere, user.email, "wrong password"), 401, "wrong_credentials")


async def test_a_right_password_clears_the_throttle(connect: Connect, user: User) -> None:
    async with connect() as client:
        for _ in range(2):
            for _ in range(6):
                refused(
                    await log_in(client, user.email, "wrong password"), 401, "wrong_credentials"
                )
            data_of(await log_in(client, user.email))


async def test_an_address_has_sixty_tries_in_all() -> None:
    limiter = RateLimiter()
    for number in range(60):
        await limiter.hit_log_in("192.0.2.1", f"{number}@example.com")
    with pytest.raises(TooManyRequestsError):
        await limiter.hit_log_in("192.0.2.1", "another@example.com")
    await limiter.hit_log_in("192.0.2.2", "another@example.com")


async def test_an_account_has_two_hundred_tries_from_everywhere() -> None:
    limiter = RateLimiter()
    for number in range(200):
        await limiter.hit_log_in(f"address {number}", "ann@example.com")
    with pytest.raises(TooManyRequestsError):
        await limiter.hit_log_in("one more", "ann@example.com")
    await limiter.hit_log_in("one more", "bob@example.com")
