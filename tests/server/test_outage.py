"""A database that goes away: every request is told so, and everything goes on once it is back."""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Executable, insert, text, update
from sqlalchemy.exc import SQLAlchemyError

from tests.server.accounting import LEASE, NOON, make_caller
from tests.server.clients import completed, new_client, post, upload
from tests.server.cluster import Cluster, running_cluster, why_not
from tests.server.running import RunningServer
from tinyjpg_server.db import clock
from tinyjpg_server.db.database import Database
from tinyjpg_server.db.outage import is_outage
from tinyjpg_server.db.tables import accounts, images, usage
from tinyjpg_server.failures import answer_failures, unexpected_failure
from tinyjpg_server.middleware import RequestMiddleware

ROUTES: dict[str, Callable[[httpx.Client, dict[str, Any]], httpx.Response]] = {
    "upload": lambda client, _: post(client),
    "upload that waits": lambda client, _: post(client, wait=1),
    "status": lambda client, image: client.get(f"/api/status/{image['image_id']}"),
    "status that waits": lambda client, image: client.get(
        f"/api/status/{image['image_id']}?wait=1"
    ),
    "usage": lambda client, _: client.get("/api/v1/usage"),
    "statistics": lambda client, _: client.get("/api/v1/stats"),
    "images": lambda client, _: client.get("/api/images"),
    "deleting": lambda client, _: client.delete("/api/images/1000"),
    "log-in": lambda client, _: client.post(
        "/api/v1/session", json={"email": "admin@localhost", "password": secrets.token_hex(8)}
    ),
    "keys": lambda client, _: client.get("/api/v1/keys", headers={"Cookie": "session=x"}),
    "original": lambda client, image: client.get(image["original_url"]),
    "result": lambda client, image: client.get(image["optimized_url"]),
    "readiness": lambda client, _: client.get("/readyz"),
}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    reason = why_not()
    if reason:
        pytest.skip(reason)
    with running_cluster() as running:
        yield running


