"""The store: one contract for a folder, memory and S3, and what a folder promises beyond it."""

from __future__ import annotations

import asyncio
import errno
import os
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.server import s3
from tinyjpg_server.errors import NotStoredError, ObjectNameError, StorageError
from tinyjpg_server.settings import load_settings
from tinyjpg_server.storage.store import Store, folder_store, memory_store, open_store

pytestmark = pytest.mark.anyio

ORIGINAL = "original/0123456789abcdef.jpg"
RESULT = "optimized/0123456789abcdef/1.jpg"
# Several pieces of a stream, and several parts of an upload to S3.
LARGE = os.urandom(1024) * (11 * 1024)


@pytest.fixture(scope="module")
def s3_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    reason = s3.why_not()
    if reason:
        pytest.skip(reason)
    with s3.running_s3(tmp_path_factory.mktemp("s3")) as url:
        yield url


@pytest.fixture(params=["folder", "memory", "s3"])
async def store(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Store]:
    if request.param == "folder":
        opened = folder_store(tmp_path / "files")
    elif request.param == "memory":
        opened = memory_store()
    else:
        opened = bucket_store(request.getfixturevalue("s3_url"), tmp_path, monkeypatch)
        await opened.delete([found.name async for found in opened.list()])
    async with opened:
        yield opened


def bucket_store(url: str, data: Path, monkeypatch: pytest.MonkeyPatch, **place: str) -> Store:
    """As the service opens it."""
    for name, value in s3.environment(url, **place).items():
        monkeypatch.setenv(name, value)
    return open_store(load_settings(data=data))


async def read(store: Store, name: str, start: int = 0, end: int | None = None) -> bytes:
    return b"".join([piece async for piece in store.stream(name, start, end)])


async def names(store: Store, prefix: str = "") -> set[str]:
    return {stored.name async for stored in store.list(prefix)}


async def test_what_was_put_comes_back(store: Store) -> None:
    await store.put(ORIGINAL, b"bytes")
    assert await store.get(ORIGINAL) == b"bytes"
    assert await read(store, ORIGINAL) == b"bytes"


async def test_an_empty_object_is_an_object(store: Store) -> None:
    await store.put(ORIGINAL, b"")
    assert await store.get(ORIGINAL) == b""
    assert await read(store, ORIGINAL) == b""
    assert (await store.open(ORIGINAL)).size == 0


async def test_facts_tell_size_time_and_a_strong_tag(store: Store) -> None:
    await store.put(ORIGINAL, b"12345")
    stored = await store.open(ORIGINAL)
    assert (stored.name, stored.size) == (ORIGINAL, 5)
    assert abs(stored.modified - datetime.now(UTC)) < timedelta(minutes=1)
    assert stored.etag[0] == stored.etag[-1] == '"'
    assert stored.etag[1:-1].isalnum()
    assert await store.open(ORIGINAL) == stored
    assert [stored] == [found async for found in store.list("original")]


async def test_the_tag_changes_with_the_content(store: Store) -> None:
    await store.put(ORIGINAL, b"12345")
    before = await store.open(ORIGINAL)
    await store.put(ORIGINAL, b"54321")
    assert (await store.open(ORIGINAL)).etag != before.etag
    assert await store.get(ORIGINAL) == b"54321"


async def test_objects_have_different_tags(store: Store) -> None:
    await store.put(ORIGINAL, b"a")
    await store.put(RESULT, b"b")
    assert (await store.open(ORIGINAL)).etag != (await store.open(RESULT)).etag


async def test_a_file_is_copied_in(store: Store, tmp_path: Path) -> None:
    source = tmp_path / "upload"
    source.write_bytes(LARGE)
    await store.put(ORIGINAL, source)
    assert await store.get(ORIGINAL) == LARGE
    assert source.read_bytes() == LARGE


async def test_a_copy_is_an_object_of_its_own(store: Store) -> None:
    await store.put(ORIGINAL, LARGE)
    other = "original/fedcba9876543210.jpg"
    await store.copy(ORIGINAL, other)
    await store.delete(ORIGINAL)
    assert await store.get(other) == LARGE
    assert abs((await store.open(other)).modified - datetime.now(UTC)) < timedelta(minutes=1)


async def test_a_copy_in_a_folder_is_as_new_as_an_upload(tmp_path: Path) -> None:
    async with folder_store(tmp_path) as store:
        await store.put(ORIGINAL, b"bytes")
        # The purge takes old objects without a row for orphans.
        os.utime(tmp_path / ORIGINAL, (0, 0))
        await store.copy(ORIGINAL, RESULT)
        assert (await store.open(RESULT)).modified > (await store.open(ORIGINAL)).modified


