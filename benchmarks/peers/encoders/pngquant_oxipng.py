"""pngquant, its result packed by oxipng -o2; the setting is the upper end of `--quality`."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path
from typing import Any

import oxipng

from benchmarks.peers.encoders import programs

FAILURES = (*programs.FAILURES, oxipng.PngError)


def version() -> str:
    """The versions of pngquant and oxipng."""
    pngquant = programs.run([_program(), "--version"]).split()[0]
    return f"pngquant {pngquant} with oxipng-pybind {importlib.metadata.version('oxipng-pybind')}"


def encode(source: Path, output: Path, setting: int) -> dict[str, Any]:
    """See `benchmarks.peers.encoders.server`."""
    programs.run(
        [_program(), f"--quality=0-{setting}", "--force", "--output", str(output), str(source)]
    )
    output.write_bytes(
        oxipng.optimize_from_memory(output.read_bytes(), level=2, strip=oxipng.StripChunks.safe())
    )
    return {}


def _program() -> str:
    return programs.required("pngquant", "apt install pngquant")
