"""The reports of a run: one shape, and the one for programs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TextIO

from tinyjpg.cli.plan import Plan
from tinyjpg.cli.record import Record, Summary


class Reporter(Protocol):
    """Told what happens: begin, add for each file as it is done, end; close whatever happens."""

    def begin(self, plan: Plan) -> None: ...

    def add(self, record: Record) -> None: ...

    def end(self, summary: Summary) -> None: ...

    def close(self) -> None: ...


class OutputClosedError(Exception):
    """Whoever read standard output or standard error has gone; nobody is left to tell."""


class OutputError(Exception):
    """Standard output cannot be written."""


class JsonLines:
    """One JSON object a line on standard output, a file each, then the summary.

    Pure ASCII: what a name holds that is not UTF-8 is a lone surrogate, \\udc80 to \\udcff, as in
    `os.fsdecode`.
    """

    def begin(self, plan: Plan) -> None:
        """Nothing: the first line is about the first file."""

    def add(self, record: Record) -> None:
        print_json(record.as_dict())

    def end(self, summary: Summary) -> None:
        print_json(summary.as_dict())

    def close(self) -> None:
        """Nothing: each line was written at once."""


class Reporters:
    """Several reporters as one."""

    def __init__(self, reporters: Sequence[Reporter]) -> None:
        self._reporters = reporters

    def begin(self, plan: Plan) -> None:
        for reporter in self._reporters:
            reporter.begin(plan)

    def add(self, record: Record) -> None:
        for reporter in self._reporters:
            reporter.add(record)

    def end(self, summary: Summary) -> None:
        for reporter in self._reporters:
            reporter.end(summary)

    def close(self) -> None:
        for reporter in self._reporters:
            reporter.close()


def complain(message: str) -> None:
    """Write one line to standard error."""
    if sys.stderr is not None:
        sys.stderr.write(f"tinyjpg: {message}\n")


def print_json(value: Mapping[str, Any]) -> None:
    """Write `value` as one line to standard output, at once.

    Raises:
        OutputClosedError, OutputError: see there.
    """
    write_output((json.dumps(value, ensure_ascii=True, allow_nan=False) + "\n").encode("ascii"))


def write_output(data: bytes) -> None:
    """Write `data` to standard output, at once.

    Raises:
        OutputClosedError, OutputError: see there.
    """
    if sys.stdout is None:
        raise OutputError("standard output is closed")
    try:
        # Under PYTHONUNBUFFERED this is the raw file, which may take less than it is given.
        rest = memoryview(data)
        while rest:
            rest = rest[sys.stdout.buffer.write(rest) :]
        sys.stdout.buffer.flush()
    except BrokenPipeError as error:
        mute(sys.stdout)
        raise OutputClosedError from error
    except OSError as error:
        mute(sys.stdout)
        raise OutputError(f"cannot write to standard output: {error.strerror or error}") from error


def mute(stream: TextIO) -> None:
    """Point `stream` nowhere, or Python itself would fail to flush it when it exits."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
