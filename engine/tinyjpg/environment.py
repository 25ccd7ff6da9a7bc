"""The environment of processes that decode hostile bytes: what they need, and no secrets."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

# What a child gets of the environment. Nothing else: an application keeps secrets there.
_PASSED_ON: Final = frozenset(
    {
        "DYLD_LIBRARY_PATH",
        "LANG",
        "LANGUAGE",
        "LD_LIBRARY_PATH",
        "PATH",
        "PYTHONDONTWRITEBYTECODE",
        "PYTHONHOME",
        "PYTHONPYCACHEPREFIX",
        "TMPDIR",
        "VIRTUAL_ENV",
    }
)
_SET: Final = {
    "MALLOC_ARENA_MAX": "2",
    # Freed buffers of whole pictures go back to the system: a tenth less at the peak.
    "MALLOC_MMAP_THRESHOLD_": "4000000",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "RAYON_NUM_THREADS": "1",
    "VIPS_BLOCK_UNTRUSTED": "1",
    "VIPS_CONCURRENCY": "1",
}


def environment() -> dict[str, str]:
    """The environment of a Python child: what it needs to find the same modules, no more."""
    passed_on = {
        name: value
        for name, value in os.environ.items()
        if name in _PASSED_ON or name.startswith("LC_")
    }
    package_root = str(Path(__file__).resolve().parents[1])
    # An empty entry means the current folder, which holds anything.
    search_path = dict.fromkeys(os.path.abspath(entry) for entry in sys.path if entry)  # noqa: PTH100 - resolve() would follow links
    search_path[package_root] = None
    return passed_on | _SET | {"PYTHONPATH": os.pathsep.join(search_path)}
