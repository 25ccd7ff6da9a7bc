"""INSERT ... ON CONFLICT, which SQLAlchemy spells per database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite

from tinyjpg_server.db.connection import Connection

Insert = postgresql.Insert | sqlite.Insert


def insert_for(connection: Connection, table: Table) -> Insert:
    """An INSERT into `table` that has `on_conflict_do_update` and `on_conflict_do_nothing`."""
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)


async def upsert(
    connection: Connection, table: Table, values: dict[str, Any], changes: dict[str, Any]
) -> None:
    """Insert the row `values`; where its primary key exists, apply `changes` to that row instead.

    `changes` may use the columns of `table` for what is there now.
    """
    statement = insert_for(connection, table).values(**values)
    keys = [column.name for column in table.primary_key]
    await connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changes))
