"""The real service, started as `./run serve` starts it, for tests and benchmarks."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

_READY: Final = re.compile(r"^ready at (https?://\S+)", re.MULTILINE)
_LISTENS: Final = re.compile(r"Listening at: (http://[^\s\"]+)")
_KEY: Final = re.compile(r"API key\s+(tj_\w+)")
_START: Final = 60.0
_STOP: Final = 60.0


class RunningServer:
    """`tinyjpg-server serve` on a data folder, in a `with` statement.

    The first start on a folder knows the `key` of its first account; hand it on to the next.

    Args:
        data: folder of the database and the files.
        workers: worker processes.
        port: to listen on, 0 for a free one.
        environment: settings, over those of this process.
        key: of an account, where the folder was used before.
    """

    def __init__(
        self,
        data: Path,
        *,
        workers: int = 1,
        port: int = 0,
        environment: Mapping[str, str] | None = None,
        key: str = "",
    ) -> None:
        self.data: Final = data
        self.key = key
        self.url = ""
        self._arguments: Final = [
            "--data",
            str(data),
            "--workers",
            str(workers),
            "--port",
            str(port),
        ]
        self.environment: Final = {**os.environ, **(environment or {})}
        self._log_path = data.with_name(f"{data.name}.log")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start it, and wait until it answers."""
        with self._log_path.open("ab") as log:
            began = log.tell()
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tinyjpg_server", "serve", *self._arguments],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env=self.environment,
            )
        deadline = time.monotonic() + _START
        while not (ready := _READY.search(text := self._log_from(began))):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise AssertionError(f"the service did not start:\n{text}")
            time.sleep(0.02)
        # Where `public_url` names an address of elsewhere, the log has the true one.
        listens = _LISTENS.search(text) if ready[1].startswith("https") else None
        self.url = (listens or ready)[1]
        if key := _KEY.search(text):
            self.key = key[1]
        return self

    @property
    def log(self) -> str:
        """What all its processes wrote, of all starts."""
        return self._log_from(0)

    @property
    def pid(self) -> int:
        """Of the supervisor."""
        assert self._process is not None
        return self._process.pid

    def web_pids(self) -> list[int]:
        """Of the process that listens and of those that answer."""
        return self._with_role(" web ")

    def worker_pids(self) -> list[int]:
        """Of the workers."""
        return self._with_role(" worker ")

    def child_pids(self) -> list[int]:
        """Of the processes that decode images."""
        workers = set(self.worker_pids())
        return [pid for pid in descendants(self.pid) if parent_of(pid) in workers]

    def kill(self) -> None:
        """SIGKILL the supervisor; everything else must die with it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(_STOP)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._process is not None and self._process.poll() is None:
            try:
                self.stop()
            finally:
                self.kill()

    def _log_from(self, start: int) -> str:
        return self._log_path.read_bytes()[start:].decode("utf-8", "replace")

    def _with_role(self, role: str) -> list[int]:
        return [pid for pid in descendants(self.pid) if role in f"{command_line(pid)} "]


def descendants(pid: int) -> list[int]:
    """All processes that come from `pid`, itself left out."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        parent = parent_of(int(folder.name))
        if parent is not None:
            children.setdefault(parent, []).append(int(folder.name))
    found = [pid]
    for one in found:
        found.extend(children.get(one, ()))
    return found[1:]


def parent_of(pid: int) -> int | None:
    """The parent of `pid`; None if the process is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(stat.rpartition(") ")[2].split()[1])


def command_line(pid: int) -> str:
    """How `pid` was started, in one line; empty if it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except (FileNotFoundError, ProcessLookupError):
        return ""