async def test_nothing_cannot_be_copied(store: Store) -> None:
    with pytest.raises(NotStoredError):
        await store.copy(ORIGINAL, RESULT)
    assert await names(store) == set()


async def test_a_file_is_moved_in(store: Store, tmp_path: Path) -> None:
    source = tmp_path / "upload"
    source.write_bytes(LARGE)
    await store.put_file(ORIGINAL, source)
    assert await store.get(ORIGINAL) == LARGE
    assert not source.exists()


async def test_a_file_that_is_not_there_is_an_error_and_leaves_nothing(
    store: Store, tmp_path: Path
) -> None:
    with pytest.raises(StorageError) as raised:
        await store.put_file(ORIGINAL, tmp_path / "missing")
    assert not isinstance(raised.value, NotStoredError)
    with pytest.raises(StorageError):
        await store.put(ORIGINAL, tmp_path / "missing")
    assert await names(store) == set()


@pytest.mark.parametrize(
    ("start", "end"),
    [(0, 1), (0, None), (3, 7), (len(LARGE) - 1, None), (len(LARGE) - 5, len(LARGE)), (9, 9)],
)
async def test_a_stream_has_exactly_the_range(store: Store, start: int, end: int | None) -> None:
    await store.put(ORIGINAL, LARGE)
    assert await read(store, ORIGINAL, start, end) == LARGE[start:end]


async def test_nothing_stored_is_told(store: Store) -> None:
    for attempt in (store.get(ORIGINAL), store.open(ORIGINAL), read(store, ORIGINAL)):
        with pytest.raises(NotStoredError, match=ORIGINAL):
            await attempt


async def test_deleting_takes_what_is_there_and_minds_nothing_else(store: Store) -> None:
    await store.put(ORIGINAL, b"1")
    await store.put(RESULT, b"2")
    await store.delete(["original/missing.png", RESULT, "optimized/missing/1.png"])
    assert await names(store) == {ORIGINAL}
    await store.delete(ORIGINAL)
    await store.delete(ORIGINAL)
    await store.delete([])
    assert await names(store) == set()


async def test_a_list_is_of_a_prefix(store: Store) -> None:
    many = {f"optimized/image{number}/1.png" for number in range(7)}
    for name in (*many, ORIGINAL, "optimized2/image/1.png"):
        await store.put(name, b"x")
    assert await names(store, "optimized") == many
    assert await names(store, "optimized/") == many
    assert await names(store, "optimized/image3") == {"optimized/image3/1.png"}
    assert await names(store, "nothing") == set()
    assert await names(store) == {*many, ORIGINAL, "optimized2/image/1.png"}


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/etc/passwd",
        "../outside",
        "original/../../outside",
        "original/..",
        "original/.hidden",
        "original//twice",
        "original/",
        "Original/upper.jpg",
        "original/a b.jpg",
        "original/a\x00.jpg",
        "original/a\n",
        "original/é.jpg",
        "original/%2e%2e",
        "original\\a",
        "a" * 201,
    ],
)
async def test_names_that_lead_elsewhere_are_refused(
    store: Store, tmp_path: Path, name: str
) -> None:
    source = tmp_path / "upload"
    source.write_bytes(b"x")
    attempts = (
        store.put(name, b"x"),
        store.put_file(name, source),
        store.get(name),
        store.open(name),
        read(store, name),
        store.delete(name),
    )
    for attempt in attempts:
        with pytest.raises(ObjectNameError):
            await attempt
    assert source.exists()


async def test_many_puts_at_once(store: Store) -> None:
    wanted = {f"optimized/image{number % 5}/{number}.png": str(number) for number in range(40)}
    await asyncio.gather(*(store.put(name, data.encode()) for name, data in wanted.items()))
    assert {name: (await store.get(name)).decode() for name in wanted} == wanted


async def test_check_passes_and_leaves_nothing(store: Store) -> None:
    await store.check()
    assert await names(store) == set()


