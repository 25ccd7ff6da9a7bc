"""Failures are pages where a browser asks for a page, and JSON everywhere else."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from tests.server.clients import execute
from tests.server.logging_in import member
from tests.server.people import Person
from tests.server.running import RunningServer
from tinyjpg_server.accounts.tokens import TOKEN_LENGTH
from tinyjpg_server.app import create_app
from tinyjpg_server.errors import TooManyRequestsError
from tinyjpg_server.settings import load_settings

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PAGE = "/account/plan"


def is_error_page(answer: httpx.Response, status: int, *words: str) -> None:
    """Fail unless `answer` is the page of this failure."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert f"Error {status}" in answer.text
    assert answer.headers["cache-control"] == "no-store"
    for word in words:
        assert word in answer.text
    # Nothing of the inside.
    assert "Traceback" not in answer.text
    assert "sqlite" not in answer.text.lower()


def test_404_405_403_and_413(server: RunningServer) -> None:
    with member(server) as ann:
        is_error_page(ann.get("/no-such-page"), 404, "There is no page at this address.")
        answer = ann.client.post("/pricing")
        is_error_page(answer, 405)
        assert answer.headers["allow"] == "GET, HEAD"
        is_error_page(ann.client.post(PAGE, data={"plan": "Free"}), 403, "no longer valid")
        is_error_page(ann.client.post(PAGE, data={"plan": "x" * 20_000}), 413, "too large")
        is_error_page(ann.client.post(PAGE, json={"plan": "Free"}), 400)


def test_a_page_that_needs_a_log_in_leads_there(server: RunningServer) -> None:
    with Person(server) as visitor:
        answer = visitor.get(f"{PAGE}?done=a%26b")
        assert answer.status_code == 303
        assert answer.headers["location"] == "/log-in?next=%2Faccount%2Fplan%3Fdone%3Da%2526b"
        token = "0" * 64
        answer = visitor.client.post(PAGE, data={"form_token": token, "plan": "Free"})
        is_error_page(answer, 403)


@pytest.mark.parametrize("accept", ["text/html", "text/html,*/*;q=0.8", "image/png", ""])
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api", 404),
        ("GET", "/api/no-such", 404),
        ("GET", "/api/v1/stats", 401),
        ("GET", "/api/keys", 401),
        ("POST", "/api/optimize", 401),
        ("PUT", "/api/optimize", 405),
        ("POST", "/healthz", 405),
        ("GET", "/direct-file/optimized/0.jpg", 404),
        ("GET", "/static/0/site.css", 404),
    ],
)
def test_what_programs_ask_for_is_answered_in_json(
    client: httpx.Client, accept: str, method: str, path: str, status: int
) -> None:
    answer = client.request(method, path, headers={"Accept": accept, "X-API-Key": ""})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["success"] is False


@pytest.mark.parametrize("accept", ["application/json", "*/*", "image/png"])
def test_who_wants_no_page_gets_none(client: httpx.Client, accept: str) -> None:
    answer = client.get("/no-such-page", headers={"Accept": accept})
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


@pytest.mark.parametrize("path", ["/", "/docs", "/pricing", "/no-such-page"])
def test_head_is_get_without_the_body(server: RunningServer, path: str) -> None:
    with Person(server) as visitor:
        got, asked = visitor.get(path), visitor.client.head(path)
    assert asked.content == b""
    assert asked.status_code == got.status_code
    differs = {"x-request-id", "date", "content-length", "set-cookie"}
    assert {name: value for name, value in asked.headers.items() if name not in differs} == {
        name: value for name, value in got.headers.items() if name not in differs
    }


@pytest.fixture
def broken(tmp_path: Path) -> Iterator[RunningServer]:
    """A service of the test's own, to be broken."""
    with RunningServer(tmp_path / "data", workers=0) as running:
        yield running


def test_pages_of_failures_ask_no_database(broken: RunningServer) -> None:
    with member(broken) as ann:
        execute(broken, "ALTER TABLE accounts RENAME TO lost")
        is_error_page(ann.get("/docs"), 500, "Something went wrong on our side.")
        is_error_page(ann.get("/no-such-page"), 404)
        is_error_page(ann.client.post("/pricing"), 405)
        assert ann.client.get("/api/keys").json()["code"] == "internal_error"
        execute(broken, "ALTER TABLE lost RENAME TO accounts")
        assert ann.get(PAGE).status_code == 200


def test_what_nobody_expected_is_a_page_with_the_request_id(broken: RunningServer) -> None:
    with member(broken) as ann:
        ann.send(PAGE, plan="Pro")
        execute(broken, "UPDATE plan_requests SET created_at = 'no time'")
        answer = ann.get(PAGE)
        is_error_page(answer, 500, "Something went wrong on our side.")
        assert answer.headers["x-request-id"] in answer.text
        assert re.search(r"no time|ValueError", answer.text) is None


class Away:
    """In the place of a database that does not answer."""

    def read(self) -> None:
        """As of `Database`."""
        raise ConnectionRefusedError

    report = write = read


@pytest.fixture
async def faulty(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """An application in this process, without a database, and with pages that always fail."""
    app: FastAPI = create_app(load_settings(data=tmp_path))

    async def refuse() -> None:
        raise TooManyRequestsError("That was too often.", retry_after=42)

    async def fault(page: int) -> None:
        raise AssertionError(page)

    app.add_api_route("/too-often", refuse)
    app.add_api_route("/api/too-often", refuse)
    app.add_api_route("/fault", fault)
    transport = httpx.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test", headers=BROWSER) as client,
    ):
        services = app.state.services
        app.state.services = dataclasses.replace(services, database=Away())
        client.cookies.set("tinyjpg", "a" * TOKEN_LENGTH)
        yield client
        app.state.services = services


@pytest.mark.anyio
@pytest.mark.parametrize("path", ["/", "/docs", "/pricing", PAGE])
async def test_503_while_the_database_is_away(faulty: httpx.AsyncClient, path: str) -> None:
    answer = await faulty.get(path)
    words = "cannot reach its database", "You can try again in 5 seconds."
    is_error_page(answer, 503, *words)
    assert answer.headers["retry-after"] == "5"
    assert (await faulty.get("/api/keys")).json()["code"] == "unavailable"


@pytest.mark.anyio
async def test_429_says_how_long_to_wait(faulty: httpx.AsyncClient) -> None:
    answer = await faulty.get("/too-often")
    is_error_page(answer, 429, "That was too often.", "You can try again in 42 seconds.")
    assert answer.headers["retry-after"] == "42"
    assert (await faulty.get("/api/too-often")).json()["code"] == "rate_limited"


@pytest.mark.anyio
async def test_422_for_an_address_that_does_not_fit(faulty: httpx.AsyncClient) -> None:
    is_error_page(await faulty.get("/fault?page=x"), 422, "does not fit")
