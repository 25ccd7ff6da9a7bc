"""The optional corpus of real images beside the checkout (../shared), or how to skip it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_DEFAULT = Path(__file__).resolve().parents[2] / "shared"
_CANDIDATE = Path(os.environ.get("TINYJPG_SHARED", _DEFAULT))

SHARED: Path | None = _CANDIDATE if (_CANDIDATE / "corpora").is_dir() else None

needs_shared = pytest.mark.skipif(
    SHARED is None,
    reason="no real-image corpus: put one at ../shared or name it in TINYJPG_SHARED",
)


def corpus(*folders: str) -> list[Path]:
    """The files of the corpus in `folders`, sorted; empty when there is no corpus."""
    if SHARED is None:
        return []
    return sorted(
        path
        for folder in folders
        for path in (SHARED / "corpora" / folder).iterdir()
        if path.is_file()
    )
