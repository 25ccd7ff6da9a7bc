"""`tinyjpg-server admin usage EMAIL`."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from tinyjpg_server.accounts.users import User, find_user
from tinyjpg_server.admin import output
from tinyjpg_server.admin.run import read
from tinyjpg_server.db import clock
from tinyjpg_server.db.tables import usage


def show(
    context: typer.Context,
    email: Annotated[str, typer.Argument(metavar="EMAIL")],
    as_json: output.AsJson = False,
) -> None:
    """Print the images a user had optimised, month by month, and what is left of this month."""
    now = clock.now()

    async def work(connection: AsyncConnection) -> tuple[User, list[dict[str, Any]]]:
        user = await find_user(connection, email)
        rows = await connection.execute(
            select(usage.c.month, usage.c.used, usage.c.reserved.label("pending"))
            .where(usage.c.account_id == user.id)
            .order_by(usage.c.month.desc())
        )
        return user, [dict(row._mapping) for row in rows]

    user, months = read(context, work)
    this_month = clock.month_of(now)
    taken = sum(row["used"] + row["pending"] for row in months if row["month"] == this_month)
    remaining = max(0, user.plan.monthly_quota - taken)
    if as_json:
        output.show_json(
            {
                "email": user.email,
                "plan": user.plan.name,
                "monthly_quota": user.plan.monthly_quota,
                "remaining": remaining,
                "reset_date": clock.next_month(now),
                "months": months,
            }
        )
        return
    typer.echo(
        f"{user.email}: {remaining} of {user.plan.monthly_quota} images of plan {user.plan.name} "
        f"left until {clock.next_month(now):%Y-%m-%d}"
    )
    output.show(months, as_json=False, nothing="no images yet")
