"""cwebp at its greatest effort, `-m 6`; the setting is `-q`. What JPEGs would be as WebP."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.peers.encoders import cwebp

FAILURES = cwebp.FAILURES
version = cwebp.version


def encode(source: Path, output: Path, setting: int) -> dict[str, Any]:
    """See `benchmarks.peers.encoders.server`."""
    cwebp.convert(source, output, setting, "-m", "6")
    return {}
