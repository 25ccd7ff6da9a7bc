"""What the commands print: tables for people, JSON for programs, all on stdout."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def show(rows: Sequence[Mapping[str, Any]], *, as_json: bool, nothing: str) -> None:
    """Print rows that have the same keys; `nothing` to people if there are none."""
    if as_json:
        show_json([dict(row) for row in rows])
    elif rows:
        _show_table(rows)
    else:
        typer.echo(nothing)


def show_json(value: Any) -> None:
    """Print `value`; times as in ISO 8601."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=_encode))


def _show_table(rows: Sequence[Mapping[str, Any]]) -> None:
    lines = [[name.replace("_", " ").upper() for name in rows[0]]]
    lines += [[_text(value) for value in row.values()] for row in rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        typer.echo("  ".join(cells).rstrip())


def _text(value: object) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.strftime("%Y-%m-%d %H:%M")
        case _:
            return str(value)


def _encode(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no form in JSON")
