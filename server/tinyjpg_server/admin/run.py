"""Run a command's work on the database that the settings name."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import typer
from sqlalchemy.exc import DBAPIError

from tinyjpg_server.db.connection import Connection
from tinyjpg_server.db.database import Database
from tinyjpg_server.db.schema import check_schema
from tinyjpg_server.errors import ServerError
from tinyjpg_server.settings import Settings, load_settings

T = TypeVar("T")


def run(context: typer.Context, work: Callable[[Database, Settings], Awaitable[T]]) -> T:
    """What `work` returns. An error becomes one line on stderr and exit status 1."""
    data: Path | None = context.obj
    try:
        settings = load_settings(data=data)
        return asyncio.run(_with_database(settings, work))
    except ServerError as error:
        typer.echo(f"tinyjpg-server: {error}", err=True)
    except DBAPIError as error:
        typer.echo(f"tinyjpg-server: the database failed: {error.orig}", err=True)
    raise typer.Exit(1)


def read(context: typer.Context, work: Callable[[Connection], Awaitable[T]]) -> T:
    """The same for work that only reads."""

    async def reading(database: Database, _settings: Settings) -> T:
        async with database.read() as connection:
            return await work(connection)

    return run(context, reading)


def write(context: typer.Context, work: Callable[[Connection], Awaitable[T]]) -> T:
    """The same for work that is one transaction."""

    async def writing(database: Database, _settings: Settings) -> T:
        async with database.write() as connection:
            return await work(connection)

    return run(context, writing)


async def _with_database(
    settings: Settings, work: Callable[[Database, Settings], Awaitable[T]]
) -> T:
    async with Database(settings.database) as database:
        await check_schema(database)
        return await work(database, settings)
