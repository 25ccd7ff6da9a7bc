"""The image files over HTTP: what they are served as, in parts or not at all, and to whom."""

from __future__ import annotations

import asyncio
import gzip
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import insert, update

from tests.server.accounting import make_caller
from tinyjpg_server.db import clock
from tinyjpg_server.db.database import Database
from tinyjpg_server.db.tables import images
from tinyjpg_server.failures import answer_failures, unexpected_failure
from tinyjpg_server.middleware import RequestMiddleware
from tinyjpg_server.routes import files
from tinyjpg_server.storage.store import Store, folder_store, memory_store

pytestmark = pytest.mark.anyio

NAME: Final = "0123456789abcdef0123456789abcdef"
ORIGINAL: Final = f"/direct-file/original/{NAME}.jpg"
OPTIMIZED: Final = f"/direct-file/optimized/{NAME}.jpg"
CONTENT: Final = bytes(range(256)) * 4
RESULT: Final = b"smaller"


@dataclass(frozen=True)
class Service:
    """The routes of files behind the middleware, and what they stand on."""

    database: Database
    store: Store
    client: httpx.AsyncClient

    async def add(self, **changes: Any) -> None:
        """A completed JPEG, with both files; `changes` are columns."""
        caller = await make_caller(self.database)
        now = clock.now()
        row: dict[str, Any] = {
            "account_id": caller.account_id,
            "name": NAME,
            "format": "jpeg",
            "width": 1,
            "height": 1,
            "frames": 1,
            "quality": 80,
            "status": "completed",
            "month": "2026-11",
            "created_at": now,
            "original_size": len(CONTENT),
            "estimated_size": 1,
            "result_attempt": 2,
            "expires_at": now + timedelta(days=7),
            **changes,
        }
        async with self.database.write() as connection:
            await connection.execute(insert(images).values(row))
        extension = {"jpeg": "jpg"}.get(row["format"], row["format"])
        await self.store.put(f"original/{row['name']}.{extension}", CONTENT)
        if row["result_attempt"] is not None:
            await self.store.put(
                f"optimized/{row['name']}/{row['result_attempt']}.{extension}", RESULT
            )

    async def change(self, **changes: Any) -> None:
        async with self.database.write() as connection:
            await connection.execute(update(images).values(**changes))

    async def get(self, url: str = ORIGINAL, /, **headers: str) -> httpx.Response:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.get(url, headers=names)


def application(database: Database, store: Store) -> FastAPI:
    app = FastAPI(redirect_slashes=False)
    app.include_router(files.router)
    answer_failures(app)
    app.add_middleware(RequestMiddleware, observe=lambda *_: None, unexpected=unexpected_failure)
    app.state.services = SimpleNamespace(database=database, store=store)
    return app


@pytest.fixture
async def service(database: Database) -> AsyncIterator[Service]:
    async with memory_store() as store:
        transport = httpx.ASGITransport(application(database, store))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            yield Service(database, store, client)


def assert_refused(answer: httpx.Response, status: int, code: str) -> None:
    body = answer.json()
    assert (answer.status_code, body["success"], body["code"]) == (status, False, code)
    assert body["message"]
    assert body["errors"] == {}
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("format", "extension", "media_type"),
    [
        ("jpeg", "jpg", "image/jpeg"),
        ("png", "png", "image/png"),
        ("webp", "webp", "image/webp"),
        ("gif", "gif", "image/gif"),
    ],
)
async def test_both_files_are_served_as_the_rows_format_says(
    service: Service, format: str, extension: str, media_type: str
) -> None:
    await service.add(format=format)
    for kind, content in (("original", CONTENT), ("optimized", RESULT)):
        answer = await service.get(f"/direct-file/{kind}/{NAME}.{extension}")
        assert (answer.status_code, answer.content) == (200, content)
        assert answer.headers["content-type"] == media_type
        assert answer.headers["content-length"] == str(len(content))
        assert answer.headers["content-disposition"] == f'inline; filename="{NAME}.{extension}"'
    for wrong in {"jpg", "jpeg", "png", "webp", "gif", "html", "svg"} - {extension}:
        assert_refused(await service.get(f"/direct-file/original/{NAME}.{wrong}"), 404, "not_found")
        assert_refused(
            await service.get(f"/direct-file/optimized/{NAME}.{wrong}"), 404, "not_found"
        )


