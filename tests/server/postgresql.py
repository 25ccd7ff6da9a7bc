"""The PostgreSQL server that tests use, if there is one."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Final

from sqlalchemy import make_url, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

ADMIN_URL: Final = os.environ.get(
    "TINYJPG_TEST_POSTGRESQL", "postgresql+asyncpg://postgres@127.0.0.1:5432/postgres"
)


def database_url(name: str) -> str:
    """The URL of the database `name` on the server."""
    return make_url(ADMIN_URL).set(database=name).render_as_string(hide_password=False)


def run_admin(statement: str) -> None:
    """Run one statement outside a transaction."""

    async def run() -> None:
        engine = create_async_engine(ADMIN_URL, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        try:
            async with engine.connect() as connection:
                await connection.execute(text(statement))
        finally:
            await engine.dispose()

    asyncio.run(run())


@contextmanager
def new_database() -> Iterator[str]:
    """The URL of an empty database, which is dropped afterwards."""
    name = f"tinyjpg_test_{uuid.uuid4().hex[:12]}"
    run_admin(f"CREATE DATABASE {name}")
    try:
        yield database_url(name)
    finally:
        run_admin(f"DROP DATABASE {name} WITH (FORCE)")


@cache
def why_not() -> str | None:
    """Why there is no PostgreSQL to test with, or None if there is."""
    try:
        run_admin("SELECT 1")
    except (SQLAlchemyError, OSError) as error:
        return (
            f"no PostgreSQL answers ({error.__class__.__name__}); start one on 127.0.0.1:5432 "
            "(Debian: apt install postgresql) or name it in TINYJPG_TEST_POSTGRESQL"
        )
    return None
