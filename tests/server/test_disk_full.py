"""A full disk: the store says so, keeps what it had and leaves nothing half-written."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

# Runs with a file system of 1 MiB of its own, which goes with the process.
_WRITER = """
import asyncio, json, os, pathlib, sys
from tinyjpg_server.errors import StorageFullError, StorageError
from tinyjpg_server.storage.store import folder_store

disk, outside = map(pathlib.Path, sys.argv[1:])
told = {}

async def refused(what):
    try:
        await what
    except StorageFullError as error:
        return [type(error).__name__, str(error)]
    return None

async def main():
    async with folder_store(disk / "files") as store:
        await store.put("original/a.jpg", b"before")
        told["free_before"] = store.free_bytes()
        big = outside / "big"
        big.write_bytes(os.urandom(2_000_000))
        told["bytes"] = await refused(store.put("original/b.jpg", big.read_bytes()))
        told["replacing"] = await refused(store.put("original/a.jpg", big.read_bytes()))
        told["copy"] = await refused(store.put("original/c.jpg", big))
        told["move"] = await refused(store.put_file("original/d.jpg", big))
        told["source_left"] = big.stat().st_size
        told["listed"] = [stored.name async for stored in store.list()]
        told["kept"] = (await store.get("original/a.jpg")).decode()
        told["free_after"] = store.free_bytes()
        told["temporary"] = [path.name for path in (disk / "files/.temporary").iterdir()]
        # The last bytes, so that not even a small object fits.
        with (disk / "filler").open("wb", buffering=0) as filler:
            try:
                while filler.write(b"x" * 4096):
                    pass
            except OSError:
                pass
        told["check"] = await refused(store.check())
        told["free_full"] = store.free_bytes()
        (disk / "filler").unlink()
        await store.check()
        await store.put_file("original/e.jpg", (outside / "small"))
        told["again"] = (await store.get("original/e.jpg")).decode()

(outside / "small").write_bytes(b"room again")
asyncio.run(main())
json.dump(told, sys.stdout)
"""

_MOUNT = 'mount -t tmpfs -o size=1m,mode=700 tinyjpg-test "$1" && shift && exec "$@"'


def unshared(*command: str, folder: Path) -> list[str]:
    """`command` with a file system of 1 MiB at `folder` that nobody else sees."""
    return [
        *("unshare", "--user", "--map-root-user", "--mount"),
        *("sh", "-c", _MOUNT, "sh", str(folder)),
        *command,
    ]


def may_mount(folder: Path) -> bool:
    try:
        done = subprocess.run(unshared("true", folder=folder), capture_output=True, check=False)
    except FileNotFoundError:
        return False
    return done.returncode == 0


@pytest.fixture
def told(tmp_path: Path) -> dict[str, Any]:
    """What a process with a full disk saw."""
    disk, outside = tmp_path / "disk", tmp_path / "outside"
    disk.mkdir()
    outside.mkdir()
    if not may_mount(disk):
        pytest.skip("no small file system can be mounted here (unshare --user --mount)")
    done = subprocess.run(
        unshared(sys.executable, "-c", _WRITER, str(disk), str(outside), folder=disk),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


def test_a_full_disk_is_told_and_harms_nothing(told: dict[str, Any]) -> None:
    for way in ("bytes", "replacing", "copy", "move", "check"):
        assert told[way] is not None, way
        kind, message = told[way]
        assert kind == "StorageFullError"
        assert "free disk space" in message
    assert told["source_left"] == 2_000_000
    assert told["kept"] == "before"
    assert told["listed"] == ["original/a.jpg"]
    assert told["temporary"] == []
    assert 0 < told["free_before"] <= 1024 * 1024
    assert told["free_after"] == told["free_before"]
    assert told["free_full"] == 0
    assert told["again"] == "room again"
