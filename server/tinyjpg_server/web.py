"""The web server: granian, with bounds on what a client may hold."""

from __future__ import annotations

import os
from typing import Final

from fastapi import FastAPI
from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels

from tinyjpg_server import logs
from tinyjpg_server.app import create_app
from tinyjpg_server.parent import die_with_parent
from tinyjpg_server.settings import Settings, load_settings

# Milliseconds that sending the head of a request may take, and bytes that it may have.
_HEAD_TIMEOUT: Final = 10_000
_HEAD_SIZE: Final = 64 * 1024
_BACKLOG: Final = 2048
# Requests in work at a time in one process; more wait in the backlog.
_AT_A_TIME: Final = 1024
# Seconds that requests in work get when the server is told to stop.
DRAIN: Final = 20


def application() -> FastAPI:
    """The application, as granian's processes make it."""
    die_with_parent(os.getppid())
    settings = load_settings()
    logs.configure(settings.log_level, "web")
    return create_app(settings)


def run_web(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. The processes read the settings from the environment."""
    server = Granian(
        "tinyjpg_server.web:application",
        factory=True,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        workers=settings.web_processes,
        http=HTTPModes.http1,
        websockets=False,
        loop=Loops.auto,
        backlog=_BACKLOG,
        backpressure=_AT_A_TIME,
        http1_settings=HTTP1Settings(header_read_timeout=_HEAD_TIMEOUT, max_buffer_size=_HEAD_SIZE),
        log_level=LogLevels(settings.log_level),
        log_dictconfig=logs.configuration(settings.log_level, "web"),
        respawn_failed_workers=True,
        respawn_interval=0.5,
        workers_kill_timeout=DRAIN,
    )
    server.serve()
