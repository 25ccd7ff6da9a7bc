"""`optimize` in disposable child processes: a hostile image can cost a child, never the caller."""

from __future__ import annotations

import io
import math
import os
import warnings
import weakref
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tinyjpg.child import COMMAND
from tinyjpg.crew import Crew, Task
from tinyjpg.errors import InvalidOptionError
from tinyjpg.formats import sniff
from tinyjpg.limits import Limits
from tinyjpg.optimize import BytesLike, as_bytes
from tinyjpg.options import Options, check_quality
from tinyjpg.result import Result
from tinyjpg.wire import Job

_MEBIBYTE: Final = 1024 * 1024
_PIECE: Final = _MEBIBYTE

DEFAULT_MEMORY: Final = 4096 * _MEBIBYTE
DEFAULT_TIMEOUT: Final = 600.0

# Python, libvips and NumPy alone take about a third of this.
LEAST_MEMORY: Final = 256 * _MEBIBYTE


class Pool:
    """Worker processes that run `optimize`, each disposable.

    A codec that crashes, hangs or eats memory ends one worker and fails one image with a
    WorkerError; the next image gets a fresh worker. Workers start when they are first needed (so a
    Pool costs nothing until then), stay for many images, see nothing of the environment but what
    Python needs, and die with this process. All methods may be called from any thread.

    Use it in a `with` statement, or `close` it.

    Args:
        workers: how many images are worked on at a time; None for one per usable core.
        memory: bytes that one worker may allocate, 256 MiB or more; None for no bound. (Linux
            only.)
        timeout: seconds after which an image is given up and its worker killed; None for no
            bound. `Limits.deadline` is the gentle form: it returns the best result so far.

    Raises:
        InvalidOptionError: an argument is out of range.
    """

    def __init__(
        self,
        workers: int | None = None,
        memory: int | None = DEFAULT_MEMORY,
        timeout: float | None = DEFAULT_TIMEOUT,
        *,
        _command: tuple[str, ...] = COMMAND,
    ) -> None:
        self._crew = Crew(
            check_workers(workers), _check_memory(memory), _check_timeout(timeout), _command
        )
        self._cleanup = weakref.finalize(self, self._crew.close, wait=False)

    @property
    def workers(self) -> int:
        """How many images are worked on at a time."""
        return self._crew.workers

    def optimize(
        self, data: BytesLike, quality: int = 80, *, options: Options | None = None
    ) -> Result:
        """`tinyjpg.optimize` in a worker: same arguments, result and errors.

        Waits for a free worker when all are busy.

        Raises:
            TinyJPGError: as `tinyjpg.optimize`.
            WorkerError: the worker crashed, took longer than the timeout or more than its
                memory; or the pool is, or was meanwhile, closed.
        """
        self._crew.check_open()
        return self._crew.run(_job(data, check_quality(quality), options or Options()))

    def submit(
        self,
        image: BytesLike | os.PathLike[str],
        quality: int = 80,
        *,
        options: Options | None = None,
    ) -> Future[Result]:
        """Have `image` optimised and return at once.

        A path is read when its turn comes; an OSError of that is the future's exception.
        Cancelling the future while the image is in work kills its worker: `cancel` still returns
        False, but the future ends at once, with a WorkerError.

        Raises:
            InvalidOptionError: `quality` is wrong.
            WorkerError: the pool is closed. All other errors are the future's.
        """
        quality, options = check_quality(quality), options or Options()
        task = Task(lambda: _job(_read(image, options.limits), quality, options))
        self._crew.submit(task)
        return task

    def close(self) -> None:
        """End all workers. Calls in flight raise WorkerError; closing again does nothing."""
        self._crew.close(wait=True)
        self._cleanup.detach()

    def __enter__(self) -> Self:
        self._crew.check_open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __del__(self) -> None:
        # No crew: the arguments were refused.
        if hasattr(self, "_crew") and not self._crew.closed:
            warnings.warn(f"unclosed {self!r}", ResourceWarning, source=self, stacklevel=2)

    def __repr__(self) -> str:
        state = " closed" if self._crew.closed else ""
        return f"<tinyjpg.Pool of {self.workers} workers{state}>"


def _job(data: BytesLike, quality: int, options: Options) -> Job:
    """What a worker is sent; refuses at once what needs no decoding to be refused."""
    original = as_bytes(data)
    options.limits.check_size(len(original))
    sniff(original)
    return Job(original, quality, options)


def _read(image: BytesLike | os.PathLike[str], limits: Limits) -> BytesLike:
    """The bytes of `image`, of a path no more than `limits` allow."""
    if not isinstance(image, os.PathLike):
        return image
    content = io.BytesIO()
    with Path(image).open("rb") as stream:
        limits.check_size(os.fstat(stream.fileno()).st_size)
        # Devices and pipes have no size beforehand.
        while piece := stream.read(_PIECE):
            content.write(piece)
            limits.check_size(content.tell())
    return content.getvalue()


def usable_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def check_workers(workers: int | None) -> int:
    """How many workers a Pool given `workers` has.

    Raises:
        InvalidOptionError: it is not a number of workers.
    """
    if workers is None:
        return usable_cores()
    if isinstance(workers, bool) or not isinstance(workers, int) or workers < 1:
        raise InvalidOptionError(
            f"workers is {workers!r}; give a whole number above 0, or None for one per core"
        )
    return workers


def _check_memory(memory: int | None) -> int | None:
    if memory is None:
        return None
    if isinstance(memory, bool) or not isinstance(memory, int) or memory < LEAST_MEMORY:
        raise InvalidOptionError(
            f"memory is {memory!r}; give at least {LEAST_MEMORY} bytes (256 MiB), or None for no "
            "bound"
        )
    return memory


def _check_timeout(timeout: float | None) -> float | None:
    if timeout is None:
        return None
    if (
        isinstance(timeout, bool)
        or not isinstance(timeout, (int, float))
        or not (math.isfinite(timeout) and timeout > 0)
    ):
        raise InvalidOptionError(
            f"timeout is {timeout!r}; give seconds above 0, or None for no bound"
        )
    return timeout
