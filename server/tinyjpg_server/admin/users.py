"""`tinyjpg-server admin user ...`."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from tinyjpg_server.accounts import users
from tinyjpg_server.accounts.passwords import new_password
from tinyjpg_server.admin.output import AsJson, show, show_json
from tinyjpg_server.admin.run import read, run, write
from tinyjpg_server.db import clock

app = typer.Typer(help="Users and their passwords.", no_args_is_help=True)

Email = Annotated[str, typer.Argument(metavar="EMAIL")]
PasswordStdin = Annotated[
    bool,
    typer.Option(
        "--password-stdin",
        help="Read the password from the first line of standard input. Otherwise one is made up "
        "and printed.",
    ),
]


@app.command()
def create(
    context: typer.Context,
    email: Email,
    plan: Annotated[str, typer.Option(help="Name of a plan.")] = "Free",
    password_stdin: PasswordStdin = False,
    as_json: AsJson = False,
) -> None:
    """Create a user."""
    given = _first_line() if password_stdin else None
    password = given or new_password()
    user = run(
        context,
        lambda database, _: users.create_user(database, email, password, plan, clock.now()),
    )
    made_up = {} if given else {"password": password}
    if as_json:
        show_json(_row(user) | made_up)
        return
    typer.echo(f"created {user.email} on plan {user.plan.name}")
    _show_password(made_up)


@app.command("list")
def list_(context: typer.Context, as_json: AsJson = False) -> None:
    """List all users."""
    found = read(context, users.list_users)
    show([_row(user) for user in found], as_json=as_json, nothing="there are no users yet")


@app.command()
def plan(
    context: typer.Context,
    email: Email,
    name: Annotated[str, typer.Argument(metavar="PLAN")],
) -> None:
    """Put a user on another plan, from the next request on; answers what the user asked for."""
    user = write(context, lambda connection: users.set_plan(connection, email, name))
    typer.echo(f"{user.email} is on plan {user.plan.name}")


@app.command()
def password(context: typer.Context, email: Email, password_stdin: PasswordStdin = False) -> None:
    """Set another password and end the user's sessions. API keys stay."""
    given = _first_line() if password_stdin else None
    chosen = given or new_password()
    run(context, lambda database, _: users.change_password(database, email, chosen))
    typer.echo(f"changed the password of {users.normal_email(email)}")
    _show_password({} if given else {"password": chosen})


@app.command()
def disable(context: typer.Context, email: Email) -> None:
    """Refuse a user's keys and log-in until the user is enabled again."""
    user = write(context, lambda connection: users.disable(connection, email, clock.now()))
    typer.echo(f"disabled {user.email}")


@app.command()
def enable(context: typer.Context, email: Email) -> None:
    """Undo `disable`."""
    user = write(context, lambda connection: users.enable(connection, email))
    typer.echo(f"enabled {user.email}")


@app.command()
def delete(
    context: typer.Context,
    email: Email,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete a user with keys, images and statistics. The files go with the next purge."""
    if not yes:
        if not sys.stdin.isatty():
            raise typer.BadParameter("nobody is there to confirm it; give --yes")
        typer.confirm(f"Delete {email} with all keys, images and statistics?", abort=True)
    user = write(context, lambda connection: users.delete_user(connection, email))
    typer.echo(f"deleted {user.email}")


def _first_line() -> str:
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        typer.echo("tinyjpg-server: standard input has no password in its first line", err=True)
        raise typer.Exit(1)
    return line


def _show_password(made_up: dict[str, str]) -> None:
    for secret in made_up.values():
        typer.echo(f"password: {secret}")


def _row(user: users.User) -> dict[str, Any]:
    return {
        "id": user.id,
        "email": user.email,
        "plan": user.plan.name,
        "created_at": user.created_at,
        "disabled_at": user.disabled_at,
    }
