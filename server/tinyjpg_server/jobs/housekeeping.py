"""What every worker does beside images: give on what the dead left, remove what is over."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from tinyjpg_server.db import clock
from tinyjpg_server.db.database import Database
from tinyjpg_server.errors import ServerError
from tinyjpg_server.jobs.bell import Bell
from tinyjpg_server.jobs.purge import Purged, purge
from tinyjpg_server.jobs.queue import Swept, sweep
from tinyjpg_server.settings import Settings
from tinyjpg_server.storage.store import Store

_log = logging.getLogger(__name__)

# Seconds between purges, and by how much the first is put off: workers must not all begin at once.
_PURGE: Final = 3600.0
_FIRST: Final = 60.0


async def keep_house(settings: Settings, database: Database, store: Store, accepted: Bell) -> None:
    """Sweep every half lease and purge every hour, for ever. Safe in any number of processes."""
    purge_at = time.monotonic() + random.uniform(0, _FIRST)  # noqa: S311 - spreads load only
    while True:
        try:
            swept = await sweep(database, settings.attempts, clock.now())
            if swept != Swept(0, 0):
                _log.warning("swept: %d requeued, %d failed", swept.requeued, swept.failed)
            if swept.requeued:
                # Any id: it means "look".
                await accepted.ring(0)
            if time.monotonic() >= purge_at:
                purge_at = time.monotonic() + _PURGE
                purged = await purge(database, store, clock.now())
                if purged != Purged(0, 0, 0, 0, 0):
                    _log.info("purged: %s", purged)
        except (SQLAlchemyError, OSError, ServerError):
            _log.exception("housekeeping failed; it is tried again")
        await asyncio.sleep(settings.lease / 2 * random.uniform(0.8, 1.2))  # noqa: S311 - the same
