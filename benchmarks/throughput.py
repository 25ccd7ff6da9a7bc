"""Megapixels of JPEG a second: tinyjpg, which searches and verifies, against sharp, same run."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks import images, report
from benchmarks.mozjpeg_defaults import MOZJPEG_DEFAULTS
from benchmarks.peers.session import PeerMissingError, Round, Session
from benchmarks.peers.table import PEERS
from tinyjpg import probe
from tinyjpg.formats import Format

_PEERS = ("tinyjpg_pool", "tinyjpg_threads", "sharp")
_WORKERS = (1, 2)
_MEGA = 1_000_000
_NOTE = (
    "That is what mozjpeg needs for this quality on the median photograph. Files in memory, one "
    "thread per image, start-up left out; medians of alternating rounds."
)
_OTHERS = "it finds the others at the quality already and packs them losslessly or returns them:"


@dataclass(slots=True)
class Measured:
    """All rounds of one peer with one number of workers."""

    session: Session
    rounds: list[Round] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        return median(one.seconds for one in self.rounds)


Results = dict[tuple[str, int], Measured]


def main(arguments: list[str]) -> int:
    """Run the benchmark; see `--help` for the arguments."""
    parser = argparse.ArgumentParser(prog="./run bench throughput", description=__doc__)
    parser.add_argument("--folder", type=Path, help="JPEG files instead of the corpora's photos")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each peer (default: 3)")
    parser.add_argument("-q", "--quality", type=int, default=80, help="of tinyjpg (default: 80)")
    options = parser.parse_args(arguments)
    chosen = images.folder(options.folder) if options.folder else images.jpeg_photographs()
    # Largest first, so that no large one is left to a single worker at the end.
    jpegs = sorted(filter(_is_jpeg, chosen.paths), key=_megapixels, reverse=True)
    encoder_quality = round(MOZJPEG_DEFAULTS.at(options.quality))

    with ExitStack() as stack:
        results, missing = _sessions(stack, jpegs, options.quality, encoder_quality)
        # Alternating, so that a slower minute of the machine falls on all alike.
        for _ in range(options.rounds):
            for measured in results.values():
                measured.rounds.append(measured.session.round())
    megapixels = [_megapixels(path) for path in jpegs]
    report.publish(
        "throughput",
        f"./run bench throughput --rounds {options.rounds} -q {options.quality}",
        [
            f"{len(jpegs)} JPEG files ({chosen.name}), {sum(megapixels):.1f} megapixels.",
            f"tinyjpg at quality {options.quality}, sharp at mozjpeg quality {encoder_quality}. "
            + _NOTE,
            *_tables(results, megapixels),
            *missing,
            report.environment(*_versions(results)),
        ],
        save=options.folder is None,
    )
    return 0


def _is_jpeg(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(3) == b"\xff\xd8\xff"


def _megapixels(path: Path) -> float:
    header = probe(path.read_bytes())
    assert header.format is Format.JPEG
    return header.pixels / _MEGA


def _sessions(
    stack: ExitStack, jpegs: Sequence[Path], quality: int, encoder_quality: int
) -> tuple[Results, list[str]]:
    results: Results = {}
    missing = []
    for name in _PEERS:
        try:
            command = PEERS[name].command()
        except PeerMissingError as error:
            print(error, file=sys.stderr)
            missing.append(str(error))
            continue
        asked = quality if name.startswith("tinyjpg") else encoder_quality
        for workers in _WORKERS:
            session = stack.enter_context(Session(command, jpegs, asked, workers))
            results[name, workers] = Measured(session)
    return results, missing


def _versions(results: Results) -> list[str]:
    return sorted({one.session.version for (name, _), one in results.items() if name == "sharp"})


def _tables(results: Results, megapixels: Sequence[float]) -> list[str]:
    names = list(dict.fromkeys(name for name, _ in results))
    total = sum(megapixels)
    rows = []
    for name in names:
        one, two = (results[name, workers] for workers in _WORKERS)
        rows.append(
            [
                PEERS[name].label,
                f"{total / one.seconds:.1f}",
                f"{total / two.seconds:.1f}",
                f"{one.seconds / two.seconds:.2f}",
                f"{one.rounds[0].bytes:,}",
                *_ratios(results, name),
            ]
        )
    columns = ["", "MP/s, 1 worker", "MP/s, 2 workers", "2 / 1", "bytes out"]
    if "sharp" in names:
        columns += ["/ sharp, 1 worker", "/ sharp, 2 workers"]
    return [report.table(columns, rows), *_reencoded_only(results, names, megapixels)]


def _ratios(results: Results, name: str) -> list[str]:
    if ("sharp", 1) not in results:
        return []
    return [
        f"{results['sharp', workers].seconds / results[name, workers].seconds:.2f}"
        for workers in _WORKERS
    ]


def _reencoded_only(
    results: Results, names: Sequence[str], megapixels: Sequence[float]
) -> list[str]:
    """The same for the files that tinyjpg does not find to be at the quality already."""
    methods = [output.method for output in results["tinyjpg_threads", 1].rounds[0].outputs]
    chosen = [index for index, method in enumerate(methods) if "mozjpeg" in method]
    if not chosen:
        return ["tinyjpg encoded none of the files anew: all are at this quality already."]
    pixels = sum(megapixels[index] for index in chosen)
    seconds = {
        name: math.fsum(
            median(one.image_seconds[index] for one in results[name, 1].rounds) for index in chosen
        )
        for name in names
    }
    rows = [
        [
            PEERS[name].label,
            f"{pixels / seconds[name]:.1f}",
            *([f"{seconds['sharp'] / seconds[name]:.2f}"] if "sharp" in seconds else []),
        ]
        for name in names
    ]
    columns = ["", "MP/s, 1 worker"] + ["/ sharp"] * ("sharp" in seconds)
    return [
        f"Only the files that tinyjpg encodes anew ({len(chosen)}, {pixels:.1f} MP); {_OTHERS}",
        report.table(columns, rows),
    ]
