"""What runs in a Pool's child process: `python -m tinyjpg.worker LIFELINE MEMORY`.

Jobs arrive on, and replies leave through, the socket that is standard input. Whatever goes wrong
in an unforeseen way ends the process: the parent reports it for the image and starts a new one.
"""

from __future__ import annotations

import fcntl
import os
import resource
import select
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol

from tinyjpg import wire
from tinyjpg.errors import TinyJPGError
from tinyjpg.optimize import optimize
from tinyjpg.options import Options
from tinyjpg.result import Result


class Optimize(Protocol):
    """The shape of `tinyjpg.optimize`."""

    def __call__(self, data: bytes, quality: int, *, options: Options) -> Result: ...


def main(arguments: Sequence[str], run: Optimize = optimize) -> None:
    """Serve jobs until the parent hangs up.

    Args:
        arguments: the descriptor of the lifeline, and a memory cap in bytes (0 = none).
        run: what to do with each image.
    """
    lifeline, memory = (int(argument) for argument in arguments)
    _die_with_parent(lifeline)
    _be_frugal(memory)
    sys.excepthook = _die_of
    channel = _take_over_standard_input()
    stream = channel.makefile("rb")
    channel.sendall(wire.encode(wire.READY))
    # A call per job, so that nothing of one image is held while waiting for the next.
    while _answer_next(stream, channel, run):
        pass


def _answer_next(stream: BinaryIO, channel: socket.socket, run: Optimize) -> bool:
    message = wire.read_message(stream)
    if message is None:
        return False
    job = wire.decode_job(message)
    try:
        result = run(job.data, job.quality, options=job.options)
    except TinyJPGError as error:
        if wire.tells_of_memory(str(error)):
            raise MemoryError(str(error)) from error
        channel.sendall(wire.encode_error(error))
        return True
    unchanged = result.data is job.data
    channel.sendall(wire.encode_result(result, unchanged=unchanged))
    if not unchanged:
        channel.sendall(result.data)
    return True


def _die_with_parent(lifeline: int) -> None:
    """Have the kernel kill this process group as soon as nobody holds the other end.

    Unlike PR_SET_PDEATHSIG this does not fire when merely the thread that started us ends, it
    takes gifsicle along, and like it it needs no cooperation from a codec that hangs. Elsewhere
    than on Linux the end of standard input has to do, which is noticed between two images.
    """
    os.set_inheritable(lifeline, False)
    if sys.platform == "linux":
        fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpgrp())
        fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
        flags = fcntl.fcntl(lifeline, fcntl.F_GETFL)
        fcntl.fcntl(lifeline, fcntl.F_SETFL, flags | os.O_ASYNC)
        # The parent may have gone before anything was armed.
        poller = select.poll()
        poller.register(lifeline, 0)
        if poller.poll(0):
            sys.exit("the parent process is gone")


def _be_frugal(memory: int) -> None:
    """Cap what this process may allocate, and make it the first to go when the machine is full."""
    # A dump would hold somebody's picture, and take seconds to write.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if memory:
        # Not RLIMIT_AS, where libraries and address space that malloc merely reserves count.
        _, allowed = resource.getrlimit(resource.RLIMIT_DATA)
        cap = memory if allowed == resource.RLIM_INFINITY else min(memory, allowed)
        resource.setrlimit(resource.RLIMIT_DATA, (cap, cap))
    if sys.platform == "linux":
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def _die_of(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Exit at once: during an orderly exit the parent could see the socket close, and kill us."""
    sys.__excepthook__(kind, error, trace)
    sys.stderr.flush()
    os._exit(1)


def _take_over_standard_input() -> socket.socket:
    """The socket to the parent, moved to where no library and no grandchild meets it."""
    channel = socket.socket(fileno=os.dup(0))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return channel


if __name__ == "__main__":
    main(sys.argv[1:])
