"""The image files over HTTP: what they are served as, and to whom."""

from __future__ import annotations

import asyncio
import gzip
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.server.file_service import (
    CONTENT,
    NAME,
    OPTIMIZED,
    ORIGINAL,
    RESULT,
    Service,
    application,
    assert_refused,
    file_service,
)
from tinyjpg_server.db import clock
from tinyjpg_server.db.database import Database
from tinyjpg_server.storage.store import folder_store

pytestmark = pytest.mark.anyio


@pytest.fixture
async def service(database: Database) -> AsyncIterator[Service]:
    async with file_service(database) as opened:
        yield opened


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
