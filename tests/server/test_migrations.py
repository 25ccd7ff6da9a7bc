"""The schema: the migrations make exactly what the tables say, and undo it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, select
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from tinyjpg_server.db import migrate
from tinyjpg_server.db.database import Database
from tinyjpg_server.db.tables import metadata, plans

T = TypeVar("T")


def ask(url: str, question: Callable[[Connection], T]) -> T:
    async def run() -> T:
        engine = create_async_engine(url, poolclass=NullPool)
        try:
            async with engine.connect() as connection:
                return await connection.run_sync(question)
        finally:
            await engine.dispose()

    return asyncio.run(run())


def differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), metadata))


def table_names(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


def test_the_migrations_make_the_tables(empty_database_url: str) -> None:
    assert ask(empty_database_url, differences) == []


def test_down_leaves_nothing_and_up_makes_it_again(empty_database_url: str) -> None:
    migrate.downgrade(empty_database_url, "base")
    assert ask(empty_database_url, table_names) <= {"alembic_version"}
    migrate.upgrade(empty_database_url)
    assert set(metadata.tables) <= ask(empty_database_url, table_names)


def test_migrating_twice_changes_nothing(empty_database_url: str) -> None:
    migrate.upgrade(empty_database_url)
    assert ask(empty_database_url, differences) == []


@pytest.mark.anyio
async def test_the_plans_are_there(database: Database) -> None:
    async with database.read() as connection:
        offered = await connection.scalars(
            select(plans.c.name).where(plans.c.offered).order_by(plans.c.price_cents)
        )
        assert list(offered) == ["Free", "Pro", "Business"]
