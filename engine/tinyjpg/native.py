"""The native module, and which instruction set its kernels use.

Each kernel has portable code and variants for wider registers; results differ by rounding only.
The best variant that the processor has is used. To rule one out when something looks wrong, set the
environment variable TINYJPG_INSTRUCTION_SET to one of `available_instruction_sets()` before Python
starts, or call `force_instruction_set`.
"""

from __future__ import annotations

from tinyjpg.errors import InvalidOptionError, MissingToolError

try:
    from tinyjpg._native import ffi, lib
except ImportError as error:
    raise MissingToolError(
        f"the native part of TinyJPG cannot be loaded ({error}); build it with ./run setup in a "
        "checkout, or reinstall the package (both need a C compiler)"
    ) from error

__all__ = [
    "available_instruction_sets",
    "ffi",
    "force_instruction_set",
    "instruction_set",
    "lib",
    "release_memory",
]


def instruction_set() -> str:
    """The instruction set in use: "portable", "avx2", "avx512" or "neon"."""
    return _text(lib.tinyjpg_instruction_set())


def available_instruction_sets() -> tuple[str, ...]:
    """Those that this processor has and this build has variants for, the best one last."""
    names: list[str] = []
    while (name := lib.tinyjpg_available_instruction_set(len(names))) != ffi.NULL:
        names.append(_text(name))
    return tuple(names)


def force_instruction_set(name: str | None) -> None:
    """Use this instruction set from now on in the whole process, or with None the usual one.

    What was begun with another one is finished with that.

    Raises:
        InvalidOptionError: there is no such instruction set here.
    """
    if lib.tinyjpg_force_instruction_set(ffi.NULL if name is None else name.encode()):
        raise InvalidOptionError(
            f"there is no instruction set {name!r} here; give one of "
            f"{', '.join(available_instruction_sets())}"
        )


def release_memory() -> None:
    """Give memory that was freed, but that the C library holds on to, back to the system.

    Takes milliseconds; for between steps that each need much. With glibc only.
    """
    lib.tinyjpg_release_memory()


def _text(name: object) -> str:
    text: bytes = ffi.string(name)
    return text.decode("ascii")
