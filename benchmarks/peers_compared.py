"""TinyJPG against its peers: bytes, scores, time and memory, and bytes at equal score."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks import images, peers_tables, report, sweep_cache
from benchmarks.peer_runs import SCORES, Available, Runner, SetRun
from benchmarks.peers.encoders.table import ENCODERS, OURS
from benchmarks.sources import (
    CONVERSIONS_NOTE,
    DEFAULT_BUDGET,
    DEFAULT_LIMIT,
    DEFAULT_MEGAPIXELS,
    Choice,
    SourceSet,
    by_format,
    default_sets,
)
from benchmarks.sweep_cache import SweepCache
from tinyjpg.formats import Format

_NOTES = """\
- **score**: SSIMULACRA2 of the result against its source, both decoded by Pillow (not by the
  engine), colours brought to sRGB, transparency over grey 0.1 and 0.9 with the lower counting; of
  an animation the worst frame (*mean frame*: all that were scored). The metric is TinyJPG's own
  implementation, which the tests hold within 0.35 of what the reference program printed.
- **std, min**: of the score over the images. Whoever asks for a quality wants both close to it.
- **CPU s/MP**: user and system time of the encoder's process and its children per megapixel, in
  this run. **peak MiB**: the most resident memory of that process or a child, over all images.
- **at equal score**: every encoder's setting is swept around the scores 70, 80 and 90, image by
  image; between two results next to a score the logarithm of the bytes is interpolated. A lossless
  result counts for every score that no cheaper lossy one reaches. Below 1, TinyJPG is smaller.
- TinyJPG leaves an image that is at the quality already without a second loss, and counts there
  with its lossless result. The last column leaves these out."""


def main(arguments: list[str]) -> int:
    """Run the benchmark; see `--help` for the arguments."""
    parser = _parser()
    options = parser.parse_args(arguments)
    choice = Choice(
        None if options.all else options.limit or DEFAULT_LIMIT,
        frozenset(Format(one) for one in options.format or Format),
        options.megapixels,
        {} if options.all or options.limit else DEFAULT_BUDGET,
    )
    whole = not (options.limit or options.format or options.folder or options.peer)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tinyjpg-peers-") as folder:
        scratch = Path(folder)
        sets = list(_sets(options.folder or [], choice, scratch / "sources"))
        if not sets:
            parser.error("no image of these formats was found; name another --folder or --format")
        available = Available()
        available.find(_wanted(options.peer or list(ENCODERS), sets))
        cache = SweepCache(sweep_cache.FILE, fresh=options.fresh)
        try:
            runner = Runner(available, cache, scratch, options.quality, _progress)
            runs = [runner.run(one) for one in sets]
        except KeyboardInterrupt:
            print("\nstopped; what was swept is kept for the next run", file=sys.stderr)
            return 130
        finally:
            cache.close()
            _progress("")
    minutes = (time.monotonic() - started) / 60
    parts = list(_parts(runs, available, options.quality, minutes))
    save = whole or options.save
    # A part does not take the place of the whole.
    name = "-".join(["peers", *sorted(set(options.format or []))])
    if save:
        parts[1:1] = _pictures(runs, options.quality, name)
    places = {str(one): one.name for one in options.folder or []}
    command = " ".join(["./run bench peers", *(places.get(one, one) for one in arguments)])
    report.publish(name, command, parts, save=save)
    return 0


def _pictures(runs: Sequence[SetRun], quality: int, name: str) -> list[str]:
    try:
        from benchmarks import peers_plots  # noqa: PLC0415 - needs matplotlib, nothing else does
    except ModuleNotFoundError as error:
        return [f"Without pictures: {error.name} is missing; pip install matplotlib"]
    peers_plots.scores(runs, quality, report.picture(f"{name}-scores.svg"))
    peers_plots.rates(runs, report.picture(f"{name}-rates.svg"))
    return [
        f"![Scores of every encoder at its usual setting]({name}-scores.svg)",
        f"![Bytes a pixel against score]({name}-rates.svg)",
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./run bench peers", description=__doc__)
    add = parser.add_argument
    add(
        "--folder",
        type=Path,
        action="append",
        help="images instead of the corpora; may be given again",
    )
    add("--format", action="append", choices=list(Format), help="only sources of this format")
    add("--peer", action="append", choices=list(ENCODERS), help="only these, and TinyJPG")
    many = parser.add_mutually_exclusive_group()
    many.add_argument(
        "--limit",
        type=_positive,
        help=f"images of each folder, evenly chosen by size (default: up to {DEFAULT_LIMIT})",
    )
    many.add_argument("--all", action="store_true", help="every image")
    add(
        "--megapixels",
        type=float,
        default=DEFAULT_MEGAPIXELS,
        help="leave larger images out (default: %(default)s, all frames)",
    )
    add(
        "-q",
        "--quality",
        type=int,
        default=80,
        choices=range(1, 101),
        metavar="N",
        help="setting of the first table (default: 80)",
    )
    add("--fresh", action="store_true", help="measure all anew, forget earlier sweeps")
    add(
        "--save",
        action="store_true",
        help="save the report of a part run, under a name with its formats",
    )
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is no number of images; give 1 or more")
    return number


def _sets(folders: Sequence[Path], choice: Choice, scratch: Path) -> Iterator[SourceSet]:
    if not folders:
        yield from default_sets(choice, scratch)
    for one in folders:
        yield from by_format(images.folder(one), choice)


def _wanted(names: Sequence[str], sets: Sequence[SourceSet]) -> list[str]:
    formats = {one.format for one in sets}
    return [
        name
        for name, facts in ENCODERS.items()
        if name == OURS or (name in names and formats & facts.scales.keys())
    ]


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text[:100]}", end="", file=sys.stderr, flush=True)
    elif text:
        print(text, file=sys.stderr, flush=True)


def _parts(
    runs: Sequence[SetRun], available: Available, quality: int, minutes: float
) -> Iterator[str]:
    yield _NOTES
    yield peers_tables.encoders(available.facts, available.versions)
    yield from available.missing
    yield f"## How closely TinyJPG keeps to quality {quality}"
    yield peers_tables.consistency(runs)
    for run in runs:
        megapixels = sum(one.megapixels for one in run.images.sources)
        count = f"{len(run.images.sources)} of {run.images.available} files"
        yield f"## {run.images.name}"
        yield f"{count}, {megapixels:.1f} megapixels, at setting {quality}:"
        yield peers_tables.usual(run)
        equal = peers_tables.at_equal_scores(run, SCORES)
        if equal is not None:
            yield "At equal score:"
            yield equal
        yield from filter(None, map(peers_tables.failures, run.peers.values()))
    yield CONVERSIONS_NOTE
    yield report.environment(f"took {minutes:.0f} minutes")
