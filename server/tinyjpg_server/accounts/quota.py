"""What is left of the month: `used` images are done, `reserved` ones are under way.

The numbers change in one place each: `jobs.intake` reserves, `settle` and `give_back` end a
reservation, in the transaction that ends the work on the image.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from tinyjpg_server.accounts.plans import Plan
from tinyjpg_server.db.clock import month_of, next_month
from tinyjpg_server.db.tables import usage
from tinyjpg_server.errors import AccountingError


@dataclass(frozen=True, slots=True)
class Quota:
    """An account's images of one calendar month (UTC).

    Attributes:
        limit: images that the plan allows.
        used: images completed.
        reserved: images accepted and neither completed nor failed yet.
        resets_at: when the next month begins.
    """

    limit: int
    used: int
    reserved: int
    resets_at: datetime

    @property
    def remaining(self) -> int:
        """Images that would be accepted now; 0 too where a smaller plan was chosen since."""
        return max(0, self.limit - self.used - self.reserved)


# Built once: building a statement takes longer than running it.
_OF_MONTH: Final = select(usage.c.used, usage.c.reserved).where(
    usage.c.account_id == bindparam("account"), usage.c.month == bindparam("of_month")
)


async def quota_of(
    connection: AsyncConnection, account_id: int, plan: Plan, now: datetime
) -> Quota:
    """The quota of the month of `now`."""
    found = await connection.execute(_OF_MONTH, {"account": account_id, "of_month": month_of(now)})
    row = found.first()
    used, reserved = (row.used, row.reserved) if row else (0, 0)
    return Quota(plan.monthly_quota, used, reserved, next_month(now))


async def settle(connection: AsyncConnection, account_id: int, month: str) -> None:
    """Turn a reservation of `month` into a used image.

    Raises:
        AccountingError: nothing was reserved.
    """
    await _end(connection, account_id, month, images=1, used=1)


async def give_back(connection: AsyncConnection, images: Mapping[tuple[int, str], int]) -> None:
    """End reservations of images that failed: numbers by account and month.

    Raises:
        AccountingError: fewer were reserved.
    """
    # In this order everywhere, so that two transactions never wait for one another.
    for (account_id, month), count in sorted(images.items()):
        await _end(connection, account_id, month, images=count, used=0)


async def _end(
    connection: AsyncConnection, account_id: int, month: str, *, images: int, used: int
) -> None:
    changed = await connection.execute(
        update(usage)
        .where(
            usage.c.account_id == account_id,
            usage.c.month == month,
            usage.c.reserved >= images,
        )
        .values(reserved=usage.c.reserved - images, used=usage.c.used + used)
    )
    if changed.rowcount != 1:
        raise AccountingError(
            f"account {account_id} has fewer than {images} images reserved in {month}: "
            "the usage table does not agree with the images; nothing was changed"
        )
