"""Bring a database to the newest schema, or to any other."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from tinyjpg_server.errors import DatabaseError

_MIGRATIONS: Final = Path(__file__).parent / "migrations"


def configuration(url: str) -> Config:
    """Alembic's configuration for the database at `url`."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("path_separator", "os")
    # ConfigParser reads % as its own.
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config


def upgrade(url: str, revision: str = "head") -> None:
    """Migrate up to `revision`. Must not be called from a running event loop.

    Raises:
        DatabaseError: it cannot be reached or written, or is of a newer version.
    """
    try:
        command.upgrade(configuration(url), revision)
    except (SQLAlchemyError, CommandError, OSError) as error:
        shown = make_url(url).render_as_string(hide_password=True)
        reason = str(getattr(error, "orig", error)).splitlines()[:1]
        raise DatabaseError(
            f"the database {shown} cannot be brought to this version's schema: "
            f"{''.join(reason) or type(error).__name__}"
        ) from error


def downgrade(url: str, revision: str) -> None:
    """Migrate down to `revision` (`base` is an empty database)."""
    command.downgrade(configuration(url), revision)
