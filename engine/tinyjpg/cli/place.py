"""Where the result of one file ends up, or why the original stays."""

from __future__ import annotations

import dataclasses
import os
import stat
from pathlib import Path

from tinyjpg.cli.plan import EXISTS, Task
from tinyjpg.cli.record import Failure, Record, Status
from tinyjpg.cli.settings import InPlace, Overwrite, Settings
from tinyjpg.cli.text import human_share, printable
from tinyjpg.files import write_atomically
from tinyjpg.result import Result


class FileChangedError(OSError):
    """The original is no longer the file that was optimised."""


def judge(path: str, result: Result, min_savings: float) -> Record:
    """What is to become of an image: optimised, already optimal, or kept for `min_savings`."""
    record = Record(
        path=path,
        status=Status.OPTIMISED,
        format=result.format,
        width=result.width,
        height=result.height,
        frames=result.frames,
        input_size=result.input_size,
        output_size=result.output_size,
        method=result.method,
        score=result.score,
        probes=result.probes,
        elapsed=result.elapsed,
    )
    if result.output_size >= result.input_size:
        return dataclasses.replace(record, status=Status.ALREADY_OPTIMAL)
    if result.saved * 100 >= min_savings:
        return record
    return dataclasses.replace(
        record,
        status=Status.KEPT,
        output_size=result.input_size,
        method=None,
        score=None,
        reason=f"would save {human_share(result.saved)}, less than {min_savings:g} %",
    )


def place(task: Task, before: os.stat_result, result: Result, settings: Settings) -> Record:
    """Write `result` where `settings` say, and tell what became of the file.

    A failure to write is a record too, and leaves every file as it was.

    Args:
        before: the state of the original just before it was read.
    """
    record = judge(str(task.source), result, settings.min_savings)
    try:
        if isinstance(settings.destination, InPlace):
            return _replace(record, task, before, result, settings)
        return _put(record, task, before, result, settings)
    except OSError as error:
        return dataclasses.replace(
            record,
            status=Status.FAILED,
            output=None,
            output_size=None,
            method=None,
            score=None,
            reason=None,
            error=Failure.of(error, f"write {printable(task.output)}"),
        )


def _replace(
    record: Record, task: Task, before: os.stat_result, result: Result, settings: Settings
) -> Record:
    record = dataclasses.replace(record, output=str(task.output))
    if record.status is not Status.OPTIMISED or settings.dry_run:
        return record
    _check_unchanged(task.source, before, result)
    write_atomically(task.source, result.data, times_ns=_times(task, before, settings))
    return record


def _check_unchanged(path: Path, before: os.stat_result, result: Result) -> None:
    now = path.stat()
    same = (
        now.st_ino == before.st_ino
        and now.st_mtime_ns == before.st_mtime_ns
        and now.st_size == before.st_size == result.input_size
    )
    if not same:
        raise FileChangedError("it was changed by another program meanwhile; run again")


def _put(
    record: Record, task: Task, before: os.stat_result, result: Result, settings: Settings
) -> Record:
    record = dataclasses.replace(record, output=str(task.output))
    refusal = _refusal(task.output, record, settings.overwrite)
    if refusal is not None:
        return dataclasses.replace(
            record, status=Status.SKIPPED, output_size=None, method=None, score=None, reason=refusal
        )
    if settings.dry_run:
        return record
    data = task.source.read_bytes() if record.status is Status.KEPT else result.data
    task.output.parent.mkdir(parents=True, exist_ok=True)
    # As private as the original, but writable: the next run has to be able to replace it.
    mode = stat.S_IMODE(before.st_mode) & 0o777 | stat.S_IWUSR
    write_atomically(task.output, data, mode=mode, times_ns=_times(task, before, settings))
    return record


def _refusal(output: Path, record: Record, overwrite: Overwrite) -> str | None:
    """Why `output` may not be written, or None where it may."""
    if overwrite is Overwrite.ALWAYS or not os.path.lexists(output):
        return None
    if overwrite is Overwrite.NEVER:
        return EXISTS
    if record.output_size is None or output.stat().st_size > record.output_size:
        return None
    return "the output exists and is not larger"


def _times(task: Task, before: os.stat_result, settings: Settings) -> tuple[int, int] | None:
    return (task.atime_ns, before.st_mtime_ns) if settings.keep_dates else None
