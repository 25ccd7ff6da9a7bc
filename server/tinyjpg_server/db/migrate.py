"""Bring a database to the newest schema, or to any other."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config

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
    """Migrate up to `revision`. Must not be called from a running event loop."""
    command.upgrade(configuration(url), revision)


def downgrade(url: str, revision: str) -> None:
    """Migrate down to `revision` (`base` is an empty database)."""
    command.downgrade(configuration(url), revision)
