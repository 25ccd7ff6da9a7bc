"""The dashboard: quota, keys, what was done, and the images that are still here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from tinyjpg_server.accounts import keys
from tinyjpg_server.accounts.caller import Caller
from tinyjpg_server.accounts.quota import quota_of
from tinyjpg_server.db import clock
from tinyjpg_server.errors import FieldErrors
from tinyjpg_server.jobs import images
from tinyjpg_server.jobs.statistics import usage_report
from tinyjpg_server.pages.charts import month_charts
from tinyjpg_server.pages.rendering import pages_of
from tinyjpg_server.routes.account import LoggedIn
from tinyjpg_server.routes.parameters import FORMATS, IDS, STATUSES
from tinyjpg_server.services import services_of

PAGE: Final = 12
# Of keys that work no more.
_OLD_KEYS: Final = 20

_DONE: Final = {
    "revoked": "The key is revoked. Requests with it are refused from now on.",
    "deleted": "The image and its files are deleted.",
}

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Filter:
    """Which images to show; None is all of them, `before` the newest."""

    status: str | None = None
    format: str | None = None
    before: int | None = None

    @property
    def narrows(self) -> bool:
        """Whether some images are left out."""
        return self.status is not None or self.format is not None

    def fields(self) -> dict[str, str]:
        """What `filter_of` makes this filter of."""
        given = {"status": self.status, "format": self.format, "cursor": self.before}
        return {name: str(value) for name, value in given.items() if value is not None}

    def address(self, before: int | None = None, done: str = "") -> str:
        """Of the dashboard with the same filter, from the image `before` on."""
        fields = replace(self, before=before).fields() | ({"done": done} if done else {})
        return f"/dashboard?{urlencode(fields)}" if fields else "/dashboard"


@router.get("/dashboard")
async def dashboard(request: Request, caller: LoggedIn) -> Response:
    """All of it."""
    done = _DONE.get(request.query_params.get("done", ""), "")
    return await dashboard_page(request, caller, done=done)


async def dashboard_page(
    request: Request,
    caller: Caller,
    *,
    done: str = "",
    fault: str = "",
    key_name: str = "",
    errors: FieldErrors | None = None,
    status: int = 200,
) -> Response:
    """The dashboard.

    Args:
        request: of the page; its query says which images to show.
        caller: whose it is.
        done: what went well before.
        fault: what did not.
        key_name: typed for a new key.
        errors: what is wrong with it.
        status: of the answer.
    """
    shown = filter_of(request.query_params)
    return pages_of(request).render(
        request,
        "dashboard.html",
        caller,
        status=status,
        done=done,
        fault=fault,
        key_name=key_name,
        errors=errors or {},
        filter=shown,
        statuses=STATUSES,
        formats=FORMATS,
        most_keys=keys.MOST_KEYS,
        **await _facts(request, caller, shown),
    )


def filter_of(query: Mapping[str, str]) -> Filter:
    """The filter in an address. What is none filters nothing: people edit addresses."""
    status, kind, cursor = (query.get(name, "") for name in ("status", "format", "cursor"))
    number = int(cursor) if cursor.isascii() and cursor.isdigit() and len(cursor) <= 19 else 0
    return Filter(
        status=status if status in STATUSES else None,
        format=kind if kind in FORMATS else None,
        before=number if number in IDS else None,
    )


async def _facts(request: Request, caller: Caller, shown: Filter) -> dict[str, Any]:
    now = clock.now()
    async with services_of(request).database.report() as connection:
        quota = await quota_of(connection, caller.account_id, caller.plan, now)
        all_keys = await keys.list_keys(connection, caller.account_id)
        report = await usage_report(connection, caller.account_id, now)
        # One more than is shown tells whether there is another page.
        found = await images.page(
            connection,
            caller.account_id,
            limit=PAGE + 1,
            before_id=shown.before,
            status=shown.status,
            format=shown.format,
        )
    old = [key for key in reversed(all_keys) if key.state(now) in {"revoked", "expired"}]
    working = [key for key in all_keys if key.state(now) in {"active", "expiring"}]
    return {
        "now": now,
        "quota": quota,
        "keys": working[::-1],
        "old_keys": old[:_OLD_KEYS],
        "old_keys_in_all": len(old),
        "report": report,
        "charts": month_charts(report.months),
        "images": found[:PAGE],
        "older": shown.address(found[PAGE - 1].id) if len(found) > PAGE else "",
    }
