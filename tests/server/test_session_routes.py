"""Log in and out over HTTP, on both databases."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from tests.server.account_tools import (
    HTTPS,
    PASSWORD,
    Connect,
    cookie_of,
    data_of,
    log_in,
    refused,
)
from tinyjpg_server.accounts.users import User, disable
from tinyjpg_server.db import clock
from tinyjpg_server.db.database import Database
from tinyjpg_server.db.tables import sessions
from tinyjpg_server.errors import TooManyRequestsError
from tinyjpg_server.ratelimit import RateLimiter

pytestmark = pytest.mark.anyio


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
