"""The store of image files: one interface over a local folder, memory and S3, through obstore.

Objects are named `original/{name}.{ext}` and `optimized/{name}/{attempt}.{ext}`. An object never
changes once it is there: a result of another attempt has another name.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, Self

from obstore.exceptions import BaseError
from obstore.store import LocalStore, MemoryStore, ObjectStore

from tinyjpg_server.errors import NotStoredError, StorageError
from tinyjpg_server.settings import Settings
from tinyjpg_server.storage.folder import FolderWriter, free_bytes
from tinyjpg_server.storage.names import checked, is_name
from tinyjpg_server.storage.s3 import bucket

if TYPE_CHECKING:
    from obstore import GetOptions, ObjectMeta

# Bytes of a streamed piece, and of an upload's part.
_PIECE: Final = 256 * 1024
_PART: Final = 5 * 1024 * 1024
_PARTS_AT_A_TIME: Final = 3
_LISTED_AT_A_TIME: Final = 500


@dataclass(frozen=True, slots=True)
class Stored:
    """An object's facts.

    `size` is in bytes, `modified` in UTC, `etag` a strong entity tag with its quotes.
    """

    name: str
    size: int
    etag: str
    modified: datetime


class Writer(Protocol):
    """How objects get into a store; names are checked already."""

    async def put(self, name: str, data: bytes | Path) -> None:
        """Write `data`, or a copy of that file, as `name`."""

    async def put_file(self, name: str, path: Path) -> None:
        """Make the file `path` the object `name`; `path` is gone afterwards."""

    async def copy(self, source: str, target: str) -> None:
        """Write what is stored as `source` as `target`, too."""

    def free_bytes(self) -> int | None:
        """Bytes that may still be written, None if nobody knows."""

    def close(self) -> None:
        """Let go of what the writer holds."""


class UploadWriter:
    """Writes through obstore: what a put has answered is as durable as the service behind it.

    Args:
        objects: what to write to.
        spool: folder of the files on their way there, whose room is what runs out; None if there
            is none.
    """

    def __init__(self, objects: ObjectStore, spool: Path | None = None) -> None:
        self._objects: Final = objects
        self._spool: Final = spool

    async def put(self, name: str, data: bytes | Path) -> None:
        """Upload; large ones in parts, from disk part by part."""
        try:
            with _translated(name):
                await self._objects.put_async(
                    name, data, chunk_size=_PART, max_concurrency=_PARTS_AT_A_TIME
                )
        except NotStoredError as error:
            # The file to upload, or the bucket.
            reason = _first_line(error.__cause__)
            raise StorageError(f"{name} could not be stored: {reason}") from error

    async def put_file(self, name: str, path: Path) -> None:
        """Upload, then remove the file."""
        await self.put(name, path)
        path.unlink(missing_ok=True)

    async def copy(self, source: str, target: str) -> None:
        """Have the service behind it copy."""
        with _translated(source):
            await self._objects.copy_async(source, target)

    def free_bytes(self) -> int | None:
        """Of the files on their way."""
        return None if self._spool is None else free_bytes(self._spool)

    def close(self) -> None:
        """Nothing is held."""


class Store:
    """Objects by name.

    Every method that takes a name raises ObjectNameError for one that is no object's, and
    StorageError where the storage fails; those that read raise NotStoredError where nothing is
    stored under the name; those that write raise StorageFullError where there is no room. An
    object is there wholly or not at all, and in a local folder it is synced to the disk before a
    put returns.

    Args:
        objects: what is read, listed and deleted from.
        writer: what writes to it; by default through `objects` itself.
    """

    def __init__(self, objects: ObjectStore, writer: Writer | None = None) -> None:
        self._objects: Final = objects
        self._writer: Final[Writer] = writer or UploadWriter(objects)

    async def put(self, name: str, data: bytes | Path) -> None:
        """Store bytes, or a copy of a file, as `name`; an object of that name is replaced."""
        await self._writer.put(checked(name), data)

    async def put_file(self, name: str, path: Path) -> None:
        """Store the file `path` as `name`, by renaming it where the file system allows.

        `path` is gone afterwards, and untouched if this raises. Cancelling may leave either.
        """
        await self._writer.put_file(checked(name), path)

    async def copy(self, source: str, target: str) -> None:
        """Store what is stored as `source` as `target`, too, as new as if it were put now."""
        await self._writer.copy(checked(source), checked(target))

    async def get(self, name: str) -> bytes:
        """The whole object."""
        with _translated(checked(name)):
            result = await self._objects.get_async(name)
            return bytes(await result.bytes_async())

    async def open(self, name: str) -> Stored:
        """The object's facts, without its content."""
        with _translated(checked(name)):
            return _stored(await self._objects.head_async(name))

    async def stream(
        self, name: str, start: int = 0, end: int | None = None
    ) -> AsyncGenerator[bytes]:
        """The bytes from `start` up to, without, `end` (None is all the rest), in pieces.

        Errors are raised where the first piece is asked for, too.
        """
        checked(name)
        if end is not None and end <= start:
            return
        options: GetOptions = {}
        if end is not None:
            options["range"] = (start, end)
        elif start:
            options["range"] = {"offset": start}
        with _translated(name):
            result = await self._objects.get_async(name, options=options)
            async for piece in result.stream(min_chunk_size=_PIECE):
                yield piece

    async def delete(self, names: str | Iterable[str]) -> None:
        """Delete one or several objects; those that are not there are no error."""
        several = [checked(name) for name in ([names] if isinstance(names, str) else names)]
        try:
            with _translated("a deletion"):
                await self._objects.delete_async(several)
        except NotStoredError:
            # Where one is missing the others may be left.
            for name in several:
                with suppress(NotStoredError), _translated(name):
                    await self._objects.delete_async(name)

    async def list(self, prefix: str = "") -> AsyncIterator[Stored]:
        """The objects below `prefix` ("original" or "original/", "" for all), in any order."""
        below = checked(prefix.rstrip("/")) if prefix else None
        with _translated(prefix or "the store"):
            async for page in self._objects.list(below, chunk_size=_LISTED_AT_A_TIME):
                for meta in page:
                    # Temporary files of a local folder are nobody's objects.
                    if is_name(meta["path"]):
                        yield _stored(meta)

    def free_bytes(self) -> int | None:
        """Bytes that may still be written, None where there is no knowing. Quick."""
        return self._writer.free_bytes()

    async def check(self) -> None:
        """Write an object, read it back and delete it: raises StorageError if that fails."""
        name, data = f"check/{secrets.token_hex(8)}", secrets.token_bytes(16)
        await self.put(name, data)
        try:
            if await self.get(name) != data:
                raise StorageError("the store gave back other bytes than were put into it")
        finally:
            await self.delete(name)

    def close(self) -> None:
        """Wait for writes under way and let go of threads."""
        self._writer.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()


