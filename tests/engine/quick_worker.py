"""Starts `misbehaving_worker` without the codecs it does not use, which take most of a start."""

from __future__ import annotations

import runpy
import sys
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from types import ModuleType
from typing import Any

if __name__ == "__main__":
    spec = find_spec("tinyjpg")
    assert spec is not None
    # Present, so that its modules can be imported, but not run, so that it imports none.
    sys.modules["tinyjpg"] = module_from_spec(spec)
    unused: Any = ModuleType("tinyjpg.optimize")
    unused.optimize = None
    sys.modules["tinyjpg.optimize"] = unused
    runpy.run_path(str(Path(__file__).with_name("misbehaving_worker.py")), run_name="__main__")
