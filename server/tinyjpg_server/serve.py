"""`tinyjpg-server serve`: everything on one machine, set up on first use."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import hashlib
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import typer

from tinyjpg_server import logs
from tinyjpg_server.db import migrate
from tinyjpg_server.db.database import Database
from tinyjpg_server.errors import StartError, StorageError
from tinyjpg_server.first_start import curl_line, first_account, sample_picture
from tinyjpg_server.settings import Settings
from tinyjpg_server.storage.store import open_store
from tinyjpg_server.supervisor import Supervisor

_LONGEST_HOST: Final = 40
# Seconds: a process of a server that was killed while it started holds the port a moment longer.
_PORT_PATIENCE: Final = 2.0


def serve(settings: Settings) -> None:
    """Run the service until it is told to stop.

    Raises:
        StartError: the data folder, the bucket or the port cannot be used, or another service
            uses them.
        DatabaseError: the database cannot be used.
    """
    _make_data_folder(settings)
    with _alone_in(settings):
        settings = _with_port(settings)
        logs.configure(settings.log_level, "supervisor")
        migrate.upgrade(settings.database)
        asyncio.run(_run(settings))


async def _run(settings: Settings) -> None:
    await _check_bucket(settings)
    async with Database(settings.database) as database:
        await _introduce(settings, database)
        supervisor = Supervisor(settings, _node(settings), database)
        await supervisor.run(lambda: _say(f"ready at {settings.base_url}  (Ctrl-C stops)"))


async def _check_bucket(settings: Settings) -> None:
    """A folder was looked at already; and one that is full is a reason to refuse uploads only."""
    if settings.storage_url is None:
        return
    try:
        async with open_store(settings) as store:
            await store.check()
    except StorageError as error:
        raise StartError(
            f"the bucket {settings.storage_url} cannot be used: {error}; see TINYJPG_STORAGE_URL, "
            "TINYJPG_STORAGE_ENDPOINT and the AWS_ variables in docs/operations.md"
        ) from error


async def _introduce(settings: Settings, database: Database) -> None:
    account = await first_account(database)
    if account is None:
        return
    picture = settings.data / "sample.jpg"
    sample_picture(picture)
    _say(
        "This is the first start. Your account, shown once:",
        "",
        f"  e-mail    {account.email}",
        f"  password  {account.password}",
        f"  API key   {account.key}",
        "",
        "Once the service is ready, try:",
        "",
        f"  {curl_line(settings.base_url, account.key, picture)}",
        "",
    )


def _make_data_folder(settings: Settings) -> None:
    try:
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        (settings.data / "run").mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise StartError(
            f"the data folder {settings.data} cannot be made: {error.strerror}; name another with "
            "--data or TINYJPG_DATA"
        ) from error
    if not os.access(settings.data, os.W_OK | os.X_OK):
        raise StartError(
            f"the data folder {settings.data} cannot be written to; name another with --data or "
            "TINYJPG_DATA"
        )


@contextmanager
def _alone_in(settings: Settings) -> Iterator[None]:
    path = settings.data / "run" / "lock"
    try:
        opened = path.open("ab")
    except OSError as error:
        raise StartError(
            f"{path} cannot be written: {error.strerror}; the data folder must belong to the user "
            "that runs the service"
        ) from error
    with opened as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StartError(
                f"a service runs on the data folder {settings.data} already; stop it, or name "
                "another folder with --data"
            ) from error
        yield


def _with_port(settings: Settings) -> Settings:
    """The settings with a port that is free, found if it is 0."""
    give_up = time.monotonic() + _PORT_PATIENCE
    while True:
        try:
            return settings.model_copy(update={"port": _free_port(settings.host, settings.port)})
        except OSError as error:
            if error.errno == errno.EADDRINUSE and time.monotonic() < give_up:
                time.sleep(0.1)
                continue
            raise StartError(
                f"cannot listen on {settings.host}:{settings.port}: {error.strerror}; choose "
                "another port with --port, or another address with --host"
            ) from error


def _free_port(host: str, port: int) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
        bound: int = probe.getsockname()[1]
        return bound


def _node(settings: Settings) -> str:
    """What tells this folder's workers from those of other machines and folders."""
    folder = hashlib.sha256(str(settings.data).encode()).hexdigest()[:8]
    return f"{socket.gethostname()[:_LONGEST_HOST]}:{folder}"


def _say(*lines: str) -> None:
    typer.echo("\n".join(lines))
