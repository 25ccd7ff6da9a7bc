"""The commands of `tinyjpg-server admin`, put together."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyjpg_server.admin import files, keys, plans, usage, users

app = typer.Typer(
    name="admin",
    help="Users, plans, API keys and files. Works beside a running server.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(users.app, name="user")
app.add_typer(plans.app, name="plan")
app.add_typer(keys.app, name="key")
app.command("usage")(usage.show)
app.command("purge")(files.purge)


@app.callback()
def choose(
    context: typer.Context,
    data: Annotated[
        Path | None, typer.Option(help="Folder of the database and the image files.")
    ] = None,
) -> None:
    """Users, plans, API keys and files. Works beside a running server."""
    context.obj = data
