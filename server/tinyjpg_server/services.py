"""What routes work with, opened once when the application starts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from starlette.requests import HTTPConnection

from tinyjpg_server.accounts.keys import LastUsed
from tinyjpg_server.db.database import Database
from tinyjpg_server.jobs.bell import Bell
from tinyjpg_server.jobs.waiting import Waiting
from tinyjpg_server.metrics import Metrics
from tinyjpg_server.ratelimit import RateLimiter
from tinyjpg_server.settings import Settings
from tinyjpg_server.storage.disk import DiskFloor
from tinyjpg_server.storage.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """All that a route may need; `services_of(request)` gives it.

    Attributes:
        settings: in force.
        database: open.
        store: of the image files.
        incoming: folder of uploads on their way.
        accepted: the bell that tells workers of new images.
        waiting: holds requests until an image is finished.
        limiter: of requests.
        disk: refuses uploads when the disk is nearly full.
        last_used: of API keys.
        metrics: for Prometheus.
    """

    settings: Settings
    database: Database
    store: Store
    incoming: Path
    accepted: Bell
    waiting: Waiting
    limiter: RateLimiter
    disk: DiskFloor
    last_used: LastUsed
    metrics: Metrics


def services_of(connection: HTTPConnection) -> Services:
    """The services of the application that this request came to."""
    services: Services = connection.app.state.services
    return services
