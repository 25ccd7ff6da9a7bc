"""What errors of the database say, since they are logged."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from tinyjpg_server.db.database import Database

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("kind", ["read", "report", "write"])
async def test_an_error_does_not_tell_what_a_statement_was_given(
    database: Database, kind: str
) -> None:
    statement = text("SELECT 1 FROM no_such_table WHERE name = :name")
    with pytest.raises(SQLAlchemyError) as raised:
        async with getattr(database, kind)() as connection:
            await connection.execute(statement, {"name": "745f65aa3ff0f3c53e57"})
    assert "no_such_table" in str(raised.value)
    assert "745f65aa3ff0f3c53e57" not in str(raised.value)
