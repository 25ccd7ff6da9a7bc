"""`tinyjpg-server admin plan ...`."""

from __future__ import annotations

from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Final

import typer

from tinyjpg_server.accounts import plan_requests, plans
from tinyjpg_server.admin.output import AsJson, show
from tinyjpg_server.admin.run import read, write

app = typer.Typer(help="Plans: quotas, limits and prices.", no_args_is_help=True)

_MEBIBYTE: Final = 1024 * 1024


def _cents(text: str) -> int:
    try:
        cents = Decimal(text) * 100
        if cents == int(cents) and cents >= 0:
            return int(cents)
    except (InvalidOperation, ValueError, OverflowError):
        pass  # Answered below, as the others are.
    raise typer.BadParameter(f"{text!r} is no price; give it as in 15 or 7.50")


def _mebibytes(text: str) -> int:
    try:
        size = int(Decimal(text) * _MEBIBYTE)
    except (InvalidOperation, ValueError, OverflowError):
        size = 0
    if size < 1:
        raise typer.BadParameter(f"{text!r} is no size in mebibytes; give it as in 5 or 0.5")
    return size


Name = Annotated[str, typer.Argument(metavar="NAME")]

_QUOTA: Final = typer.Option(min=0, metavar="N", help="Images a month.")
_UPLOAD: Final = typer.Option(
    parser=_mebibytes, metavar="MIB", help="Largest upload, in mebibytes."
)
_RATE: Final = typer.Option(min=1, metavar="N", help="Requests a minute of one key.")
_PRICE: Final = typer.Option(parser=_cents, metavar="AMOUNT", help="A month, as in 7.50.")
_CURRENCY: Final = typer.Option(metavar="CODE", help="Of the price, as in USD.")
_OFFERED: Final = typer.Option(
    "--offered/--not-offered", help="Whether customers are shown it.", show_default=False
)


@app.command("list")
def list_(context: typer.Context, as_json: AsJson = False) -> None:
    """List all plans, the cheapest first."""
    found = read(context, plans.list_plans)
    show(
        [asdict(plan) if as_json else _row(plan) for plan in found],
        as_json=as_json,
        nothing="there are no plans",
    )


@app.command()
def add(
    context: typer.Context,
    name: Name,
    *,
    monthly_quota: Annotated[int, _QUOTA],
    max_upload: Annotated[int, _UPLOAD],
    requests_per_minute: Annotated[int, _RATE],
    price: Annotated[int, _PRICE] = "0",  # type: ignore[assignment]  # the parser makes it a number
    currency: Annotated[str, _CURRENCY] = "USD",
    offered: Annotated[bool, _OFFERED] = True,
) -> None:
    """Make a plan."""
    values = {
        "monthly_quota": monthly_quota,
        "max_upload_bytes": max_upload,
        "requests_per_minute": requests_per_minute,
        "price_cents": price,
        "currency": currency,
        "offered": offered,
    }
    plan = write(context, lambda connection: plans.add_plan(connection, name, **values))
    typer.echo(f"added plan {plan.name}")


@app.command("set")
def set_(
    context: typer.Context,
    name: Name,
    *,
    monthly_quota: Annotated[int | None, _QUOTA] = None,
    max_upload: Annotated[int | None, _UPLOAD] = None,
    requests_per_minute: Annotated[int | None, _RATE] = None,
    price: Annotated[int | None, _PRICE] = None,
    currency: Annotated[str | None, _CURRENCY] = None,
    offered: Annotated[bool | None, _OFFERED] = None,
) -> None:
    """Change a plan; the users on it follow at once."""
    values = {
        "monthly_quota": monthly_quota,
        "max_upload_bytes": max_upload,
        "requests_per_minute": requests_per_minute,
        "price_cents": price,
        "currency": currency,
        "offered": offered,
    }
    given = {field: value for field, value in values.items() if value is not None}
    if not given:
        raise typer.BadParameter("nothing to set; see --help")
    plan = write(context, lambda connection: plans.change_plan(connection, name, **given))
    typer.echo(f"changed plan {plan.name}")


@app.command()
def requests(context: typer.Context, as_json: AsJson = False) -> None:
    """List who asks for another plan, the oldest first; `admin user plan` answers."""
    found = read(context, plan_requests.list_requests)
    show(
        [_request_row(request) for request in found],
        as_json=as_json,
        nothing="nobody asks for another plan",
    )


def _request_row(request: plan_requests.PlanRequest) -> dict[str, Any]:
    return {
        "email": request.email,
        "plan": request.current,
        "wanted": request.wanted,
        "created_at": request.created_at,
    }


def _row(plan: plans.Plan) -> dict[str, Any]:
    return {
        "name": plan.name,
        "monthly_quota": plan.monthly_quota,
        "max_upload_MiB": f"{plan.max_upload_bytes / _MEBIBYTE:g}",
        "requests_per_minute": plan.requests_per_minute,
        "price": f"{plan.price_cents / 100:.2f} {plan.currency}",
        "offered": plan.offered,
    }