@pytest.fixture(scope="module")
def service(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    data = tmp_path_factory.mktemp("outage") / "data"
    environment = {"TINYJPG_DATABASE_URL": cluster.url, "TINYJPG_LEASE": "2"}
    with RunningServer(data, workers=1, environment=environment) as running:
        yield running


def run(url: str, *statements: Executable) -> None:
    async def execute() -> None:
        async with Database(url) as database, database.write() as connection:
            for statement in statements:
                await connection.execute(statement)

    asyncio.run(execute())


def assert_away(answers: dict[str, httpx.Response]) -> None:
    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(
        answers, 503
    )
    for answer in answers.values():
        body = answer.json()
        assert set(body) == {"success", "message", "errors", "code"}
        assert (body["success"], body["code"]) == (False, "unavailable")
        assert 1 <= int(answer.headers["retry-after"]) <= 60


def test_every_route_answers_503_until_the_database_is_back(
    cluster: Cluster, service: RunningServer
) -> None:
    processes = {*service.web_pids(), *service.worker_pids()}
    with new_client(service, service.key) as client:
        image = upload(client)
        completed(client, image["image_id"])

        def answers() -> dict[str, httpx.Response]:
            return {name: ask(client, image) for name, ask in ROUTES.items()}

        for mode in ("fast", "immediate"):
            cluster.stop(mode)
            assert_away(answers())
            cluster.start(ready=False)
            assert_away(answers())
            cluster.stop("immediate")
            cluster.start()
            # Sessions of the pool that were lost are made anew, at once.
            expected = dict.fromkeys(ROUTES, 200) | {"log-in": 401, "keys": 401, "deleting": 404}
            assert {name: each.status_code for name, each in answers().items()} == expected
            completed(client, upload(client)["image_id"])
    assert {*service.web_pids(), *service.worker_pids()} == processes


def test_requests_under_way_are_answered_503_too(cluster: Cluster, service: RunningServer) -> None:
    statuses: set[int] = set()
    over = threading.Event()
    asked = [name for name in ROUTES if name not in {"log-in", "upload that waits"}]
    with new_client(service, service.key) as client:
        image = upload(client)
        completed(client, image["image_id"])

    def ask(name: str) -> None:
        with new_client(service, service.key) as client:
            while not over.is_set():
                statuses.add(ROUTES[name](client, image).status_code)

    threads = [threading.Thread(target=ask, args=(name,)) for name in asked]
    for thread in threads:
        thread.start()
    try:
        for mode in ("fast", "immediate", "fast"):
            cluster.stop(mode)
            cluster.start()
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert statuses == {200, 401, 404, 503}


def test_images_are_worked_on_and_given_on_after_an_outage(
    cluster: Cluster, service: RunningServer
) -> None:
    with new_client(service, service.key) as client:
        ids = [upload(client)["image_id"] for _ in range(5)]
        cluster.stop("immediate")
        # Longer than workers and housekeeping take to look.
        threading.Event().wait(2)
        cluster.start()
        assert [completed(client, each)["status"] for each in ids] == ["completed"] * 5
        # What a worker left that died meanwhile.
        over = clock.now() - LEASE
        run(
            cluster.url,
            update(images)
            .where(images.c.id == ids[0])
            .values(status="processing", finished_at=None, claimed_by="x", lease_until=over),
            update(usage).values(used=usage.c.used - 1, reserved=usage.c.reserved + 1),
        )
        assert completed(client, ids[0])["status"] == "completed"
        # Of the other tests' images some may have been refused, none may be left.
        stats = client.get("/api/v1/stats").json()["data"]
        assert stats["pending"] == 0
        assert stats["used"] >= len(ids)


@pytest.mark.anyio
async def test_a_session_that_is_ended_within_a_transaction_is_an_outage(cluster: Cluster) -> None:
    async with Database(cluster.url) as database:

        async def broken_off() -> None:
            async with database.write() as mine:
                own = await mine.scalar(text("SELECT pg_backend_pid()"))
                async with database.read() as other:
                    await other.execute(text(f"SELECT pg_terminate_backend({own})"))
                await mine.execute(text("SELECT 1"))

        with pytest.raises(SQLAlchemyError) as raised:
            await broken_off()
        assert is_outage(raised.value)
        async with database.write() as connection:
            assert await connection.scalar(text("SELECT 1")) == 1


@pytest.mark.anyio
async def test_a_locked_sqlite_is_an_outage(sqlite_url: str) -> None:
    async with Database(sqlite_url) as database, database.read() as connection:
        await connection.execute(text("PRAGMA busy_timeout = 1"))
        other = sqlite3.connect(sqlite_url.partition("///")[2])
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(SQLAlchemyError) as raised:
            await connection.execute(text("BEGIN IMMEDIATE"))
        other.close()
    assert is_outage(raised.value)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "fault", ["no such table", "no such column", "not unique", "no such parameter"]
)
async def test_an_error_of_ours_stays_a_500(database: Database, fault: str) -> None:
    caller = await make_caller(database)
    values = {"email": caller.email, "plan_id": caller.plan.id, "created_at": NOON}
    statements: dict[str, tuple[Any, ...]] = {
        "no such table": (text("SELECT 1 FROM nowhere"),),
        "no such column": (text("SELECT weight FROM images"),),
        "not unique": (insert(accounts).values(**values),),
        "no such parameter": (text("SELECT 1 FROM images WHERE id = :id"),),
    }
    app = FastAPI()
    answer_failures(app)
    app.add_middleware(RequestMiddleware, observe=lambda *_: None, unexpected=unexpected_failure)

    @app.get("/")
    async def wrong() -> None:
        async with database.write() as connection:
            await connection.execute(*statements[fault])

    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = await client.get("/")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")


def test_a_server_that_cannot_be_found_is_an_outage(tmp_path: Path) -> None:
    url = f"postgresql+asyncpg://postgres@/postgres?host={tmp_path}"
    with pytest.raises(SQLAlchemyError) as raised:
        run(url, text("SELECT 1"))
    assert is_outage(raised.value)
