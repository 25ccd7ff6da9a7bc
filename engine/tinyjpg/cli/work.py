"""Run a plan: many images through the pool, each placed as soon as it is done."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tinyjpg.batch import Outcome, optimize_many
from tinyjpg.cli.interrupts import Interrupted, Interrupts
from tinyjpg.cli.place import place
from tinyjpg.cli.plan import Plan, Task
from tinyjpg.cli.record import Failure, Record, Status, Summary
from tinyjpg.cli.report import Reporter
from tinyjpg.cli.settings import Settings
from tinyjpg.pool import Pool


def work(plan: Plan, settings: Settings, reporter: Reporter) -> int:
    """Optimise what `plan` holds and return the exit code.

    That is 0, 1 where a file failed, and 128 + its number where a signal ended the run.
    """
    started = time.monotonic()
    summary = Summary()
    summary.counts[Status.SKIPPED] += plan.left_out
    code = None

    def settle(record: Record) -> None:
        summary.add(record)
        reporter.add(record)

    with contextlib.closing(reporter), Interrupts() as interrupts:
        try:
            reporter.begin(plan)
            for record in plan.settled:
                settle(record)
            if plan.tasks:
                _optimize(plan.tasks, settings, interrupts, settle)
        except Interrupted as interruption:
            interrupts.end()
            summary.interrupted = True
            code = interruption.exit_code
        summary.elapsed = time.monotonic() - started
        reporter.end(summary)
    return summary.exit_code if code is None else code


def _optimize(
    tasks: Sequence[Task],
    settings: Settings,
    interrupts: Interrupts,
    settle: Callable[[Record], None],
) -> None:
    before: dict[int, os.stat_result | None] = {}

    def feed() -> Iterator[tuple[int, Path]]:
        for index, task in enumerate(tasks):
            before[index] = _stat_or_none(task.source)
            yield index, task.source

    with Pool(settings.jobs, settings.memory, settings.timeout) as pool:
        try:
            for outcome in optimize_many(
                feed(), settings.quality, options=settings.options, pool=pool
            ):
                with interrupts.held():
                    index = outcome.key
                    settle(_record(tasks[index], before.pop(index), outcome, settings))
        except Interrupted:
            # From here the pool is closed, which must not be interrupted in turn.
            interrupts.end()
            raise


def _stat_or_none(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        # Reading it is about to fail in the same way, and that is reported.
        return None


def _record(
    task: Task, before: os.stat_result | None, outcome: Outcome[int], settings: Settings
) -> Record:
    error = outcome.error
    if error is None and before is not None:
        return place(task, before, outcome.unwrap(), settings)
    if error is None:
        error = FileNotFoundError("it came into being only just now; run again")
    return Record(
        path=str(task.source),
        status=Status.FAILED,
        input_size=task.size,
        error=Failure.of(error),
    )
