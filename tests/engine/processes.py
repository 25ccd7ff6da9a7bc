"""Looking at processes from outside, for tests of what lives and dies."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

PATIENCE = 30.0


def alive(pid: int) -> bool:
    """Whether `pid` runs; a zombie that nobody has reaped yet does not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(") ")[2][0] not in "ZX"


def wait_for_death(pid: int) -> None:
    """Wait until `pid` no longer runs; fail if it goes on and on."""
    until = time.monotonic() + PATIENCE
    while alive(pid):
        assert time.monotonic() < until, f"process {pid} lives on"
        time.sleep(0.01)


def wait_for_text(path: Path) -> str:
    """Wait until somebody has written `path`; fail if nobody ever does."""
    until = time.monotonic() + PATIENCE
    while not (path.exists() and (text := path.read_text(encoding="utf-8"))):
        assert time.monotonic() < until, f"{path.name} was never written"
        time.sleep(0.01)
    return text


def children() -> set[int]:
    """Child processes of this process, zombies among them."""
    tasks = Path("/proc/self/task").iterdir()
    found: set[int] = set()
    for task in tasks:
        # A thread may end while its list is read.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found.update(int(pid) for pid in (task / "children").read_text().split())
    return found


def descriptors() -> dict[int, str]:
    """Open file descriptors of this process, and what they refer to."""
    found: dict[int, str] = {}
    for entry in Path("/proc/self/fd").iterdir():
        try:
            found[int(entry.name)] = str(entry.readlink())
        except FileNotFoundError:
            continue  # the one that lists the folder
    return found
