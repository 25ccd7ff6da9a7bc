"""Bytes saved on every folder of the corpora."""

from __future__ import annotations

import argparse
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import images, report
from tinyjpg import Outcome, Pool, optimize_many

_USUAL = 80
# Malformed on purpose: nothing to save, and some are meant to take long.
_LEFT_OUT = frozenset({"hostile"})

_NOTE = "Bytes are those of the files that did not fail; seconds are wall clock."


@dataclass(slots=True)
class Total:
    """What became of the images of one set."""

    name: str
    files: int = 0
    input: int = 0
    output: int = 0
    seconds: float = 0.0
    failures: Counter[str] = field(default_factory=Counter)

    def add(self, outcome: Outcome[Path]) -> None:
        """Count one image; a failed one adds no bytes."""
        self.files += 1
        if outcome.result is None:
            self.failures[type(outcome.error).__name__] += 1
        else:
            self.input += outcome.result.input_size
            self.output += outcome.result.output_size

    def row(self) -> list[str]:
        """Its line of the table."""
        saved = 1 - self.output / self.input if self.input else 0.0
        failed = ", ".join(f"{count} {name}" for name, count in self.failures.most_common())
        return [
            self.name,
            str(self.files),
            f"{self.input:,}",
            f"{self.output:,}",
            f"{saved:.1%}",
            f"{self.seconds:.1f}",
            failed or "none",
        ]


def main(arguments: list[str]) -> int:
    """Run the benchmark; see `--help` for the arguments."""
    parser = argparse.ArgumentParser(prog="./run bench bytes", description=__doc__)
    parser.add_argument("-q", "--quality", type=int, default=_USUAL, help="1 to 100 (default: 80)")
    parser.add_argument("-j", "--workers", type=int, help="images at a time (default: cores)")
    parser.add_argument("folders", nargs="*", help="only these folders")
    options = parser.parse_intermixed_args(arguments)
    known = {one.name: one for one in images.all_folders(but=_LEFT_OUT)}
    unknown = [name for name in options.folders if name not in known]
    if unknown:
        parser.error(f"no folder is called {', '.join(unknown)}; there are {', '.join(known)}")
    sets = [known[name] for name in options.folders or known]
    totals = []
    with Pool(options.workers) as pool:
        for one in sets:
            totals.append(_measure(one, options.quality, pool))
            print(" ".join(totals[-1].row()), flush=True)
        workers = pool.workers
    overall = Total("all")
    for total in totals:
        overall.files += total.files
        overall.input += total.input
        overall.output += total.output
        overall.seconds += total.seconds
        overall.failures.update(total.failures)
    columns = ["folder", "files", "input", "output", "saved", "seconds", "failures"]
    report.publish(
        "bytes" if options.quality == _USUAL else f"bytes-q{options.quality}",
        f"./run bench bytes -q {options.quality}",
        [
            f"Every file through a Pool of {workers} workers at quality {options.quality}. {_NOTE}",
            report.table(columns, [total.row() for total in [*totals, overall]]),
            report.environment(),
        ],
        save=not options.folders,
    )
    return 0


def _measure(images_of: images.ImageSet, quality: int, pool: Pool) -> Total:
    total = Total(images_of.name)
    started = time.perf_counter()
    for outcome in optimize_many(images_of.paths, quality, pool=pool):
        total.add(outcome)
    total.seconds = time.perf_counter() - started
    return total
