"""`tinyjpg compare`: how much images look like an original."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tinyjpg.cli.interrupts import Interrupted, Interrupts
from tinyjpg.cli.record import Failure
from tinyjpg.cli.report import complain, print_json, write_output
from tinyjpg.cli.settings import UsageError
from tinyjpg.cli.stream import STANDARD, read_bounded, read_input
from tinyjpg.cli.text import human_size, printable
from tinyjpg.compare import Reference, compare
from tinyjpg.errors import TinyJPGError
from tinyjpg.limits import Limits
from tinyjpg.optimize import probe
from tinyjpg.similarity import Similarity
from tinyjpg.source import TOLERANCE, Header

# What people see from these scores on, less the tolerance of the engine's promise; see
# docs/quality.md.
_IDENTICAL: Final = 100.0
_MEANINGS: Final = (
    (_IDENTICAL, "shown identically"),
    (90.0, "visually lossless"),
    (80.0, "not noticeable side by side"),
    (70.0, "noticeable but not annoying"),
    (50.0, "fair"),
    (30.0, "poor"),
    (-math.inf, "very poor"),
)

_FAILURES: Final = (TinyJPGError, OSError, MemoryError)


@dataclass(frozen=True, slots=True)
class _File:
    path: str
    data: bytes
    header: Header


def show_comparisons(
    reference: str, others: Sequence[str], limits: Limits, *, as_json: bool
) -> int:
    """Print a line for each of `others` to standard output, of failures to standard error.

    Returns:
        The exit code: 0, 1 where a file failed, 128 + its number where a signal came.

    Raises:
        UsageError: standard input is to be several of the files, or is a terminal.
        OutputClosedError, OutputError: see there.
    """
    if [reference, *others].count(STANDARD) > 1:
        raise UsageError("- reads standard input, so it can be one of the images only")
    try:
        with Interrupts():
            return _show_all(reference, others, limits, as_json=as_json)
    except Interrupted as interruption:
        return interruption.exit_code


def _show_all(reference: str, others: Sequence[str], limits: Limits, *, as_json: bool) -> int:
    try:
        original = _read(reference, limits)
        # To prepare it takes time and memory that a single comparison does not need.
        prepared = Reference(original.data, limits=limits) if len(others) > 1 else None
    except _FAILURES as error:
        failure = _complaint(printable(reference), error)
        if as_json:
            for path in others:
                _print_failure(reference, path, failure)
        return 1
    code = 0
    for path in others:
        name = printable(path)
        try:
            other = _read(path, limits)
            name = f"{printable(reference)} and {name}"
            if prepared is not None:
                found = prepared.compare(other.data)
            else:
                found = compare(original.data, other.data, limits=limits)
        except _FAILURES as error:
            code = 1
            failure = _complaint(name, error)
            if as_json:
                _print_failure(reference, path, failure)
            continue
        if as_json:
            print_json(_as_dict(original, other, found))
        else:
            line = f"{printable(path)}: {', '.join(_phrases(original, other, found))}\n"
            write_output(line.encode("utf-8"))
    return code


def _read(path: str, limits: Limits) -> _File:
    if path == STANDARD:
        data = read_input(limits)
    else:
        with Path(path).open("rb") as stream:
            data = read_bounded(stream, limits)
    return _File(path, data, probe(data, limits))


def _complaint(name: str, error: Exception) -> Failure:
    failure = Failure.of(error)
    complain(f"{name}: {failure.message}")
    return failure


def meaning(score: float) -> str:
    """What people see at `score`, in a few words."""
    return next(
        words
        for least, words in _MEANINGS
        if score >= (least if least == _IDENTICAL else least - TOLERANCE)
    )


def _phrases(original: _File, other: _File, found: Similarity) -> Iterator[str]:
    yield f"{_at_least(found.score)} ({meaning(found.score)})"
    frames = len(found.frames)
    if frames > 1:
        yield f"worst frame {found.worst_frame + 1:,} of {frames:,}"
        yield f"mean {_at_least(found.mean)}"
    yield f"{human_size(len(original.data))} -> {human_size(len(other.data))}"


def _at_least(score: float) -> str:
    """`score` to a decimal, rounded down: 79.96 does not mean what 80 does."""
    return f"{math.floor(score * 10) / 10:.1f}"


def _as_dict(original: _File, other: _File, found: Similarity) -> dict[str, Any]:
    width, height = original.header.upright_size
    return {
        "reference": original.path,
        "path": other.path,
        "score": round(found.score, 3),
        "meaning": meaning(found.score),
        "mean": round(found.mean, 3),
        "worst_frame": found.worst_frame,
        "frames": [round(score, 3) for score in found.frames],
        "width": width,
        "height": height,
        "reference_format": original.header.format,
        "format": other.header.format,
        "reference_size": len(original.data),
        "size": len(other.data),
        "error": None,
    }


def _print_failure(reference: str, path: str, failure: Failure) -> None:
    reason = {"type": failure.type, "message": failure.message}
    print_json({"reference": reference, "path": path, "score": None, "error": reason})
