"""cwebp; the setting is `-q`, everything else as it comes. Stills only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.peers.encoders import programs

FAILURES = programs.FAILURES


def version() -> str:
    """The version of cwebp."""
    return f"cwebp {programs.run([_program(), '-version']).splitlines()[0]}"


def encode(source: Path, output: Path, setting: int) -> dict[str, Any]:
    """See `benchmarks.peers.encoders.server`."""
    convert(source, output, setting)
    return {}


def convert(source: Path, output: Path, setting: int, *options: str) -> None:
    """Run cwebp, with further options.

    Raises:
        RuntimeError: it failed.
    """
    # What the picture needs to look right stays, as the other peers have it.
    programs.run(
        [
            _program(),
            *("-quiet", "-metadata", "icc,exif", *options),
            *("-q", str(setting), str(source), "-o", str(output)),
        ]
    )


def _program() -> str:
    return programs.required("cwebp", "apt install webp")
