"""What routes work with, opened once when the application starts."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.requests import HTTPConnection

from tinyjpg_server.accounts.billing import Billing, SetByOperator
from tinyjpg_server.accounts.keys import LastUsed
from tinyjpg_server.db.database import Database
from tinyjpg_server.settings import Settings

if TYPE_CHECKING:
    from tinyjpg_server.jobs.bell import Bell
    from tinyjpg_server.jobs.waiting import Waiting
    from tinyjpg_server.metrics import Metrics
    from tinyjpg_server.ratelimit import RateLimiter
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
        metrics: of this process.
        billing: how plans are paid.
    """

    settings: Settings
    database: Database
    store: Store
    incoming: Path
    accepted: Bell
    waiting: Waiting
    limiter: RateLimiter
    disk: DiskFloor
    metrics: Metrics
    last_used: LastUsed = field(default_factory=LastUsed)
    billing: Billing = field(default_factory=SetByOperator)


def services_of(connection: HTTPConnection) -> Services:
    """The services of the application that this request came to."""
    services: Services = connection.app.state.services
    return services