async def test_nothing_in_a_file_runs_and_any_page_may_embed_it(service: Service) -> None:
    await service.add()
    first = await service.get()
    answers = [
        first,
        await service.get(range="bytes=0-1"),
        await service.client.head(ORIGINAL),
        await service.get(if_none_match=first.headers["etag"]),
    ]
    assert [answer.status_code for answer in answers] == [200, 206, 200, 304]
    for answer in answers:
        assert answer.headers.get_list("x-content-type-options") == ["nosniff"]
        assert answer.headers.get_list("content-security-policy") == ["default-src 'none'; sandbox"]
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
        assert answer.headers["accept-ranges"] == "bytes"
        assert answer.headers["x-request-id"]


async def test_a_file_may_be_kept_until_it_expires(service: Service) -> None:
    await service.add(expires_at=clock.now() + timedelta(hours=2))
    control = (await service.get()).headers["cache-control"]
    found = re.fullmatch(r"private, max-age=(\d+), immutable, no-transform", control)
    assert found is not None
    assert 7100 < int(found[1]) <= 7200


async def test_files_are_never_compressed(service: Service) -> None:
    await service.add()
    answer = await service.get(accept_encoding="gzip, br, zstd, deflate")
    assert "content-encoding" not in answer.headers
    assert answer.content == CONTENT
    assert len(gzip.compress(CONTENT)) < len(CONTENT)


async def test_head_tells_what_get_would_without_the_bytes(service: Service) -> None:
    await service.add()
    get = await service.get()
    head = await service.client.head(ORIGINAL, headers={"Range": "bytes=0-9"})
    assert (head.status_code, head.content) == (200, b"")
    ignored = {"x-request-id", "cache-control"}
    assert {k: v for k, v in head.headers.items() if k not in ignored} == {
        k: v for k, v in get.headers.items() if k not in ignored
    }


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=10-19", 10, 19),
        ("bytes=1000-", 1000, 1023),
        ("bytes=1000-5000", 1000, 1023),
        ("bytes=1023-999999999999999999", 1023, 1023),
        ("bytes=-5", 1019, 1023),
        ("bytes=-5000", 0, 1023),
        ("BYTES=3-4", 3, 4),
        (" bytes = 3 - 4 ", 3, 4),
    ],
)
async def test_a_range_is_answered_with_exactly_it(
    service: Service, asked: str, first: int, last: int
) -> None:
    await service.add()
    answer = await service.get(range=asked)
    assert answer.status_code == 206
    assert answer.content == CONTENT[first : last + 1]
    assert answer.headers["content-range"] == f"bytes {first}-{last}/1024"
    assert answer.headers["content-length"] == str(last + 1 - first)
    assert answer.headers["content-type"] == "image/jpeg"


@pytest.mark.parametrize("asked", ["bytes=1024-", "bytes=5000-6000", "bytes=-0"])
async def test_a_range_beyond_the_end_is_416_and_tells_the_size(
    service: Service, asked: str
) -> None:
    await service.add()
    answer = await service.get(range=asked)
    assert_refused(answer, 416, "range_not_satisfiable")
    assert answer.headers["content-range"] == "bytes */1024"


@pytest.mark.parametrize(
    "asked",
    [
        "bytes=5-3",
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "lines=1-2",
        "bytes=0-1,3-4",
        "1-2",
        "bytes=\u0661-\u0662",
        "bytes=" + "9" * 5000 + "-",
        "bytes=0-" + "9" * 5000,
    ],
)
async def test_what_is_no_single_range_is_answered_with_the_whole(
    service: Service, asked: str
) -> None:
    await service.add()
    answer = await service.client.get(ORIGINAL, headers={b"Range": asked.encode()})
    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert "content-range" not in answer.headers


async def test_two_range_headers_are_answered_with_the_whole(service: Service) -> None:
    await service.add()
    answer = await service.client.get(
        ORIGINAL, headers=[("Range", "bytes=0-1"), ("Range", "bytes=4-5")]
    )
    assert (answer.status_code, answer.content) == (200, CONTENT)


async def test_tags_tell_files_apart_and_last(service: Service) -> None:
    await service.add()
    original, optimized = await service.get(), await service.get(OPTIMIZED)
    assert re.fullmatch(r'"[0-9a-f]+"', original.headers["etag"])
    assert original.headers["etag"] != optimized.headers["etag"]
    assert (await service.get()).headers["etag"] == original.headers["etag"]


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', '"other" ,W/{} , "third"', "*"])
async def test_a_known_tag_is_304_without_a_body(service: Service, form: str) -> None:
    await service.add()
    first = await service.get()
    answer = await service.get(if_none_match=form.format(first.headers["etag"]))
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == first.headers["etag"]
    assert answer.headers["last-modified"] == first.headers["last-modified"]
    assert "max-age" in answer.headers["cache-control"]
    assert "content-type" not in answer.headers
    assert "content-length" not in answer.headers


