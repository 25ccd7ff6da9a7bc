"""The command line: what its flags mean together, and how it ends."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Final

import typer

from tinyjpg.cli import flags
from tinyjpg.cli.compare import show_comparisons
from tinyjpg.cli.info import show_info
from tinyjpg.cli.plan import make_plan
from tinyjpg.cli.report import (
    JsonLines,
    OutputClosedError,
    OutputError,
    Reporter,
    Reporters,
    complain,
    write_output,
)
from tinyjpg.cli.settings import Beside, Destination, InPlace, Into, Overwrite, Settings, UsageError
from tinyjpg.cli.stream import STANDARD, optimize_stream
from tinyjpg.cli.work import work
from tinyjpg.errors import InvalidOptionError
from tinyjpg.limits import Limits
from tinyjpg.options import DEFAULT_EFFORT, Keep, Options
from tinyjpg.pool import DEFAULT_TIMEOUT

# Asked to stop at this share of --timeout, the engine is done before it is stopped the hard way.
_DEADLINE_SHARE: Final = 0.8

_EXIT_FAILED: Final = 1
_EXIT_USAGE: Final = 2
# As a shell reports a program that SIGPIPE ended.
_EXIT_OUTPUT_CLOSED: Final = 128 + 13

app = typer.Typer(
    name="tinyjpg",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Run the command line of this process, and end it."""
    sys.exit(run())


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code.

    Args:
        arguments: without the program's name; by default those of this process.
    """
    try:
        code = app(arguments, prog_name="tinyjpg", standalone_mode=False)
    except typer.TyperException as error:
        # Without a message it has printed the help instead.
        if message := error.format_message():
            complain(f"{message}\nSee tinyjpg --help, or tinyjpg COMMAND --help.")
        return error.exit_code
    except (UsageError, InvalidOptionError) as error:
        complain(str(error))
        return _EXIT_USAGE
    except OutputError as error:
        complain(str(error))
        return _EXIT_FAILED
    except OutputClosedError:
        return _EXIT_OUTPUT_CLOSED
    return int(code or 0)


def _print_version(wanted: bool) -> None:
    if wanted:
        write_output(f"tinyjpg {version('tinyjpg')}\n".encode())
        raise typer.Exit


@app.callback()
def _tinyjpg(
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """The smallest file that looks the same, for JPEG, PNG, WebP and GIF."""


@app.command("info")
def _info(files: flags.Files, *, as_json: flags.InfoJson = False) -> int:
    """Print what the headers of images say, a line each."""
    _check_names(files)
    return show_info(files, as_json=as_json)


@app.command("compare")
def _compare(
    reference: flags.Original,
    others: flags.Others,
    *,
    as_json: flags.CompareJson = False,
    max_input_bytes: flags.MaxInputBytes = flags.DEFAULT_LIMITS.max_input_bytes,
    max_pixels: flags.MaxPixels = flags.DEFAULT_LIMITS.max_pixels,
    max_frames: flags.MaxFrames = flags.DEFAULT_LIMITS.max_frames,
) -> int:
    """Print how much images look like an original, as SSIMULACRA2 scores, a line each.

    Any mix of JPEG, PNG, WebP and GIF is compared as it is shown. Of animations the worst frame
    counts.
    """
    _check_names([reference, *others])
    limits = Limits(max_input_bytes=max_input_bytes, max_pixels=max_pixels, max_frames=max_frames)
    return show_comparisons(reference, others, limits, as_json=as_json)


@app.command("optimize")
def _optimize(
    paths: flags.Paths,
    *,
    quality: flags.Quality = None,
    lossless: flags.Lossless = False,
    recursive: flags.Recursive = False,
    dry_run: flags.DryRun = False,
    jobs: flags.Jobs = None,
    output: flags.Output = None,
    in_place: flags.InPlaceFlag = False,
    suffix: flags.Suffix = None,
    overwrite: flags.OverwriteFlag = None,
    min_savings: flags.MinSavings = 0.0,
    effort: flags.Effort = DEFAULT_EFFORT,
    keep: flags.KeepFlag = None,
    keep_dates: flags.KeepDates = False,
    as_json: flags.AsJson = False,
    quiet: flags.Quiet = False,
    verbose: flags.Verbose = False,
    timeout: flags.Timeout = None,
    memory: flags.Memory = flags.DEFAULT_MEMORY_MEBIBYTES,
    max_input_bytes: flags.MaxInputBytes = flags.DEFAULT_LIMITS.max_input_bytes,
    max_pixels: flags.MaxPixels = flags.DEFAULT_LIMITS.max_pixels,
    max_frames: flags.MaxFrames = flags.DEFAULT_LIMITS.max_frames,
) -> int:
    """Make images smaller.

    Without -o, --in-place or --suffix each result lies beside its original: photo.jpg stays,
    photo.min.jpg is new. Images in folders are told by their content, not by their names.
    """
    _check_names(paths)
    if not math.isfinite(min_savings):
        raise UsageError("--min-savings is no number; give a percentage from 0 to 100")
    if in_place and overwrite is Overwrite.NEVER:
        raise UsageError("--in-place replaces files, --overwrite never forbids it; drop one")
    settings = Settings(
        quality=_quality(quality, lossless=lossless),
        options=Options(
            keep=_keep(keep or []),
            limits=Limits(
                max_input_bytes=max_input_bytes,
                max_pixels=max_pixels,
                max_frames=max_frames,
                deadline=None if timeout is None else timeout * _DEADLINE_SHARE,
            ),
            effort=effort,
        ),
        destination=_destination(output, suffix, in_place=in_place),
        recursive=recursive,
        jobs=jobs,
        timeout=DEFAULT_TIMEOUT if timeout is None else timeout,
        memory=memory * flags.MEBIBYTE,
        dry_run=dry_run,
        min_savings=min_savings,
        keep_dates=keep_dates,
        overwrite=overwrite or Overwrite.ALWAYS,
    )
    chosen = in_place or output is not None or suffix is not None
    streaming = STANDARD in paths
    if streaming:
        _check_stream(paths, settings, chosen=chosen, as_json=as_json)
        reporter = _reporter(as_json=as_json, quiet=quiet, verbose=verbose, hint=None)
        return optimize_stream(settings, reporter)
    plan = make_plan(paths, settings)
    hint = _hint(settings, chosen=chosen)
    return work(plan, settings, _reporter(as_json=as_json, quiet=quiet, verbose=verbose, hint=hint))


def _check_names(names: Sequence[str]) -> None:
    # pathlib takes an empty name, as of a shell variable that is not set, for this folder.
    if "" in names:
        raise UsageError("one of the names is empty; for this folder write .")


def _quality(quality: int | None, *, lossless: bool) -> int:
    if not lossless:
        return flags.DEFAULT_QUALITY if quality is None else quality
    if quality not in (None, flags.LOSSLESS_QUALITY):
        raise UsageError(f"--lossless and -q {quality} contradict each other; drop one")
    return flags.LOSSLESS_QUALITY


def _keep(values: Sequence[str]) -> frozenset[Keep]:
    names = {name.strip() for value in values for name in value.split(",")}
    unknown = sorted(names.difference(Keep))
    if unknown:
        raise UsageError(f"--keep {','.join(unknown)} is unknown; choose from {', '.join(Keep)}")
    return frozenset(map(Keep, names))


def _destination(output: Path | None, suffix: str | None, *, in_place: bool) -> Destination:
    if in_place + (output is not None) + (suffix is not None) > 1:
        raise UsageError("-o, --in-place and --suffix exclude each other; give one")
    if in_place:
        return InPlace()
    if output is not None:
        return Into(output)
    return Beside() if suffix is None else Beside(suffix)


def _check_stream(paths: Sequence[str], settings: Settings, *, chosen: bool, as_json: bool) -> None:
    if len(paths) > 1:
        raise UsageError("- reads standard input and stands alone; name files in another run")
    if chosen:
        raise UsageError("- writes standard output; drop -o, --in-place or --suffix")
    if as_json and not settings.dry_run:
        raise UsageError(
            "standard output carries the image of -, so --json has no place; drop one, or use "
            "--dry-run"
        )


def _hint(settings: Settings, *, chosen: bool) -> str | None:
    if settings.dry_run:
        return "Nothing was written, for this is a dry run."
    if chosen or not isinstance(settings.destination, Beside):
        return None
    return (
        f"The results are beside the originals, named {settings.destination.name('NAME')}.EXT; "
        "--in-place would replace the originals."
    )


def _reporter(*, as_json: bool, quiet: bool, verbose: bool, hint: str | None) -> Reporter:
    # Rich takes longer to import than --version and --help take altogether.
    from tinyjpg.cli.terminal import Terminal  # noqa: PLC0415

    if not as_json:
        return Terminal(quiet=quiet, every=verbose, hint=hint)
    # A bar would be drawn between the lines where both go to one terminal.
    shared = sys.stdout is not None and sys.stdout.isatty()
    return Reporters([JsonLines(), Terminal(quiet=quiet, details=False, bar=not shared)])
