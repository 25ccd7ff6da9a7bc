"""`tinyjpg-server admin key ...`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer

from tinyjpg_server.accounts import keys
from tinyjpg_server.accounts.users import find_user
from tinyjpg_server.admin.output import AsJson, show, show_json
from tinyjpg_server.admin.run import read, write
from tinyjpg_server.db import clock
from tinyjpg_server.db.connection import Connection

app = typer.Typer(help="API keys. A key is printed once, when it is made.", no_args_is_help=True)

Email = Annotated[str, typer.Argument(metavar="EMAIL")]
KeyId = Annotated[int, typer.Argument(metavar="KEY_ID", help="As `key list` shows it.")]


@app.command()
def issue(
    context: typer.Context,
    email: Email,
    name: Annotated[str, typer.Option(help="What the key is for.")],
    as_json: AsJson = False,
) -> None:
    """Make a key and print it."""

    async def work(connection: Connection) -> tuple[keys.ApiKey, str]:
        user = await find_user(connection, email)
        return await keys.issue(connection, user.id, name, clock.now())

    key, secret = write(context, work)
    _show_new(key, secret, as_json=as_json)


@app.command("list")
def list_(context: typer.Context, email: Email, as_json: AsJson = False) -> None:
    """List a user's keys, also those that work no more."""

    async def work(connection: Connection) -> list[keys.ApiKey]:
        user = await find_user(connection, email)
        return await keys.list_keys(connection, user.id)

    now = clock.now()
    rows = [_row(key, now) for key in read(context, work)]
    show(rows, as_json=as_json, nothing="there are no keys yet")


@app.command()
def revoke(context: typer.Context, email: Email, key_id: KeyId) -> None:
    """Make a key invalid from now on."""

    async def work(connection: Connection) -> keys.ApiKey:
        user = await find_user(connection, email)
        return await keys.revoke(connection, user.id, key_id, clock.now())

    key = write(context, work)
    typer.echo(f"revoked key {key.id} ({key.name}, {key.hint})")


@app.command()
def rotate(
    context: typer.Context,
    email: Email,
    key_id: KeyId,
    overlap: Annotated[
        float, typer.Option(min=0, max=720, metavar="HOURS", help="How long the old key works on.")
    ] = keys.DEFAULT_OVERLAP / timedelta(hours=1),
    as_json: AsJson = False,
) -> None:
    """Make a new key in place of an old one, and print it."""

    async def work(connection: Connection) -> tuple[keys.ApiKey, str]:
        user = await find_user(connection, email)
        return await keys.rotate(connection, user.id, key_id, timedelta(hours=overlap), clock.now())

    key, secret = write(context, work)
    _show_new(key, secret, as_json=as_json)


def _show_new(key: keys.ApiKey, secret: str, *, as_json: bool) -> None:
    if as_json:
        show_json({**_row(key, clock.now()), "key": secret})
        return
    typer.echo(f"made key {key.id} ({key.name}); it is shown this once only")
    typer.echo(secret)


def _row(key: keys.ApiKey, now: datetime) -> Mapping[str, Any]:
    row = asdict(key)
    del row["account_id"]
    return {**row, "state": key.state(now)}
