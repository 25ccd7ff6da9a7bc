"""Builds tinyjpg._native from the C sources beside this file (cffi, API mode, stable ABI)."""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path

from cffi import FFI

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent


def _relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _is_clang() -> bool:
    named = os.environ.get("CC") or str(sysconfig.get_config_var("CC"))
    return sys.platform == "darwin" or "clang" in named


def _compile_arguments() -> list[str]:
    # Nobody reads errno or floating-point exceptions, and without them more loops vectorise. Fused
    # multiply-add is off by default in standard C.
    arguments = ["-O3", "-std=c11", "-Wall", "-Wextra"]
    arguments += ["-fno-math-errno", "-fno-trapping-math"]
    # With "fast" clang fuses even what exact_floats.h forbids; with "on" gcc fuses nothing.
    arguments.append("-ffp-contract=on" if _is_clang() else "-ffp-contract=fast")
    if sys.platform != "win32":
        arguments.append("-fvisibility=hidden")
    return arguments


ffi = FFI()
ffi.cdef((HERE / "cdef.h").read_text(encoding="utf-8"))
ffi.set_source(
    "tinyjpg._native",
    '#include <stddef.h>\n#include <stdint.h>\n#include "cdef.h"',
    sources=sorted(_relative(path) for path in (HERE / "src").rglob("*.c")),
    include_dirs=[_relative(HERE)],
    depends=["native/cdef.h", *sorted(_relative(path) for path in (HERE / "src").rglob("*.[ch]"))],
    extra_compile_args=_compile_arguments(),
    libraries=["m"],
)
