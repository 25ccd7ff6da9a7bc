"""The report for people: a progress bar, a table and a summary on standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Final

from rich.cells import cell_len
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from tinyjpg.cli.plan import Plan
from tinyjpg.cli.record import Record, Status, Summary
from tinyjpg.cli.report import OutputClosedError, mute
from tinyjpg.cli.text import count, human_seconds, human_share, human_size, printable

# More rows than this are not read, they only push the rest out of sight.
MOST_ROWS: Final = 50

# With this many columns there is room for the format.
_ROOMY: Final = 100
_NARROWEST_NAME: Final = 16
_ELASTIC: Final = frozenset({"File", "Method"})
_GAP: Final = 2
# Logs and pipes have no width: nothing is cut there.
_BOUNDLESS: Final = 10_000


class Terminal:
    """Reports to people.

    Args:
        quiet: only failures.
        details: show table and summary; without, the bar and failures only.
        bar: whether progress may be shown; it is on a terminal only.
        every: list files even where there are more than MOST_ROWS, and the skipped ones.
        hint: what to say in the end about where the results are.
    """

    def __init__(
        self,
        *,
        quiet: bool = False,
        details: bool = True,
        bar: bool = True,
        every: bool = False,
        hint: str | None = None,
    ) -> None:
        self._console = _console()
        self._details = details and not quiet
        self._bar = bar and not quiet and self._console.is_terminal
        self._every = every
        self._hint = hint
        self._plan = Plan()
        self._so_far = Summary()
        self._rows: list[Record] = []
        self._progress: tuple[Progress, TaskID, dict[str, int]] | None = None

    def begin(self, plan: Plan) -> None:
        """Show the bar."""
        self._plan = plan
        if not (self._bar and plan.tasks):
            return
        progress = Progress(
            SpinnerColumn(),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[state]}"),
            TimeRemainingColumn(compact=True),
            console=self._console,
            transient=True,
            expand=True,
        )
        sizes = {str(task.source): task.size for task in plan.tasks}
        bar = progress.add_task("", total=sum(sizes.values()), state=self._state())
        self._progress = progress, bar, sizes
        progress.start()

    def add(self, record: Record) -> None:
        """Move the bar; tell of a failure at once."""
        self._so_far.add(record)
        if record.error is not None:
            line = f"tinyjpg: {printable(record.path)}: {record.error.message}"
            self._console.print(Text(line, style="red"), soft_wrap=True)
        elif self._details and (self._every or len(self._plan.tasks) <= MOST_ROWS):
            self._rows.append(record)
        if self._progress is not None:
            progress, bar, sizes = self._progress
            progress.update(bar, advance=sizes.get(record.path, 0), state=self._state())

    def end(self, summary: Summary) -> None:
        """Replace the bar by the table and the summary."""
        self.close()
        if not self._details:
            return
        order = {str(task.source): index for index, task in enumerate(self._plan.tasks)}
        rows = sorted(self._rows, key=lambda record: order.get(record.path, -1))
        if not self._every:
            rows = [record for record in rows if record.status is not Status.SKIPPED]
        if rows:
            self._console.print(_table(rows, self._console.width))
        for line in self._summary_lines(summary):
            self._console.print(Text(line), soft_wrap=True)

    def close(self) -> None:
        """Take the bar away and give the cursor back."""
        if self._progress is not None:
            self._progress[0].stop()

    def _state(self) -> str:
        done = f"{self._so_far.settled}/{len(self._plan.tasks) + len(self._plan.settled)}"
        if not self._so_far.images:
            return done
        return f"{done}, saved {human_share(self._so_far.saved)}"

    def _summary_lines(self, summary: Summary) -> Iterator[str]:
        planned = len(self._plan.tasks)
        if summary.interrupted:
            yield f"Interrupted after {summary.images} of {count(planned, 'image')}."
        if summary.images:
            yield (
                f"{count(summary.images, 'image')}: {human_size(summary.input_size)} -> "
                f"{human_size(summary.output_size)}, saved {human_share(summary.saved)} "
                f"in {human_seconds(summary.elapsed)}"
            )
        parts = [
            f"{number} {status}"
            for status, number in summary.counts.items()
            if number and (status is not Status.OPTIMISED or number != summary.images)
        ]
        if parts:
            yield ", ".join(parts)
        if not planned and not self._plan.settled:
            yield "No images were found."
        if self._plan.unentered:
            folders = count(self._plan.unentered, "folder inside was", "folders inside were")
            yield f"{folders} not entered; add -r to do so."
        if self._hint and summary.images:
            yield self._hint


def _table(rows: list[Record], width: int) -> Table:
    """A row for each of `rows`; names and methods are cut to fit `width`, numbers never."""
    columns = {
        "File": [printable(row.path) for row in rows],
        "Format": ["" if row.format is None else row.format.upper() for row in rows],
        "Before": [_size(row.input_size) for row in rows],
        "After": [_size(row.output_size) for row in rows],
        "Saved": ["" if row.saved is None else human_share(row.saved) for row in rows],
        "Score": ["" if row.score is None else f"{row.score:.1f}" for row in rows],
        "Method": [
            f"{row.status}: {row.reason}" if row.reason else row.method or "" for row in rows
        ],
    }
    if width < _ROOMY:
        del columns["Format"]
    if not any(columns["Score"]):
        del columns["Score"]
    widths = {
        title: max(cell_len(cell) for cell in (title, *cells)) for title, cells in columns.items()
    }
    rest = width - _GAP * (len(widths) - 1)
    rest -= sum(columns for title, columns in widths.items() if title not in _ELASTIC)
    widths["Method"] = min(widths["Method"], max(rest // 3, rest - widths["File"]))
    widths["File"] = max(min(widths["File"], rest - widths["Method"]), _NARROWEST_NAME)
    columns["File"] = [_cut_left(name, widths["File"]) for name in columns["File"]]

    table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="bold")
    for title, cells in widths.items():
        left = title in {"File", "Format", "Method"}
        table.add_column(title, width=cells, justify="left" if left else "right", no_wrap=True)
    for record, *texts in zip(rows, *columns.values(), strict=True):
        style = "green" if record.status is Status.OPTIMISED else "dim"
        table.add_row(*map(Text, texts), style=style)
    return table


def _size(size: int | None) -> str:
    return "" if size is None else human_size(size)


def _cut_left(name: str, width: int) -> str:
    """The end of `name`, which tells files apart better than its beginning."""
    if cell_len(name) <= width:
        return name
    while cell_len(name) > width - 1:
        name = name[1:]
    return f"\N{HORIZONTAL ELLIPSIS}{name}"


class _Console(Console):
    """A console that tells when nobody reads it any more."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        mute(sys.stderr)
        raise OutputClosedError


def _console() -> Console:
    console = _Console(stderr=True, highlight=False, emoji=False, markup=False)
    if not console.is_terminal:
        console.width = _BOUNDLESS
    return console
