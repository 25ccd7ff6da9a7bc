"""`tinyjpg optimize -`: one image from standard input to standard output."""

from __future__ import annotations

import contextlib
import dataclasses
import sys
import time
from typing import BinaryIO, Final

from tinyjpg.batch import optimize_many
from tinyjpg.cli.interrupts import Interrupted, Interrupts
from tinyjpg.cli.place import judge
from tinyjpg.cli.plan import Plan
from tinyjpg.cli.record import Failure, Record, Status, Summary
from tinyjpg.cli.report import Reporter, write_output
from tinyjpg.cli.settings import Settings, UsageError
from tinyjpg.errors import LimitExceededError
from tinyjpg.limits import Limits
from tinyjpg.pool import Pool

STANDARD: Final = "-"


def optimize_stream(settings: Settings, reporter: Reporter) -> int:
    """Read an image from standard input, write the result to standard output.

    Nothing is written where it fails, and in a dry run.

    Returns:
        The exit code: 0, 1 where it failed, 128 + its number where a signal came.

    Raises:
        UsageError: one of the two is a terminal.
        OutputClosedError, OutputError: the result cannot be written.
    """
    if not settings.dry_run and sys.stdout is not None and sys.stdout.isatty():
        raise UsageError("standard output is a terminal; redirect it: tinyjpg optimize - >FILE")
    started = time.monotonic()
    summary = Summary()
    try:
        with contextlib.closing(reporter), Interrupts():
            reporter.begin(Plan())
            record, data = _optimize(settings)
            if data and not settings.dry_run:
                write_output(data)
            summary.add(record)
            summary.elapsed = time.monotonic() - started
            reporter.add(record)
            reporter.end(summary)
    except Interrupted as interruption:
        return interruption.exit_code
    return summary.exit_code


def _optimize(settings: Settings) -> tuple[Record, bytes]:
    """What became of the image, and what to write."""
    try:
        original = read_input(settings.options.limits)
    except (LimitExceededError, OSError) as error:
        return _failed(error), b""
    with Pool(1, settings.memory, settings.timeout) as pool:
        outcomes = optimize_many(
            [(STANDARD, original)], settings.quality, options=settings.options, pool=pool
        )
        outcome = next(outcomes)
    if outcome.error is not None:
        return _failed(outcome.error, len(original)), b""
    result = outcome.unwrap()
    record = judge(STANDARD, result, settings.min_savings)
    record = dataclasses.replace(record, output=STANDARD)
    return record, original if record.status is Status.KEPT else result.data


def _failed(error: Exception, size: int | None = None) -> Record:
    return Record(
        path=STANDARD,
        status=Status.FAILED,
        input_size=size,
        error=Failure.of(error),
    )


def read_input(limits: Limits) -> bytes:
    """All of standard input.

    Raises:
        UsageError: it is a terminal.
        LimitExceededError: it is longer than `limits` allow.
        OSError: it cannot be read.
    """
    if sys.stdin is None:
        raise UsageError("standard input is closed; redirect it: tinyjpg ... - <FILE")
    if sys.stdin.isatty():
        raise UsageError("standard input is a terminal; redirect it: tinyjpg ... - <FILE")
    return read_bounded(sys.stdin.buffer, limits)


def read_bounded(stream: BinaryIO, limits: Limits) -> bytes:
    """The rest of `stream`, which may have no end.

    Raises:
        LimitExceededError: it is longer than `limits` allow.
        OSError: it cannot be read.
    """
    data = stream.read(limits.max_input_bytes + 1)
    limits.check_size(len(data))
    return data