async def test_a_bucket_that_is_not_there_fails_as_a_fault(
    s3_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with bucket_store(s3_url, tmp_path, monkeypatch, bucket="another") as store:
        with pytest.raises(StorageError) as raised:
            await store.put(ORIGINAL, b"x")
        assert not isinstance(raised.value, NotStoredError)
        assert "\n" not in str(raised.value)
        with pytest.raises(StorageError):
            await store.check()


async def test_a_prefix_is_a_store_of_its_own(
    s3_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        bucket_store(s3_url, tmp_path, monkeypatch) as whole,
        bucket_store(s3_url, tmp_path, monkeypatch, prefix="eu/images") as part,
        bucket_store(s3_url, tmp_path, monkeypatch, prefix="us") as other,
    ):
        await part.put(ORIGINAL, b"x")
        assert await names(part) == {ORIGINAL}
        assert await names(other) == set()
        assert await whole.get(f"eu/images/{ORIGINAL}") == b"x"
        await part.delete(ORIGINAL)
        assert await names(part) == set()


async def test_the_room_of_a_bucket_is_that_of_the_uploads_on_their_way(
    s3_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with bucket_store(s3_url, tmp_path, monkeypatch) as store:
        free = store.free_bytes()
        assert free is not None
        assert 0 < free <= os.statvfs(tmp_path).f_blocks * os.statvfs(tmp_path).f_frsize


async def test_the_settings_name_the_folder(tmp_path: Path) -> None:
    async with open_store(load_settings(data=tmp_path)) as store:
        await store.put(ORIGINAL, b"x")
        assert (tmp_path / "files" / ORIGINAL).read_bytes() == b"x"


async def test_free_bytes_are_known_of_a_folder_alone(tmp_path: Path) -> None:
    async with folder_store(tmp_path) as folder, memory_store() as memory:
        free = folder.free_bytes()
        assert free is not None
        assert 0 < free <= os.statvfs(tmp_path).f_blocks * os.statvfs(tmp_path).f_frsize
        assert memory.free_bytes() is None


async def test_moving_in_renames(tmp_path: Path) -> None:
    source = tmp_path / "upload"
    source.write_bytes(b"x")
    inode = source.stat().st_ino
    async with folder_store(tmp_path / "files") as store:
        await store.put_file(ORIGINAL, source)
    assert (tmp_path / "files" / ORIGINAL).stat().st_ino == inode


async def test_moving_in_from_another_file_system_copies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "upload"
    source.write_bytes(b"x")
    replace = Path.replace

    def refuse(path: Path, target: Path) -> Path:
        if path == source:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", refuse)
    async with folder_store(tmp_path / "files") as store:
        await store.put_file(ORIGINAL, source)
        assert await store.get(ORIGINAL) == b"x"
    assert not source.exists()


async def test_file_and_folders_are_synced_before_a_put_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was synced, in order, and whether the object had its name by then."""
    files = tmp_path / "files"
    synced: list[tuple[str, bool]] = []
    fsync = os.fsync

    def note(descriptor: int) -> None:
        fsync(descriptor)
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        synced.append((str(path.relative_to(tmp_path)), (files / RESULT).exists()))

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("no /proc to tell what is synced")
    async with folder_store(files) as store:
        monkeypatch.setattr(os, "fsync", note)
        await store.put(RESULT, b"x")
    assert synced[0][0].startswith("files/.temporary/")
    assert synced[0][1] is False
    assert synced[1:] == [
        ("files/optimized/0123456789abcdef", True),
        ("files/optimized", True),
        ("files", True),
    ]
    synced.clear()
    source = tmp_path / "upload"
    source.write_bytes(b"x")
    async with folder_store(files) as store:
        await store.put_file(RESULT, source)
    assert [path for path, _ in synced] == ["upload", "files/optimized/0123456789abcdef"]


async def test_a_put_that_fails_leaves_the_previous_object_and_no_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    async with folder_store(tmp_path) as store:
        await store.put(ORIGINAL, b"before")
        monkeypatch.setattr(os, "fsync", fail)
        with pytest.raises(StorageError, match="Input/output error"):
            await store.put(ORIGINAL, b"after")
        assert await store.get(ORIGINAL) == b"before"
    assert list((tmp_path / ".temporary").iterdir()) == []


async def test_temporary_files_are_nobodys_objects_and_old_ones_go(tmp_path: Path) -> None:
    async with folder_store(tmp_path):
        pass
    old, new = (tmp_path / ".temporary" / name for name in ("old.tmp", "new.tmp"))
    old.write_bytes(b"x")
    new.write_bytes(b"x")
    os.utime(old, (0, time.time() - 7200))
    async with folder_store(tmp_path) as store:
        assert await names(store) == set()
    assert not old.exists()
    assert new.exists()


async def test_empty_folders_go_with_the_last_object(tmp_path: Path) -> None:
    async with folder_store(tmp_path) as store:
        await store.put(RESULT, b"x")
        await store.delete(RESULT)
    assert not (tmp_path / RESULT).parent.exists()


async def test_putting_while_folders_are_cleaned_up(tmp_path: Path) -> None:
    async with folder_store(tmp_path) as store:

        async def rounds(number: int) -> None:
            name = f"optimized/shared/{number}.png"
            for _ in range(25):
                await store.put(name, b"x")
                assert await store.get(name) == b"x"
                await store.delete(name)

        await asyncio.gather(*(rounds(number) for number in range(4)))


async def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "files").write_bytes(b"")
    with pytest.raises(StorageError, match="files"):
        folder_store(tmp_path / "files")
