"""`tinyjpg-server admin plan ...`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import asdict, dataclass
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


@dataclass(frozen=True, slots=True)
class _Field:
    """A field of a plan that commands take as an option.

    Attributes:
        column: of `Plan`.
        kind: what its parser makes.
        option: as typer takes it.
        usual: in a new plan where nothing is said; empty if it must be said.
    """

    column: str
    kind: type
    option: Any
    usual: Any = inspect.Parameter.empty


_FIELDS: Final = {
    "monthly_quota": _Field(
        "monthly_quota", int, typer.Option(min=0, metavar="N", help="Images a month.")
    ),
    "max_upload": _Field(
        "max_upload_bytes",
        int,
        typer.Option(parser=_mebibytes, metavar="MIB", help="Largest upload, in mebibytes."),
    ),
    "requests_per_minute": _Field(
        "requests_per_minute",
        int,
        typer.Option(min=1, metavar="N", help="Requests a minute of one key."),
    ),
    "price": _Field(
        "price_cents",
        int,
        typer.Option(parser=_cents, metavar="AMOUNT", help="A month, as in 7.50."),
        usual="0",
    ),
    "currency": _Field(
        "currency", str, typer.Option(metavar="CODE", help="Of the price, as in USD."), usual="USD"
    ),
    "offered": _Field(
        "offered",
        bool,
        typer.Option(
            "--offered/--not-offered", help="Whether customers are shown it.", show_default=False
        ),
        usual=True,
    ),
}


def _with_fields(*, new: bool) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command, instead of its last parameter, an option for each field; one that is not of
    a `new` plan may leave each out.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        options = [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                annotation=Annotated[field.kind if new else field.kind | None, field.option],
                default=field.usual if new else None,
            )
            for name, field in _FIELDS.items()
        ]
        signature = inspect.signature(command, eval_str=True)
        own = list(signature.parameters.values())[:-1]
        # By which typer knows the parameters of a command.
        vars(command)["__signature__"] = signature.replace(parameters=[*own, *options])
        return command

    return decorate


def _by_column(values: dict[str, Any]) -> dict[str, Any]:
    return {_FIELDS[name].column: value for name, value in values.items() if value is not None}


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
@_with_fields(new=True)
def add(context: typer.Context, name: Name, **fields: Any) -> None:
    """Make a plan."""
    values = _by_column(fields)
    plan = write(context, lambda connection: plans.add_plan(connection, name, **values))
    typer.echo(f"added plan {plan.name}")


@app.command("set")
@_with_fields(new=False)
def set_(context: typer.Context, name: Name, **fields: Any) -> None:
    """Change a plan; the users on it follow at once."""
    values = _by_column(fields)
    if not values:
        raise typer.BadParameter("nothing to set; see --help")
    plan = write(context, lambda connection: plans.change_plan(connection, name, **values))
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