def open_store(settings: Settings) -> Store:
    """The store that the settings name: a bucket, or the folder `files` of the data folder.

    Raises:
        StorageError: the folder cannot be made or written to.
    """
    if settings.storage_url is None:
        return folder_store(settings.data / "files")
    objects = bucket(
        settings.storage_url, settings.storage_endpoint, path_style=settings.storage_path_style
    )
    return Store(objects, UploadWriter(objects, spool=settings.data))


def folder_store(folder: Path) -> Store:
    """A store in a local folder, which is made if it is not there."""
    writer = FolderWriter(folder)
    # Empty folders go with the last object in them.
    return Store(LocalStore(folder, automatic_cleanup=True), writer)


def memory_store() -> Store:
    """A store that forgets everything, for tests."""
    return Store(MemoryStore())


def _stored(meta: ObjectMeta) -> Stored:
    tag = meta["e_tag"] or f"{meta['size']}-{meta['last_modified'].timestamp()}"
    # A folder's own tag tells inode numbers, which are nobody's business.
    digest = hashlib.blake2b(f"{meta['path']} {tag}".encode(), digest_size=12).hexdigest()
    return Stored(meta["path"], meta["size"], f'"{digest}"', meta["last_modified"])


@contextmanager
def _translated(name: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise NotStoredError(f"nothing is stored as {name}") from error
    except (BaseError, OSError) as error:
        raise StorageError(f"the storage failed at {name}: {_first_line(error)}") from error


def _first_line(error: BaseException | None) -> str:
    # obstore's further lines are for those who debug it.
    return str(error).partition("\n")[0]
