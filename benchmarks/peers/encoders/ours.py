"""tinyjpg; the setting is the quality asked for."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path
from typing import Any

from tinyjpg import TinyJPGError, optimize

FAILURES = (TinyJPGError,)


def version() -> str:
    """The version of tinyjpg."""
    return f"tinyjpg {importlib.metadata.version('tinyjpg')}"


def encode(source: Path, output: Path, setting: int) -> dict[str, Any]:
    """See `benchmarks.peers.encoders.server`."""
    result = optimize(source.read_bytes(), setting)
    output.write_bytes(result.data)
    return {"method": result.method, "score": result.score, "probes": result.probes}
