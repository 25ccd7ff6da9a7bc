"""The parent's side of one worker process: start it, talk to it, kill it.

The process leads a session and process group of its own: Ctrl-C in the terminal does not reach
it, and killing the group takes along whatever it started.
"""

from __future__ import annotations

import contextlib
import math
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Sequence
from typing import IO, Final, cast

from tinyjpg import wire
from tinyjpg.environment import environment
from tinyjpg.errors import WorkerError
from tinyjpg.limits import Deadline
from tinyjpg.result import Result

COMMAND: Final = (sys.executable, "-P", "-m", "tinyjpg.worker")

_STARTUP_SECONDS: Final = 60.0
_REAP_SECONDS: Final = 10.0
_LONGEST_WAIT: Final = 3600.0
_PIECE: Final = 1024 * 1024
_LAST_WORDS: Final = 4096
_MEBIBYTE: Final = 1024 * 1024
_READABLE: Final = select.POLLIN | select.POLLHUP | select.POLLERR
# Writing to a dead worker must not kill an application that restored SIGPIPE's default action.
_NO_SIGPIPE: Final = getattr(socket, "MSG_NOSIGNAL", 0)


class Child:
    """One worker process.

    One thread at a time may `greet` and `run`; any thread may `kill`. Who owns the child has to
    `close` it.

    Args:
        command: the worker's command line, without lifeline and memory cap.
        memory: most bytes it may allocate, or None.

    Raises:
        WorkerError: the process cannot be started.
    """

    def __init__(self, command: Sequence[str], memory: int | None) -> None:
        self.images = 0
        self._memory = memory
        # Reentrant: garbage collection may close the pool at any point of its own threads.
        self._lock = threading.RLock()
        self._killed_because: str | None = None
        self._last_words = b""
        with contextlib.ExitStack() as stack, contextlib.ExitStack() as for_the_child:
            try:
                self._channel, theirs = socket.socketpair()
                stack.enter_context(self._channel)
                for_the_child.enter_context(theirs)
                lifeline, held = os.pipe()
                for_the_child.callback(os.close, lifeline)
                stack.callback(os.close, held)
                self._process = subprocess.Popen(
                    [*command, str(lifeline), str(memory or 0)],
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    bufsize=0,
                    env=environment(),
                    cwd="/",
                    pass_fds=(lifeline,),
                    start_new_session=True,
                )
            except OSError as error:
                raise WorkerError(
                    f"a worker process cannot be started: {error}; "
                    "free processes, memory or open files, or use fewer workers"
                ) from error
            self._stderr = stack.enter_context(cast(IO[bytes], self._process.stderr))
            self._channel.setblocking(False)
            os.set_blocking(self._stderr.fileno(), False)
            self._resources = stack.pop_all()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def quiet(self) -> bool:
        """Whether it is alive and has nothing to say, as befits a worker without a job."""
        poller = select.poll()
        poller.register(self._channel, select.POLLIN)
        # Death takes a moment to show, so look also at whether it was asked to die.
        return self._killed_because is None and not poller.poll(0)

    def greet(self) -> None:
        """Wait until it is ready for the first job.

        Raises:
            WorkerError: it never was, and is dead now.
        """
        message = self._converse(
            [],
            wire.MessageReader(max_payload=0),
            Deadline.after(_STARTUP_SECONDS),
            f"the worker process was not ready within {_STARTUP_SECONDS:g} s; is the machine "
            "overloaded?",
        )
        if message.header != wire.READY:
            raise wire.broken("it does not greet")

    def run(self, job: wire.Job, timeout: float | None) -> Result:
        """Have it do `job` within `timeout` seconds.

        Raises:
            TinyJPGError: what `optimize` raised.
            WorkerError: it died or misbehaved: `close` it.
        """
        self.images += 1
        reply = self._converse(
            [wire.encode_job(job), job.data],
            # Never larger than the input, so there is no need to believe in more.
            wire.MessageReader(max_payload=len(job.data)),
            Deadline.after(timeout),
            f"the image took longer than {timeout} s and was given up; allow more in "
            "Pool(timeout=...), or set Limits.deadline to get the best result by then",
        )
        return wire.decode_reply(reply, job)

    def kill(self, because: str) -> None:
        """End the process and all it started at once; `because` is what `run` will raise."""
        with self._lock:
            self._killed_because = self._killed_because or because
            self._kill_group()

    def close(self) -> None:
        """End the process and free what it holds. Does nothing the second time."""
        self._end()
        self._resources.close()

    def disown(self) -> None:
        """Let go of it in a forked copy of the parent: it belongs to the original."""
        self._process.returncode = 0
        self._resources.close()

    def _end(self) -> None:
        with self._lock:
            self._kill_group()
            # Only a process stuck inside the kernel takes longer, and it dies once it can.
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_REAP_SECONDS)

    def _kill_group(self) -> None:
        # Not once it has been reaped: its number may be somebody else's by then.
        if self._process.returncode is None:
            # macOS denies permission where nothing but the dead leader is left in the group.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def _converse(
        self,
        pieces: Sequence[bytes],
        reader: wire.MessageReader,
        deadline: Deadline,
        too_late: str,
    ) -> wire.Message:
        """Send `pieces` and wait for one message, never blocking on either."""
        outgoing = deque(memoryview(piece) for piece in pieces)
        poller = select.poll()
        poller.register(self._stderr, select.POLLIN)
        channel = self._channel.fileno()
        poller.register(channel, select.POLLIN | (select.POLLOUT if outgoing else 0))
        while True:
            remaining = deadline.remaining(at_most=_LONGEST_WAIT) or 0.0
            events = dict(poller.poll(math.ceil(remaining * 1000)))
            if deadline.passed:
                self.kill(too_late)
                raise self._death()
            happened = events.pop(channel, 0)
            if events and not self._listen():
                poller.unregister(self._stderr)
            if happened & select.POLLOUT and not self._send(outgoing):
                poller.modify(channel, select.POLLIN)
            if happened & _READABLE:
                message = reader.feed(self._receive())
                if message is not None:
                    if outgoing:
                        raise wire.broken("it replied before it had the image")
                    return message

    def _send(self, outgoing: deque[memoryview]) -> bool:
        """Send what the socket takes; whether anything is left."""
        try:
            sent = self._channel.send(outgoing[0], _NO_SIGPIPE)
        except BlockingIOError:
            return True
        except (BrokenPipeError, ConnectionResetError):
            raise self._death() from None
        if sent < len(outgoing[0]):
            outgoing[0] = outgoing[0][sent:]
        else:
            outgoing.popleft()
        return bool(outgoing)

    def _receive(self) -> bytes:
        try:
            piece = self._channel.recv(_PIECE)
        except ConnectionResetError:
            piece = b""
        if not piece:
            raise self._death()
        return piece

    def _listen(self) -> bool:
        """Read what it wrote to standard error; whether there may be more to come."""
        piece: bytes | None = self._stderr.read(_LAST_WORDS)
        if piece:
            self._last_words = (self._last_words + piece)[-_LAST_WORDS:]
        return piece != b""

    def _death(self) -> WorkerError:
        """Make sure that it is dead, and say what it died of."""
        self._end()
        self._listen()
        words = wire.printable(self._last_words.decode(errors="replace")).strip()
        error = WorkerError(self._killed_because or self._cause(words))
        if words:
            error.add_note(f"Last words of the worker process:\n{words}")
        return error

    def _cause(self, words: str) -> str:
        status = self._process.returncode
        when = "on this image" if self.images else "while starting"
        if wire.tells_of_memory(words):
            cap = "" if self._memory is None else f" of {self._memory / _MEBIBYTE:,.0f} MiB"
            return (
                f"the worker process ran out of its memory{cap} {when}; "
                "allow more in Pool(memory=...)"
            )
        if status == -signal.SIGKILL:
            return (
                f"the worker process was killed from outside {when}, as the system does when "
                "memory is short; free some, or use fewer workers"
            )
        if status is not None and status < 0:
            name = signal.strsignal(-status) or "unknown"
            return (
                f"the worker process crashed {when}: {name} (signal {-status}); "
                "do not try it again, and please report it"
            )
        last_line = words.rpartition("\n")[2] or f"exit status {status}"
        return f"the worker process failed {when}: {last_line}; please report it"
