"""The workers behind a Pool: who is free, who is busy, and the threads that wait for them.

Apart from `Pool` so that nothing here, threads least of all, keeps a forgotten Pool alive.
"""

from __future__ import annotations

import os
import queue
import threading
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Final

from tinyjpg.child import Child
from tinyjpg.errors import TinyJPGError, WorkerError
from tinyjpg.result import Result
from tinyjpg.wire import Job

# Bounds what a codec that leaks can hoard; a start costs about as much as one small image.
IMAGES_PER_CHILD = 200

_CLOSE_SECONDS: Final = 10.0
_CLOSED: Final = "the pool was closed; make a new one, and close it after the last image"
_CANCELLED: Final = "the image was cancelled"


class Task(Future[Result]):
    """A call that a thread of the crew makes.

    Unlike other futures it can be cancelled while it runs: `cancel` then kills the worker, still
    returns False, and the task ends with a WorkerError at once.

    Args:
        load: makes the job, as late as possible.
    """

    def __init__(self, load: Callable[[], Job]) -> None:
        super().__init__()
        self._load = load
        self._guard = threading.Lock()
        self._child: Child | None = None
        self._unwanted = False

    def cancel(self) -> bool:
        if super().cancel():
            return True
        with self._guard:
            self._unwanted = True
            if self._child is not None:
                self._child.kill(_CANCELLED)
        return False

    def load(self) -> Job:
        """Make the job; possible once, so that a finished task does not hold on to its image."""
        load, self._load = self._load, _nothing
        return load()

    def attach(self, child: Child | None) -> None:
        """Say which child works on this task, None for no longer any.

        Raises:
            WorkerError: the task was cancelled.
        """
        with self._guard:
            self._child = child
            if child is not None and self._unwanted:
                raise WorkerError(_CANCELLED)


class Crew:
    """At most `workers` children, started when they are needed and replaced when they die.

    Args:
        workers: most children at a time.
        memory: bytes each may allocate, or None.
        timeout: seconds each image may take, or None.
        command: how to start one.
    """

    def __init__(
        self, workers: int, memory: int | None, timeout: float | None, command: Sequence[str]
    ) -> None:
        self.workers = workers
        self.closed = False
        self._memory = memory
        self._timeout = timeout
        self._command = command
        self._reset()
        _CREWS.add(self)

    def _reset(self) -> None:
        self._changed = threading.Condition()
        # One entry per worker that is free; None is one that would have to be started.
        self._free: deque[Child | None] = deque([None] * self.workers)
        self._busy: set[Child] = set()
        self._tasks: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._threads = 0
        self._waiting_threads = 0

    def check_open(self) -> None:
        """Refuse to work once closed.

        Raises:
            WorkerError: it is closed.
        """
        if self.closed:
            raise WorkerError(_CLOSED)

    def run(self, job: Job, task: Task | None = None) -> Result:
        """Do `job` on the next free child.

        Raises:
            TinyJPGError: what `optimize` raised.
            WorkerError: the child died, or the crew was closed.
        """
        child = self._take()
        reusable = False
        try:
            if task is not None:
                task.attach(child)
            result = child.run(job, self._timeout)
            reusable = True
        except WorkerError:
            raise
        except TinyJPGError:
            reusable = True
            raise
        finally:
            if task is not None:
                task.attach(None)
            self._give_back(child, reusable=reusable and child.images < IMAGES_PER_CHILD)
        return result

    def submit(self, task: Task) -> None:
        """Have a thread do `task`.

        Raises:
            WorkerError: the crew is closed.
        """
        with self._changed:
            self.check_open()
            self._tasks.put(task)
            if self._waiting_threads:
                self._waiting_threads -= 1
            elif self._threads < self.workers:
                self._threads += 1
                # Daemons: interpreter exit must not wait for an image nobody wants any more.
                threading.Thread(target=self._work, name="tinyjpg-pool", daemon=True).start()

    def close(self, *, wait: bool) -> None:
        """End all children; calls in flight raise WorkerError. Does nothing the second time.

        Args:
            wait: until the calls in flight have noticed and nothing is left.
        """
        with self._changed:
            already, self.closed = self.closed, True
            idle = [child for child in self._free if child is not None]
            self._free = deque([None] * len(self._free))
            for child in self._busy:
                child.kill(_CLOSED)
            if not already:
                for _ in range(self._threads):
                    self._tasks.put(None)
            self._changed.notify_all()
        for child in idle:
            child.close()
        if wait:
            with self._changed:
                self._changed.wait_for(lambda: len(self._free) == self.workers, _CLOSE_SECONDS)

    def forget(self) -> None:
        """Start afresh in a forked process: children and threads stayed with the original."""
        for child in (*self._busy, *self._free):
            if child is not None:
                child.disown()
        self._reset()

    def _take(self) -> Child:
        with self._changed:
            self._changed.wait_for(lambda: self._free or self.closed)
            self.check_open()
            child = self._free.pop()
            if child is not None:
                self._busy.add(child)
        if child is not None:
            if child.quiet:
                return child
            # It died, or was killed, since its last image.
            self._retire(child)
        return self._start()

    def _start(self) -> Child:
        child = None
        try:
            child = Child(self._command, self._memory)
            with self._changed:
                self._busy.add(child)
                self.check_open()
            child.greet()
        except BaseException:
            self._give_back(child, reusable=False)
            raise
        return child

    def _retire(self, child: Child) -> None:
        child.close()
        with self._changed:
            self._busy.discard(child)

    def _give_back(self, child: Child | None, *, reusable: bool) -> None:
        with self._changed:
            if child is not None and reusable and not self.closed:
                self._busy.discard(child)
                self._free.append(child)
                self._changed.notify()
                return
        if child is not None:
            self._retire(child)
        with self._changed:
            self._free.appendleft(None)
            # Whoever closes waits here as well as those who want a child.
            self._changed.notify_all()

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            self._settle(task)
            del task
            with self._changed:
                self._waiting_threads += 1

    def _settle(self, task: Task) -> None:
        if not task.set_running_or_notify_cancel():
            return
        try:
            self.check_open()
            result = self.run(task.load(), task)
        except (TinyJPGError, OSError) as error:
            # The frames of a traceback would keep the image alive as long as the error.
            task.set_exception(error.with_traceback(None))
        except BaseException as error:  # noqa: BLE001 - goes to whoever waits for the task
            task.set_exception(error)
        else:
            task.set_result(result)


def _nothing() -> Job:
    raise RuntimeError("a task runs once")


_CREWS: Final[weakref.WeakSet[Crew]] = weakref.WeakSet()


def _forget_all() -> None:
    for crew in list(_CREWS):
        crew.forget()


os.register_at_fork(after_in_child=_forget_all)
