"""Writing objects to a local folder: whole or not at all, and through a power cut."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

from tinyjpg_server.errors import NotStoredError, StorageError, StorageFullError

T = TypeVar("T")

# Beside the objects, for a rename must not cross file systems. No object can have this name.
_TEMPORARY: Final = ".temporary"
# Seconds after which a temporary file belongs to a process that died.
_ABANDONED: Final = 3600.0
_PIECE: Final = 1024 * 1024
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
# Syncing waits for the disk, not for the processor.
_THREADS: Final = 16
# A folder may be cleaned up, empty, between its making and its use.
_TRIES: Final = 5


class FolderWriter:
    """Writes under `folder`, in threads of its own.

    obstore's local store neither syncs what it writes nor tells a full disk from other faults.

    Args:
        folder: made if it is not there.

    Raises:
        StorageError: the folder cannot be made or written to.
    """

    def __init__(self, folder: Path) -> None:
        self._folder: Final = folder
        self._temporary: Final = folder / _TEMPORARY
        with _translated(str(folder)):
            _make_folder(self._temporary)
            _remove_abandoned(self._temporary)
        self._threads: Final = ThreadPoolExecutor(_THREADS, thread_name_prefix="store")

    async def put(self, name: str, data: bytes | Path) -> None:
        """Write `data`, or a copy of that file, as `name`."""
        await self._run(name, lambda: self._put(name, data))

    async def put_file(self, name: str, path: Path) -> None:
        """Make the file `path` the object `name`; `path` is gone afterwards."""
        await self._run(name, lambda: self._put_file(name, path))

    async def copy(self, source: str, target: str) -> None:
        """Write what is stored as `source` as `target`, too.

        Not a hard link: its time would be that of the source, and the purge goes by it.

        Raises:
            NotStoredError: nothing is stored as `source`.
        """
        await self._run(target, lambda: self._copy(source, target))

    def free_bytes(self) -> int:
        """What may still be written."""
        return free_bytes(self._folder)

    def close(self) -> None:
        """End the threads, once what they write is written."""
        self._threads.shutdown()

    async def _run(self, name: str, work: Callable[[], T]) -> T:
        def translated() -> T:
            with _translated(name):
                return work()

        return await asyncio.get_running_loop().run_in_executor(self._threads, translated)

    def _put(self, name: str, data: bytes | Path) -> None:
        temporary = self._temporary / f"{secrets.token_hex(16)}.tmp"
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as stream:
                if isinstance(data, Path):
                    with data.open("rb") as source:
                        shutil.copyfileobj(source, stream, _PIECE)
                else:
                    stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            self._move(temporary, name)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def _copy(self, source: str, target: str) -> None:
        try:
            self._put(target, self._folder / source)
        except FileNotFoundError as error:
            raise NotStoredError(f"nothing is stored as {source}") from error

    def _put_file(self, name: str, path: Path) -> None:
        try:
            _sync(path)
            self._move(path, name)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            self._put(name, path)
            path.unlink()

    def _move(self, source: Path, name: str) -> None:
        target = self._folder / name
        for left in reversed(range(_TRIES)):
            try:
                made = _make_folder(target.parent)
                source.replace(target)
                break
            except FileNotFoundError:
                if not left or not source.exists():
                    raise
        for folder in (target.parent, *(each.parent for each in made)):
            # Gone again means that the object was deleted meanwhile.
            with contextlib.suppress(FileNotFoundError):
                _sync(folder)


def free_bytes(folder: Path) -> int:
    """What ordinary users may still write on the file system of `folder`."""
    state = os.statvfs(folder)
    return state.f_bavail * state.f_frsize


@contextmanager
def _translated(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFullError(
                f"there is no room to write {name}: {error.strerror}; free disk space"
            ) from error
        raise StorageError(f"{name} could not be written: {error}") from error


def _make_folder(folder: Path) -> list[Path]:
    """Make `folder` and what is missing above it; return those that were made."""
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)
    return missing


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_abandoned(folder: Path) -> None:
    oldest = time.time() - _ABANDONED
    for path in folder.iterdir():
        # Another process may be cleaning up as well.
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < oldest:
                path.unlink()
