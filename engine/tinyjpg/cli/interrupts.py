"""Ctrl-C and its relatives, turned into an orderly end."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import Any, Final, Self

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(KeyboardInterrupt):
    """The user, or the system, asked the process to stop."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(f"stopped by {signal.Signals(signal_number).name}")
        self.exit_code = 128 + signal_number


class Interrupts:
    """While entered, SIGINT, SIGTERM and SIGHUP raise Interrupted where that does no harm.

    Only usable in the main thread, where Python runs its signal handlers.
    """

    def __init__(self) -> None:
        self._previous: dict[signal.Signals, Any] = {}
        self._held = False
        self._over = False
        self._pending: int | None = None

    def __enter__(self) -> Self:
        for number in _SIGNALS:
            previous = signal.getsignal(number)
            # nohup, and a shell that starts a job in the background, ask for it to be ignored;
            # None is a handler that Python did not install and could not put back.
            if previous not in {signal.SIG_IGN, None}:
                self._previous[number] = previous
                signal.signal(number, self._handle)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, previous in self._previous.items():
            signal.signal(number, previous)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if self._over:
            return
        if self._held:
            self._pending = number
            return
        raise Interrupted(number)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Keep a signal back until the block is done, so that it is done whole or not begun.

        Raises:
            Interrupted: after the block, where a signal came meanwhile.
        """
        self._held = True
        try:
            yield
        finally:
            self._held = False
        if self._pending is not None:
            raise Interrupted(self._pending)

    def end(self) -> None:
        """From here on ignore further signals: what is left is to clean up."""
        self._over = True