@pytest.mark.parametrize("tags", ['"other"', "nonsense", '"', ""])
async def test_an_unknown_tag_is_answered_with_the_file_whatever_the_date(
    service: Service, tags: str
) -> None:
    await service.add()
    later = "Fri, 01 Jan 2100 00:00:00 GMT"
    answer = await service.get(if_none_match=tags, if_modified_since=later)
    assert (answer.status_code, answer.content) == (200, CONTENT)


async def test_a_file_not_changed_since_is_304(service: Service) -> None:
    await service.add()
    stamp = (await service.get()).headers["last-modified"]
    assert (await service.get(if_modified_since=stamp)).status_code == 304
    assert (await service.get(if_modified_since="Fri, 01 Jan 2100 00:00:00 GMT")).status_code == 304
    for other in (
        "Sat, 01 Jan 2000 00:00:00 GMT",
        "yesterday",
        "",
        "Sat, 99 Foo 2000 99:99:99 GMT",
    ):
        assert (await service.get(if_modified_since=other)).status_code == 200


async def test_if_range_gives_the_range_only_of_the_same_file(service: Service) -> None:
    await service.add()
    first = await service.get()
    etag, stamp = first.headers["etag"], first.headers["last-modified"]
    for same in (etag, stamp):
        answer = await service.get(range="bytes=1-2", if_range=same)
        assert (answer.status_code, answer.content) == (206, CONTENT[1:3])
    for other in ('"other"', f"W/{etag}", "Fri, 01 Jan 2100 00:00:00 GMT", "nonsense"):
        answer = await service.get(range="bytes=1-2", if_range=other)
        assert (answer.status_code, answer.content) == (200, CONTENT)
    assert (await service.get(range="bytes=9999-", if_range='"other"')).status_code == 200


async def test_going_on_with_another_file_is_412(service: Service) -> None:
    await service.add()
    first = await service.get()
    etag, stamp = first.headers["etag"], first.headers["last-modified"]
    for headers in ({"if_match": etag}, {"if_match": "*"}, {"if_unmodified_since": stamp}):
        assert (await service.get(range="bytes=0-1", **headers)).status_code == 206
    old = "Sat, 01 Jan 2000 00:00:00 GMT"
    for headers in (
        {"if_match": '"other"'},
        {"if_match": f"W/{etag}"},
        {"if_unmodified_since": old},
    ):
        answer = await service.get(range="bytes=0-1", **headers)
        assert_refused(answer, 412, "precondition_failed")


