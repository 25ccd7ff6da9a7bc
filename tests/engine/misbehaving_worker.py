"""A worker process whose images say how it shall behave: `image(b"crash")` and so on.

`COMMAND` starts it in place of `tinyjpg.worker`.
"""

from __future__ import annotations

import base64
import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tinyjpg import errors, wire, worker
from tinyjpg.errors import TinyJPGError
from tinyjpg.formats import Format
from tinyjpg.options import Options
from tinyjpg.result import Result

COMMAND = (sys.executable, "-P", str(Path(__file__).with_name("quick_worker.py")))
SIGNATURE = b"\x89PNG\r\n\x1a\n"
_RAW = "raw:"


def image(order: bytes) -> bytes:
    """A "PNG" that makes the worker do `order`."""
    return SIGNATURE + order


def behave(data: bytes, quality: int, *, options: Options) -> Result:
    """Do what the image says and return a result that reports something about it."""
    order, _, argument = data.removeprefix(SIGNATURE).partition(b" ")
    if order in _RESULTS:
        return _RESULTS[order](data)
    report = _ACTIONS[order](argument) if order in _ACTIONS else None
    if report is None:
        report = f"pid {os.getpid()} quality {quality} {sorted(options.keep)}"
    return _result(data, report)


def _hang(_: bytes) -> None:
    # With the GIL held, and deaf to whatever can be ignored.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    ctypes.PyDLL(None).sleep(1000)


def _bug(_: bytes) -> None:
    raise ZeroDivisionError("a bug in a codec")


def _error(argument: bytes) -> None:
    name, _, message = argument.decode().partition(" ")
    kind: type[TinyJPGError] = getattr(errors, name)
    raise kind(message)


def _eat_as_libvips(_: bytes) -> None:
    raise errors.CorruptImageError("vips_tracked: out of memory -- size == 12MB")


def _eat_as_oxipng(_: bytes) -> None:
    sys.stderr.write("memory allocation of 123 bytes failed\n")
    sys.stderr.flush()
    os.abort()


def _grandchild(path: bytes) -> None:
    started = subprocess.Popen(["sleep", "1000"], stdin=subprocess.DEVNULL)
    Path(path.decode()).write_text(str(started.pid), encoding="ascii")
    time.sleep(1000)


def _started(path: bytes) -> None:
    Path(path.decode()).write_text(str(os.getpid()), encoding="ascii")
    time.sleep(1000)


def _wait_for(path: bytes) -> None:
    while not Path(path.decode()).exists():
        time.sleep(0.01)


def _noise(_: bytes) -> None:
    sys.stdout.write("o" * 1_000_000)
    sys.stderr.write("e" * 1_000_000)


def _state(_: bytes) -> str:
    limits = Path("/proc/self/limits").read_text(encoding="ascii").splitlines()
    descriptors = [entry for entry in list(Path("/proc/self/fd").iterdir()) if entry.is_symlink()]
    return json.dumps(
        {
            # The one that listed the folder is closed by now, and no link any more.
            "descriptors": sorted(str(entry.readlink()) for entry in descriptors),
            "session": os.getsid(0) == os.getpid(),
            "group": os.getpgrp() == os.getpid(),
            "core": next(line.split()[4] for line in limits if "core file size" in line),
            "oom": Path("/proc/self/oom_score_adj").read_text(encoding="ascii").strip(),
        }
    )


_ACTIONS: dict[bytes, Callable[[bytes], str | None]] = {
    b"crash": lambda _: str(ctypes.string_at(0)),
    b"exit": lambda status: os._exit(int(status)),
    b"hang": _hang,
    b"bug": _bug,
    b"error": _error,
    b"eat": lambda size: str(len(bytearray(int(size)))),
    b"eat-as-libvips": _eat_as_libvips,
    b"eat-as-oxipng": _eat_as_oxipng,
    b"grandchild": _grandchild,
    b"started": _started,
    b"wait-for": _wait_for,
    b"noise": _noise,
    b"raw": lambda reply: _RAW + base64.b64encode(reply).decode(),
    b"environ": lambda _: json.dumps(dict(os.environ)),
    b"state": _state,
}

_RESULTS: dict[bytes, Callable[[bytes], Result]] = {
    b"grow": lambda data: _result(data + b"more", "grown"),
    b"shrink": lambda data: _result(data[: len(data) // 2], "shrunk"),
}


def _result(data: bytes, method: str) -> Result:
    return Result(
        data=data,
        format=Format.PNG,
        width=1,
        height=1,
        frames=1,
        input_size=len(data),
        method=method,
        score=100.0,
        elapsed=0.0,
    )


def _encode_result(result: Result, *, unchanged: bool) -> bytes:
    if result.method.startswith(_RAW):
        return base64.b64decode(result.method.removeprefix(_RAW))
    return _honest_encode_result(result, unchanged=unchanged)


if __name__ == "__main__":
    _honest_encode_result = wire.encode_result
    wire.encode_result = _encode_result
    worker.main(sys.argv[1:], run=behave)
