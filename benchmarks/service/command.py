"""`./run bench service NAME`: one of the benchmarks of the service."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final

from benchmarks.service import kill, overhead, pages, soak

_NAMES: Final[dict[str, Callable[[list[str]], int]]] = {
    "overhead": overhead.main,
    "pages": pages.main,
    "soak": soak.main,
    "kill": kill.main,
}


def main(arguments: list[str]) -> int:
    """Run the one named first; all of them when none is."""
    if not arguments:
        return max(run([]) for run in _NAMES.values())
    name, *rest = arguments
    if name not in _NAMES:
        print(f"usage: ./run bench service [{'|'.join(_NAMES)}] [ARGUMENT...]", file=sys.stderr)
        return 0 if name in {"-h", "--help"} else 2
    return _NAMES[name](rest)
