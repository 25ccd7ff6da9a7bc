"""A PostgreSQL server of a test's own, which may be stopped and started again."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

# Debian keeps them out of the PATH, one folder a version.
_FOLDERS: Final = "/usr/lib/postgresql"
# Whom Debian's package makes. PostgreSQL refuses to run as root.
_USER: Final = "postgres"


class Cluster:
    """A PostgreSQL server in a folder, on a free port of this machine.

    Args:
        binaries: folder of initdb and pg_ctl.
        folder: empty, owned by `user`.
        user: who runs it; None is whoever runs this process.
    """

    def __init__(self, binaries: Path, folder: Path, user: str | None) -> None:
        self._binaries: Final = binaries
        self._folder: Final = folder
        self._user: Final = user
        self._port: Final = _free_port()
        self._run("initdb", "-U", "postgres", "--auth=trust", "--no-sync", "--no-instructions")

    @property
    def url(self) -> str:
        """Of its one database."""
        return f"postgresql+asyncpg://postgres@127.0.0.1:{self._port}/postgres"

    def start(self, *, ready: bool = True) -> None:
        """Start it, and wait until it takes connections; unless `ready`, until it refuses them
        with what a server says that is starting up.
        """
        # A standby without anything to follow, that nobody may read from, never gets further.
        standby = self._folder / "standby.signal"
        standby.unlink(missing_ok=True)
        if not ready:
            standby.touch()
            shutil.chown(standby, self._user or os.geteuid())
        options = (
            f"-p {self._port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= "
            f"-c hot_standby={'on' if ready else 'off'}"
        )
        self._run("pg_ctl", "-w", "-l", str(self._folder / "log"), "-o", options, "start")

    def stop(self, mode: str) -> None:
        """Stop it: "fast" ends its sessions with a word, "immediate" as a crash does."""
        self._run("pg_ctl", "-w", "-m", mode, "stop")

    def close(self) -> None:
        """Stop it if it runs."""
        if (self._folder / "postmaster.pid").exists():
            self.stop("immediate")

    def _run(self, command: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._binaries / command, "-D", self._folder, *arguments],
            check=False,
            stdin=subprocess.DEVNULL,
            # The server would keep a pipe open.
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            user=self._user,
            cwd="/",
        )
        assert done.returncode == 0, f"{command} {arguments} ended with {done.returncode}"


def why_not() -> str | None:
    """Why no server can be started, or None if one can."""
    if _binaries() is None:
        return "no initdb: install PostgreSQL (Debian: apt install postgresql)"
    if os.geteuid() == 0 and not _is_user(_USER):
        return f"PostgreSQL does not run as root, and there is no user {_USER}"
    return None


@contextmanager
def running_cluster() -> Iterator[Cluster]:
    """A new server that runs; it goes with all its data."""
    binaries = _binaries()
    assert binaries is not None
    user = _USER if os.geteuid() == 0 else None
    # Not below pytest's folders, which others may not enter.
    with tempfile.TemporaryDirectory(prefix="tinyjpg-postgresql-") as name:
        if user is not None:
            shutil.chown(name, user)
        cluster = Cluster(binaries, Path(name), user)
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.close()


def _binaries() -> Path | None:
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else []
    folders += sorted(Path(_FOLDERS).glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "initdb").is_file()), None)


def _is_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
