"""Whether a database is there and has the schema that this version works with."""

from __future__ import annotations

from pathlib import Path

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from tinyjpg_server.db.database import Database
from tinyjpg_server.db.migrate import configuration
from tinyjpg_server.errors import DatabaseError


async def check_schema(database: Database) -> None:
    """Return if the database has the newest schema. Nothing is made or changed.

    Raises:
        DatabaseError: it is missing, cannot be reached, or has an older or newer schema; the
            message says what to do.
    """
    shown = make_url(database.url).render_as_string(hide_password=True)
    if database.is_sqlite:
        file = make_url(database.url).database
        # Opening would make it.
        if file is None or not Path(file).is_file():
            raise DatabaseError(
                f"there is no database {file}; start the service once (tinyjpg-server serve), run "
                "`tinyjpg-server migrate`, or name its folder with --data or TINYJPG_DATA"
            )
    wanted = ScriptDirectory.from_config(configuration(database.url)).get_heads()
    try:
        async with database.read() as connection:
            found = await connection.run_sync(
                lambda sync: MigrationContext.configure(sync).get_current_heads()
            )
    except (SQLAlchemyError, OSError) as error:
        reason = str(getattr(error, "orig", error)).splitlines()[:1]
        raise DatabaseError(
            f"the database {shown} cannot be opened: {''.join(reason) or type(error).__name__}"
        ) from error
    if set(found) != set(wanted):
        raise DatabaseError(
            f"the database {shown} has schema {', '.join(found) or 'none'}, this version wants "
            f"{', '.join(wanted)}; run `tinyjpg-server migrate`"
        )
