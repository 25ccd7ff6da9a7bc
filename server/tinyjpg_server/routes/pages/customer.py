"""Who has images optimised on the pages: an account that is logged in, or a visitor."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.requests import Request

from tinyjpg_server.accounts.caller import Caller
from tinyjpg_server.accounts.quota import Quota, quota_of
from tinyjpg_server.accounts.visitors import (
    Visits,
    allowance_used_up,
    anonymous_caller,
    visit,
    visits_of,
)
from tinyjpg_server.db import clock
from tinyjpg_server.errors import UnauthorizedError
from tinyjpg_server.jobs.intake import quota_exceeded
from tinyjpg_server.middleware import facts_of
from tinyjpg_server.services import services_of
from tinyjpg_server.session_cookie import maybe_logged_in


@dataclass(frozen=True, slots=True)
class Customer:
    """Who pays, and what is left: of the month for an account, of today for a visitor."""

    caller: Caller
    left: Quota | Visits

    @property
    def is_visitor(self) -> bool:
        """Whether it is an address without an account."""
        return isinstance(self.left, Visits)

    @property
    def words(self) -> str:
        """What is left, in a sentence."""
        left = f"{self.left.remaining:,} of {self.left.limit:,} images left"
        if self.is_visitor:
            return f"{left} today without an account."
        return f"{left} this month on your plan {self.caller.plan.name}."

    def check(self) -> None:
        """Refuse before anything is received.

        Raises:
            TooManyRequestsError: today's images are used up; code `daily_allowance`.
            QuotaExceededError: the month's images are used up.
        """
        if self.left.remaining:
            return
        if isinstance(self.left, Visits):
            raise allowance_used_up(self.left, clock.now())
        raise quota_exceeded(self.caller.plan, self.left)


async def customer_of(request: Request) -> Customer:
    """Whoever sends `request`.

    Raises:
        UnauthorizedError: nobody is logged in, and this service takes no images of visitors.
    """
    services = services_of(request)
    limit, now = services.settings.visitor_images, clock.now()
    caller = await maybe_logged_in(request)
    if caller is None and not limit:
        raise UnauthorizedError("Log in to optimize images here.")
    async with services.database.read() as connection:
        if caller is not None:
            quota = await quota_of(connection, caller.account_id, caller.plan, now)
            return Customer(caller, quota)
        visits = await visits_of(connection, facts_of(request).address, limit, now)
        return Customer(await anonymous_caller(connection), visits)


@asynccontextmanager
async def charged(request: Request, customer: Customer) -> AsyncIterator[None]:
    """Charge a visitor for the image that the block takes on; accounts are charged as it is."""
    if not customer.is_visitor:
        yield
        return
    services, address = services_of(request), facts_of(request).address
    limit = services.settings.visitor_images
    async with visit(services.database, address, limit, clock.now()):
        yield
