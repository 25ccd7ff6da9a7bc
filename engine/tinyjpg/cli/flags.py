"""The flags of the command line: names, ranges and help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from tinyjpg.cli.settings import DEFAULT_SUFFIX, Overwrite
from tinyjpg.limits import Limits
from tinyjpg.options import EFFORTS
from tinyjpg.pool import DEFAULT_MEMORY, DEFAULT_TIMEOUT, LEAST_MEMORY

DEFAULT_QUALITY: Final = 80
LOSSLESS_QUALITY: Final = 100
MEBIBYTE: Final = 1024 * 1024
DEFAULT_LIMITS: Final = Limits()
DEFAULT_MEMORY_MEBIBYTES: Final = DEFAULT_MEMORY // MEBIBYTE

_OUTPUT: Final = "Where results go"
_METADATA: Final = "Metadata"
_REPORT: Final = "Report"
_COST: Final = "What one image may cost"

Paths = Annotated[
    list[str],
    typer.Argument(
        metavar="PATHS",
        help="Images, and folders of images. A lone - reads standard input and writes standard "
        "output.",
        show_default=False,
    ),
]
Files = Annotated[
    list[str],
    typer.Argument(metavar="FILES", help="Images; - reads standard input.", show_default=False),
]
Original = Annotated[
    str,
    typer.Argument(
        metavar="ORIGINAL", help="An image; - reads standard input.", show_default=False
    ),
]
Others = Annotated[
    list[str],
    typer.Argument(
        metavar="IMAGES", help="What to compare with it, each by itself.", show_default=False
    ),
]
Quality = Annotated[
    int | None,
    typer.Option(
        "-q",
        "--quality",
        min=1,
        max=LOSSLESS_QUALITY,
        metavar="N",
        help="How much a result has to look like its original, as a SSIMULACRA2 score: 80 is not "
        "noticeable side by side, 90 visually lossless, 100 pixel-identical. "
        f"(default: {DEFAULT_QUALITY})",
        show_default=False,
    ),
]
Lossless = Annotated[bool, typer.Option("--lossless", help="Change no pixel; the same as -q 100.")]
Effort = Annotated[
    int,
    typer.Option(
        "--effort",
        min=EFFORTS[0],
        max=EFFORTS[-1],
        metavar="1-9",
        help="Time for bytes, of JPEGs only: 1 is quickest, 9 smallest.",
    ),
]
Recursive = Annotated[
    bool, typer.Option("-r", "--recursive", help="Enter the folders inside folders.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Optimise and report, but write nothing.")]
Jobs = Annotated[
    int | None,
    typer.Option(
        "-j",
        "--jobs",
        min=1,
        metavar="N",
        help="Images worked on at a time. (default: one per core)",
        show_default=False,
    ),
]

Output = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        metavar="DIR",
        help="Write results into the folder DIR; folders keep their tree.",
        rich_help_panel=_OUTPUT,
        show_default=False,
    ),
]
InPlaceFlag = Annotated[
    bool, typer.Option("--in-place", help="Replace the originals.", rich_help_panel=_OUTPUT)
]
Suffix = Annotated[
    str | None,
    typer.Option(
        "--suffix",
        metavar="S",
        help="Write each result beside its original, with S before the extension. "
        f"(default: {DEFAULT_SUFFIX}, as in photo{DEFAULT_SUFFIX}.jpg)",
        rich_help_panel=_OUTPUT,
        show_default=False,
    ),
]
OverwriteFlag = Annotated[
    Overwrite | None,
    typer.Option(
        "--overwrite",
        help="When to replace a file that is already where a result goes. (default: always)",
        rich_help_panel=_OUTPUT,
        show_default=False,
    ),
]
MinSavings = Annotated[
    float,
    typer.Option(
        "--min-savings",
        min=0,
        max=100,
        metavar="PCT",
        help="Keep the original where less than PCT percent would be saved.",
        rich_help_panel=_OUTPUT,
    ),
]

KeepFlag = Annotated[
    list[str] | None,
    typer.Option(
        "--keep",
        metavar="WHAT",
        help="Metadata to keep: copyright, creation, location or all; several with commas, or by "
        "repeating the flag. (default: only what the picture needs to look right)",
        rich_help_panel=_METADATA,
        show_default=False,
    ),
]
KeepDates = Annotated[
    bool,
    typer.Option(
        "--keep-dates",
        help="Give results the modification times of their originals.",
        rich_help_panel=_METADATA,
    ),
]

AsJson = Annotated[
    bool,
    typer.Option(
        "--json",
        help="Print one JSON object a line on standard output: one for each file, then a summary.",
        rich_help_panel=_REPORT,
    ),
]
Quiet = Annotated[
    bool,
    typer.Option(
        "--quiet",
        help="Print nothing on standard error but failures.",
        rich_help_panel=_REPORT,
    ),
]
Verbose = Annotated[
    bool,
    typer.Option(
        "-v",
        "--verbose",
        help="List every file, even where there are many, and those that are skipped.",
        rich_help_panel=_REPORT,
    ),
]

Timeout = Annotated[
    float | None,
    typer.Option(
        "--timeout",
        min=0.1,
        metavar="SECONDS",
        help="Time for one image: shortly before it is over the best result so far is taken; "
        f"where there is none, the image fails. (default: {DEFAULT_TIMEOUT:g}, then it fails)",
        rich_help_panel=_COST,
        show_default=False,
    ),
]
Memory = Annotated[
    int,
    typer.Option(
        "--memory",
        min=LEAST_MEMORY // MEBIBYTE,
        metavar="MB",
        help="Memory for one image, in MiB.",
        rich_help_panel=_COST,
    ),
]
MaxInputBytes = Annotated[
    int,
    typer.Option(
        "--max-input-bytes",
        min=1,
        metavar="N",
        help="Refuse larger files.",
        rich_help_panel=_COST,
    ),
]
MaxPixels = Annotated[
    int,
    typer.Option(
        "--max-pixels",
        min=1,
        metavar="N",
        help="Refuse images of more pixels, those of all frames together.",
        rich_help_panel=_COST,
    ),
]
MaxFrames = Annotated[
    int,
    typer.Option(
        "--max-frames",
        min=1,
        metavar="N",
        help="Refuse longer animations.",
        rich_help_panel=_COST,
    ),
]

InfoJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON object a line for each file.")
]
CompareJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON object a line for each comparison.")
]
