"""The image files over HTTP in parts, or not at all: ranges, tags and dates."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.server.file_service import (
    CONTENT,
    OPTIMIZED,
    ORIGINAL,
    Service,
    assert_refused,
    file_service,
)
from tinyjpg_server.db.database import Database

pytestmark = pytest.mark.anyio


@pytest.fixture
async def service(database: Database) -> AsyncIterator[Service]:
    async with file_service(database) as opened:
        yield opened


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
