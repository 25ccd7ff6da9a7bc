"""How a plan comes to be paid: the seam where a payment provider would go.

The one implementation takes no money: free plans are everybody's to choose, of the others the
operator hears and decides (`admin plan requests`, `admin user plan`).
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Protocol

from tinyjpg_server.accounts import plan_requests
from tinyjpg_server.accounts.caller import Caller
from tinyjpg_server.accounts.plans import Plan, plan_named
from tinyjpg_server.accounts.users import set_plan
from tinyjpg_server.db.connection import Connection
from tinyjpg_server.errors import ConflictError, NotFoundError


class Outcome(Enum):
    """What came of choosing a plan."""

    CHANGED = "changed"
    ASKED = "asked"


class Billing(Protocol):
    """What the pages need of it."""

    def is_immediate(self, plan: Plan) -> bool:
        """Whether choosing `plan` changes to it at once."""

    async def choose(
        self, connection: Connection, caller: Caller, name: str, now: datetime
    ) -> Outcome:
        """The caller wants the plan called `name`. In a transaction.

        Raises:
            NotFoundError: no such plan is offered; code `plan_not_found`.
            ConflictError: the account is on it already; code `plan_not_changed`.
        """

    async def withdraw(self, connection: Connection, caller: Caller) -> None:
        """The caller no longer wants what was asked for, if anything was."""


class SetByOperator:
    """Free plans at once; a paid one when the operator sets it."""

    def is_immediate(self, plan: Plan) -> bool:
        """Whether it costs nothing."""
        return plan.price_cents == 0

    async def choose(
        self, connection: Connection, caller: Caller, name: str, now: datetime
    ) -> Outcome:
        """Change to a free plan, or ask for a paid one; see `Billing`."""
        plan = await _offered(connection, name)
        if plan.id == caller.plan.id:
            raise ConflictError(
                f"Your account is on the plan {plan.name} already.", code="plan_not_changed"
            )
        if self.is_immediate(plan):
            await set_plan(connection, caller.email, plan.name)
            return Outcome.CHANGED
        await plan_requests.ask(connection, caller.account_id, plan.id, now)
        return Outcome.ASKED

    async def withdraw(self, connection: Connection, caller: Caller) -> None:
        """Forget the request."""
        await plan_requests.close_request(connection, caller.account_id)


async def _offered(connection: Connection, name: str) -> Plan:
    error = NotFoundError("No such plan is offered.", code="plan_not_found")
    if not name.isprintable():
        # No plan is called so, and PostgreSQL takes no NUL.
        raise error
    try:
        plan = await plan_named(connection, name)
    except NotFoundError as cause:
        # Its message names plans that are not offered.
        raise error from cause
    if not plan.offered:
        raise error
    return plan
