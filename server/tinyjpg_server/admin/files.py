"""`tinyjpg-server admin purge`."""

from __future__ import annotations

from dataclasses import asdict

import typer

from tinyjpg_server.admin import output
from tinyjpg_server.admin.run import run
from tinyjpg_server.db import clock
from tinyjpg_server.db.database import Database
from tinyjpg_server.settings import Settings


def purge(context: typer.Context, as_json: output.AsJson = False) -> None:
    """Remove expired files, files of deleted users and images, and what else is over.

    Workers do the same by themselves from time to time.
    """
    # Here, since the store takes longer to load than most commands take to run.
    from tinyjpg_server.jobs.purge import Purged, purge  # noqa: PLC0415
    from tinyjpg_server.storage.store import open_store  # noqa: PLC0415

    async def work(database: Database, settings: Settings) -> Purged:
        async with open_store(settings) as store:
            return await purge(database, store, clock.now())

    removed = asdict(run(context, work))
    if as_json:
        output.show_json(removed)
        return
    parts = (f"{count} {what.replace('_', ' ')}" for what, count in removed.items())
    typer.echo(f"removed: {', '.join(parts)}")
