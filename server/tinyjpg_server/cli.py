"""The command `tinyjpg-server`."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinyjpg_server import admin, ending, logs
from tinyjpg_server.errors import ServerError

if TYPE_CHECKING:
    from tinyjpg_server.settings import Settings

app = typer.Typer(
    name="tinyjpg-server",
    help="The TinyJPG REST API, with everything it needs.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(admin.app, name="admin")

Data = Annotated[
    Path | None, typer.Option(help="Folder of the database and the image files. [default: ./data]")
]


@app.command()
def serve(  # noqa: PLR0917 - typer reads the options from them
    host: Annotated[
        str | None, typer.Option(help="Address to listen on. [default: 127.0.0.1]")
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="Port to listen on; 0 finds one. [default: 8000]")
    ] = None,
    data: Data = None,
    workers: Annotated[
        int | None, typer.Option(help="Images worked on at a time. [default: one per core]")
    ] = None,
    web_processes: Annotated[
        int | None, typer.Option(help="Processes that answer requests. [default: 1]")
    ] = None,
    public_url: Annotated[str | None, typer.Option(help="What URLs in answers begin with.")] = None,
) -> None:
    """Run the whole service: sets up the database, then starts web server and workers.

    Every setting is also an environment variable, TINYJPG_PORT for example, or a line of
    tinyjpg.toml; docs/operations.md lists them.
    """
    from tinyjpg_server import serve as service  # noqa: PLC0415 - loads what only this one needs
    from tinyjpg_server.settings import load_settings  # noqa: PLC0415 - the same

    with _errors_in_one_line():
        service.serve(
            load_settings(
                host=host,
                port=port,
                data=data,
                workers=workers,
                web_processes=web_processes,
                public_url=public_url,
            )
        )


Supervisor = Annotated[
    int | None,
    typer.Option("--supervisor", hidden=True, help="Process number of whoever started this one."),
]


@app.command()
def web(supervisor: Supervisor = None) -> None:
    """Run the web server alone (settings from the environment); the database must be migrated."""
    from tinyjpg_server.parent import die_with_parent  # noqa: PLC0415 - as above
    from tinyjpg_server.settings import load_settings  # noqa: PLC0415 - the same
    from tinyjpg_server.web import run_web  # noqa: PLC0415 - the same

    with _errors_in_one_line():
        if supervisor is not None:
            die_with_parent(supervisor)
        settings = load_settings()
        if supervisor is None:
            asyncio.run(_check_database(settings))
        run_web(settings)


@app.command()
def worker(
    name: Annotated[
        str | None,
        typer.Option(help="Tells it from other workers. [default: host and process number]"),
    ] = None,
    supervisor: Supervisor = None,
) -> None:
    """Run one worker alone (settings from the environment); the database must be migrated."""
    from tinyjpg_server.jobs.worker import run_worker  # noqa: PLC0415 - as above
    from tinyjpg_server.parent import die_with_parent  # noqa: PLC0415 - the same
    from tinyjpg_server.settings import load_settings  # noqa: PLC0415 - the same

    with _errors_in_one_line():
        if supervisor is not None:
            die_with_parent(supervisor)
        settings = load_settings()
        if supervisor is None:
            asyncio.run(_check_database(settings))
        logs.configure(settings.log_level, "worker")
        asyncio.run(run_worker(settings, name or f"{socket.gethostname()[:60]}:{os.getpid()}"))


@app.command()
def migrate(data: Data = None) -> None:
    """Bring the database to this version's schema."""
    from tinyjpg_server.db import migrate as migrations  # noqa: PLC0415 - as above
    from tinyjpg_server.settings import load_settings  # noqa: PLC0415 - the same

    with _errors_in_one_line():
        settings = load_settings(data=data)
        if settings.database_url is None:
            settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        migrations.upgrade(settings.database)
        typer.echo("the database has the newest schema")


async def _check_database(settings: Settings) -> None:
    """Raise DatabaseError unless it is there and migrated, which a supervisor has seen to."""
    from tinyjpg_server.db.database import Database  # noqa: PLC0415 - as above
    from tinyjpg_server.db.schema import check_schema  # noqa: PLC0415 - the same

    async with Database(settings.database) as database:
        await check_schema(database)


@contextmanager
def _errors_in_one_line() -> Iterator[None]:
    try:
        yield
    except ServerError as error:
        typer.echo(f"tinyjpg-server: {error}", err=True)
        raise typer.Exit(1) from error


def main() -> None:
    """Run the command."""
    ending.run(app)
