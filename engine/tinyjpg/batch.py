"""Many images at once: results stream back as they finish."""

from __future__ import annotations

import os
import queue
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar, overload

from tinyjpg.errors import InvalidOptionError, TinyJPGError
from tinyjpg.optimize import BytesLike
from tinyjpg.options import Options, check_quality
from tinyjpg.pool import Pool, check_workers
from tinyjpg.result import Result

K = TypeVar("K")
P = TypeVar("P", bound=os.PathLike[str])

# One image in work, and one waiting so that the worker need not.
_IMAGES_PER_WORKER: Final = 2


@dataclass(frozen=True, slots=True)
class Outcome(Generic[K]):
    """What became of one image: a result or an error.

    Attributes:
        key: what the caller called the image.
        result: the optimised image, or None.
        error: why there is none: what `optimize` raised, or why the file could not be read.
    """

    key: K
    result: Result | None = None
    error: TinyJPGError | OSError | None = None

    def unwrap(self) -> Result:
        """The result.

        Raises:
            TinyJPGError, OSError: the error, where there is no result.
        """
        if self.error is not None:
            raise self.error
        if self.result is None:
            raise InvalidOptionError("this outcome has neither result nor error; give it one")
        return self.result


@overload
def optimize_many(
    images: Iterable[P],
    quality: int = ...,
    *,
    options: Options | None = ...,
    pool: Pool | None = ...,
    workers: int | None = ...,
) -> Iterator[Outcome[P]]: ...
@overload
def optimize_many(
    images: Iterable[tuple[K, BytesLike | os.PathLike[str]]],
    quality: int = ...,
    *,
    options: Options | None = ...,
    pool: Pool | None = ...,
    workers: int | None = ...,
) -> Iterator[Outcome[K]]: ...
def optimize_many(
    images: Iterable[object],
    quality: int = 80,
    *,
    options: Options | None = None,
    pool: Pool | None = None,
    workers: int | None = None,
) -> Iterator[Outcome[Any]]:
    """Optimise `images` in worker processes and yield an Outcome for each as it finishes.

    The order is that of finishing. `images` is read as room becomes free and a file when its turn
    comes, so any number of images fits: two for each worker are held at most. Closing the iterator
    early stops what is in work. An exception raised by `images` itself passes through.

    Args:
        images: paths, each its own key; or pairs of a key of your choice and an image: a path or
            the bytes of a file.
        quality, options: as for `optimize`, for every image.
        pool: where to work, left open afterwards; by default a Pool made for this call.
        workers: how many images at a time the default pool works on; None for one per core.

    Raises:
        InvalidOptionError: an argument is wrong. Errors of one image are in its Outcome.
        WorkerError: `pool` was closed.
    """
    check_quality(quality)
    if pool is not None and workers is not None:
        raise InvalidOptionError("both pool and workers are given; a Pool has its own workers")
    return _outcomes(images, quality, options, pool, check_workers(workers))


def _outcomes(
    images: Iterable[object],
    quality: int,
    options: Options | None,
    pool: Pool | None,
    workers: int,
) -> Iterator[Outcome[Any]]:
    finished: queue.SimpleQueue[Future[Result]] = queue.SimpleQueue()
    keys: dict[Future[Result], object] = {}
    with ExitStack() as stack:
        if pool is None:
            pool = stack.enter_context(Pool(workers))
        stack.callback(_cancel_all, keys)
        for item in images:
            key, image = _key_and_image(item)
            future = pool.submit(image, quality, options=options)
            keys[future] = key
            future.add_done_callback(finished.put)
            while len(keys) >= _IMAGES_PER_WORKER * pool.workers or not finished.empty():
                yield _next_outcome(finished, keys)
        while keys:
            yield _next_outcome(finished, keys)


def _key_and_image(item: object) -> tuple[object, BytesLike | os.PathLike[str]]:
    match item:
        case os.PathLike():
            return item, item
        case (key, bytes() | bytearray() | memoryview() | os.PathLike() as image):
            return key, image
    raise InvalidOptionError(
        f"images holds {type(item).__name__}; give paths (pathlib.Path), or pairs of a key and "
        "the bytes or path of an image"
    )


def _next_outcome(
    finished: queue.SimpleQueue[Future[Result]], keys: dict[Future[Result], object]
) -> Outcome[Any]:
    future = finished.get()
    key = keys.pop(future)
    error = future.exception()
    if error is None:
        return Outcome(key, result=future.result())
    if isinstance(error, (TinyJPGError, OSError)):
        return Outcome(key, error=error)
    raise error


def _cancel_all(futures: Iterable[Future[Result]]) -> None:
    for future in tuple(futures):
        future.cancel()
