"""`tinyjpg-server admin usage EMAIL`."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from sqlalchemy import select

from tinyjpg_server.accounts.quota import Quota, quota_of
from tinyjpg_server.accounts.users import User, find_user
from tinyjpg_server.admin import output
from tinyjpg_server.admin.run import read
from tinyjpg_server.db import clock
from tinyjpg_server.db.connection import Connection
from tinyjpg_server.db.tables import usage


def show(
    context: typer.Context,
    email: Annotated[str, typer.Argument(metavar="EMAIL")],
    as_json: output.AsJson = False,
) -> None:
    """Print the images a user had optimised, month by month, and what is left of this month."""
    now = clock.now()

    async def work(connection: Connection) -> tuple[User, Quota, list[dict[str, Any]]]:
        user = await find_user(connection, email)
        quota = await quota_of(connection, user.id, user.plan, now)
        rows = await connection.execute(
            select(usage.c.month, usage.c.used, usage.c.reserved.label("pending"))
            .where(usage.c.account_id == user.id)
            .order_by(usage.c.month.desc())
        )
        return user, quota, [dict(row._mapping) for row in rows]

    user, quota, months = read(context, work)
    if as_json:
        output.show_json(
            {
                "email": user.email,
                "plan": user.plan.name,
                "monthly_quota": quota.limit,
                "remaining": quota.remaining,
                "reset_date": quota.resets_at,
                "months": months,
            }
        )
        return
    typer.echo(
        f"{user.email}: {quota.remaining} of {quota.limit} images of plan {user.plan.name} "
        f"left until {quota.resets_at:%Y-%m-%d}"
    )
    output.show(months, as_json=False, nothing="no images yet")