async def test_last_modified_is_in_seconds_of_gmt(service: Service) -> None:
    await service.add()
    stamp = (await service.get()).headers["last-modified"]
    parsed = datetime.strptime(stamp, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
    assert abs(parsed - datetime.now(UTC)) < timedelta(minutes=1)


async def test_an_image_in_work_has_an_original_and_no_result_yet(service: Service) -> None:
    await service.add(status="processing", result_attempt=None)
    assert (await service.get()).content == CONTENT
    answer = await service.get(OPTIMIZED)
    assert_refused(answer, 404, "processing")
    assert answer.headers["retry-after"] == "1"
    assert answer.headers["cache-control"] == "no-store"


async def test_a_failed_image_has_an_original_and_no_result(service: Service) -> None:
    await service.add(status="failed", result_attempt=None)
    assert (await service.get()).content == CONTENT
    answer = await service.get(OPTIMIZED)
    assert_refused(answer, 404, "failed")
    assert "retry-after" not in answer.headers


@pytest.mark.parametrize(
    "gone",
    [{"expires_at": datetime(2026, 1, 1, tzinfo=UTC)}, {"files_removed_at": datetime.now(UTC)}],
)
async def test_an_expired_file_is_404_even_if_it_is_still_there(
    service: Service, gone: dict[str, Any]
) -> None:
    await service.add(**gone)
    for url in (ORIGINAL, OPTIMIZED):
        answer = await service.get(url)
        assert_refused(answer, 404, "expired")
        assert answer.headers["cache-control"] == "no-store"


async def test_a_deleted_image_is_as_if_it_had_never_been(service: Service) -> None:
    await service.add(deleted_at=clock.now())
    for url in (ORIGINAL, OPTIMIZED):
        assert_refused(await service.get(url), 404, "not_found")


async def test_the_file_of_the_attempt_that_won_is_served(service: Service) -> None:
    await service.add(result_attempt=3)
    await service.store.put(f"optimized/{NAME}/1.jpg", b"of a worker that lost its lease")
    assert (await service.get(OPTIMIZED)).content == RESULT


async def test_a_lost_file_is_404_and_in_the_log(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    await service.add()
    await service.store.delete(f"original/{NAME}.jpg")
    assert_refused(await service.get(), 404, "not_found")
    assert "not in the store" in caplog.text


async def test_no_key_is_needed_and_a_wrong_one_is_not_looked_at(service: Service) -> None:
    await service.add()
    assert (await service.get()).status_code == 200
    assert (await service.get(x_api_key="tj_wrong")).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_other_methods_are_405(service: Service, method: str) -> None:
    await service.add()
    assert_refused(await service.client.request(method, ORIGINAL), 405, "method_not_allowed")


@pytest.mark.parametrize(
    "path",
    [
        "",
        ".",
        "..",
        "%2e%2e",
        "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "..%2f..%2ftinyjpg.sqlite3",
        "..%5c..%5cwindows",
        f"{NAME}",
        f"{NAME}.",
        f".{NAME}.jpg",
        f"{NAME}.jpg%00",
        f"{NAME}%00.jpg",
        f"%00{NAME}.jpg",
        f"{NAME}.jpg%0a",
        f"{NAME}.jpg%0d%0aSet-Cookie:a=b",
        f"{NAME}.jpg/",
        f"{NAME}.jpg%2f",
        f"%2f{NAME}.jpg",
        f"x/../{NAME}.jpg%2f..",
        f"{NAME}/2.jpg",
        f"{NAME}%2f2.jpg",
        f"{NAME.upper()}.jpg",
        f"{NAME}.JPG",
        f"{NAME}.jpg.html",
        f"{NAME}.jpg;.html",
        f"{NAME[:-1]}.jpg",
        f"{NAME[:-1]}%25.jpg",
        f"{NAME[:-1]}_.jpg",
        f"{NAME}%20.jpg",
        "%ff%fe.jpg",
        "%c3%a9.jpg",
        "%ef%bc%90.jpg",
        "%f0%9f%98%80.jpg",
        "%d9%a0.jpg",
        "%252e%252e",
        "'%20OR%201=1--.jpg",
        "a" * 60_000 + ".jpg",
    ],
)
async def test_path_tricks_are_404(service: Service, path: str) -> None:
    await service.add()
    for kind in ("original", "optimized"):
        request = service.client.build_request("GET", "/")
        # As sent, not as a client would tidy it.
        request.url = httpx.URL(
            "http://test", raw_path=f"/direct-file/{kind}/{path}".encode("ascii")
        )
        assert_refused(await service.client.send(request), 404, "not_found")


async def test_the_names_of_files_are_not_in_the_log(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    await service.add()
    with caplog.at_level("DEBUG", logger="tinyjpg_server"):
        await service.get()
    lines = [record for record in caplog.records if record.name.startswith("tinyjpg_server")]
    assert lines
    assert not [line for line in lines if NAME in str(line.__dict__)]


async def test_a_file_goes_out_in_pieces_and_ends_with_its_reader(
    database: Database, tmp_path: Path
) -> None:
    async with folder_store(tmp_path) as store:
        app = application(database, store)
        service = Service(database, store, httpx.AsyncClient())
        await service.add()
        large = CONTENT * 4096
        await store.put(f"original/{NAME}.jpg", large)
        pieces: list[bytes] = []

        async def send(message: Any) -> None:
            if message["type"] == "http.response.body":
                pieces.append(message.get("body", b""))
                if len(pieces) == stop_after:
                    raise OSError("the connection was closed")

        async def receive() -> Any:
            await asyncio.Event().wait()

        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "method": "GET",
            "path": ORIGINAL,
            "query_string": b"",
            "headers": [],
            "app": app,
        }
        stop_after = 0
        await app(scope, receive, send)
        assert b"".join(pieces) == large
        assert max(map(len, pieces)) <= 256 * 1024
        pieces.clear()
        stop_after = 2
        # Nobody is left to be told, so it ends without a word.
        await app(scope, receive, send)
        assert len(pieces) == 2
        await service.client.aclose()
