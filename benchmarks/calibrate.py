"""Measures which encoder setting reaches which score: the tables of tinyjpg/calibration.py.

    python -m benchmarks.calibrate CORPORA_FOLDER [--workers 2] [--only NAME ...] [--keep FILE]

Every image is encoded at every setting of a grid and scored by `tinyjpg.verify`. The curves come
from the images with an even index; those with an odd index say how well they hold elsewhere.
CORPORA_FOLDER has the folders photo_png, photo_jpeg, ui_png, logo_png and gif.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import astuple, dataclass, fields
from functools import partial
from itertools import groupby
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Final

import numpy as np

from benchmarks.calibration_encoders import ENCODERS, Point

_SUBSAMPLED: Final = "jpeg 4:2:0"
_FULL: Final = "jpeg 4:4:4"
QUALITIES: Final = (1, 10, 20, 30, 40, 50, 60, 65, 70, 75, 80, 85, 88, 90, 92, 95, 97, 99)


@dataclass(frozen=True, slots=True, order=True)
class Measurement:
    """One image at one setting.

    Attributes:
        index: place of the image among those that its encoder is measured on.
        size: bytes of the encoded file.
    """

    encoder: str
    index: int
    file: str
    setting: float
    score: float
    size: int


def main(arguments: list[str]) -> int:
    """Measure, print the tables, and return the exit status."""
    options = _parsed(arguments)
    names = options.only or list(ENCODERS)
    measurements: list[Measurement] = []
    if options.keep and options.keep.exists():
        measurements = _read(options.keep)
    missing = [name for name in names if name not in {each.encoder for each in measurements}]
    if missing:
        measurements.extend(_measured(options.corpora, missing, options.workers, options.limit))
    if options.keep:
        _write(options.keep, measurements)
    by_encoder = {
        name: [each for each in measurements if each.encoder == name] for name in ENCODERS
    }
    for name in names:
        print("\n".join(_report(name, by_encoder[name])), end="\n\n")
    if {_SUBSAMPLED, _FULL} <= set(names):
        print("\n".join(_comparison(by_encoder[_SUBSAMPLED], by_encoder[_FULL])))
    return 0


def _parsed(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="calibrate", description=__doc__.split("\n")[0])
    parser.add_argument("corpora", type=Path, help="folder with photo_png, ui_png, gif ...")
    parser.add_argument("--workers", type=int, default=2, help="processes (default 2)")
    parser.add_argument("--only", nargs="+", choices=list(ENCODERS), help="measure these alone")
    parser.add_argument("--limit", type=int, help="images per encoder, for a quick look")
    parser.add_argument("--keep", type=Path, help="TSV file to keep measurements in and reuse")
    return parser.parse_args(arguments)


def _measured(
    corpora: Path, names: Iterable[str], workers: int, limit: int | None
) -> Iterator[Measurement]:
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for name in names:
            files = ENCODERS[name].files(corpora)
            files = files if limit is None else files[:: -(-len(files) // limit)]
            results = pool.map(partial(_measure, name), files)
            for index, (file, points) in enumerate(zip(files, results, strict=True)):
                print(f"{name}: {file.name}", file=sys.stderr)
                for point in points:
                    yield Measurement(
                        name, index, file.name, point.setting, point.score, point.size
                    )


def _measure(name: str, file: Path) -> list[Point]:
    return ENCODERS[name].measure(file)


def _report(name: str, measurements: list[Measurement]) -> list[str]:
    # What no setting changes says nothing.
    images = [image for image in _by_image(measurements) if min(each.score for each in image) < 100]
    tuning = [image for image in images if image[0].index % 2 == 0]
    testing = [image for image in images if image[0].index % 2 == 1]
    reached = _reached(tuning, ENCODERS[name].quantile)
    lines = [
        f"## {name}: {len(tuning)} images to tune on, {len(testing)} others",
        "",
        "| quality | setting | median | p10 | p90 | median of the others |",
        "|---|---|---|---|---|---|",
    ]
    for quality in QUALITIES:
        setting = _setting_for(quality, reached)
        scores = [_score_at(image, setting) for image in tuning]
        elsewhere = median(_score_at(image, setting) for image in testing) if testing else np.nan
        low, high = np.percentile(scores, [10, 90])
        lines.append(
            f"| {quality} | {setting:.1f} | {median(scores):.1f} | {low:.1f} | {high:.1f} "
            f"| {elsewhere:.1f} |"
        )
    overall = _reached(images, ENCODERS[name].quantile)
    lines += ["", f"Tuned: {_curve(reached)}", f"On all: {_curve(overall)}", ""]
    return [*lines, *_grid(measurements)]


def _curve(reached: list[tuple[float, float]]) -> str:
    points = (f"({quality}, {_setting_for(quality, reached):.3g})" for quality in QUALITIES)
    return f"Curve(({', '.join(points)}))"


def _grid(measurements: list[Measurement]) -> list[str]:
    lines = ["| setting | score min | p10 | median | p90 | MB |", "|---|---|---|---|---|---|"]
    ordered = sorted(measurements, key=lambda each: each.setting)
    for setting, group in groupby(ordered, key=lambda each: each.setting):
        chosen = list(group)
        low, middle, high = np.percentile([each.score for each in chosen], [10, 50, 90])
        size = sum(each.size for each in chosen) / 1e6
        least = min(each.score for each in chosen)
        lines.append(
            f"| {setting:g} | {least:.1f} | {low:.1f} | {middle:.1f} | {high:.1f} | {size:.2f} |"
        )
    return lines


def _by_image(measurements: list[Measurement]) -> list[list[Measurement]]:
    ordered = sorted(measurements, key=lambda each: (each.index, each.setting))
    return [list(group) for _, group in groupby(ordered, key=lambda each: each.index)]


def _reached(images: list[list[Measurement]], quantile: float) -> list[tuple[float, float]]:
    """(setting, score that all but `quantile` of the images reach) pairs."""
    return [
        (column[0].setting, float(np.quantile([each.score for each in column], quantile)))
        for column in zip(*images, strict=True)
    ]


def _setting_for(quality: float, reached: list[tuple[float, float]]) -> float:
    """The setting that reaches `quality`; outside what is reached, the nearest."""
    settings = np.array([setting for setting, _ in reached])
    scores = np.array([score for _, score in reached])
    if scores[0] > scores[-1]:
        settings, scores = settings[::-1], scores[::-1]
    return float(np.interp(quality, np.maximum.accumulate(scores), settings))


def _score_at(image: list[Measurement], setting: float) -> float:
    settings = [each.setting for each in image]
    return float(np.interp(setting, settings, [each.score for each in image]))


def _comparison(first: list[Measurement], second: list[Measurement]) -> list[str]:
    """Bytes of two encoders at equal score, over the images where both reach it."""
    lines = [
        f"## bytes of {second[0].encoder} / {first[0].encoder} at equal score",
        "",
        "| quality | reached by the first | by both | median ratio | total ratio |",
        "|---|---|---|---|---|",
    ]
    pairs = list(zip(_by_image(first), _by_image(second), strict=True))
    for quality in QUALITIES:
        sizes = [(_size_at(one, quality), _size_at(other, quality)) for one, other in pairs]
        both = [(one, other) for one, other in sizes if one is not None and other is not None]
        reached = sum(one is not None for one, _ in sizes)
        if both:
            ratio = median(other / one for one, other in both)
            total = sum(other for _, other in both) / sum(one for one, _ in both)
            lines.append(f"| {quality} | {reached} | {len(both)} | {ratio:.3f} | {total:.3f} |")
    return lines


def _size_at(image: list[Measurement], score: float) -> float | None:
    """Bytes that the image takes at `score`; None where no setting reaches it."""
    scores = np.maximum.accumulate([each.score for each in image])
    if not scores[0] <= score <= scores[-1]:
        return None
    return float(np.exp(np.interp(score, scores, np.log([each.size for each in image]))))


def _read(file: Path) -> list[Measurement]:
    with file.open(encoding="utf-8", newline="") as lines:
        return [
            Measurement(
                row["encoder"],
                int(row["index"]),
                row["file"],
                float(row["setting"]),
                float(row["score"]),
                int(row["size"]),
            )
            for row in csv.DictReader(lines, delimiter="\t")
        ]


def _write(file: Path, measurements: list[Measurement]) -> None:
    with file.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines, delimiter="\t")
        writer.writerow(field.name for field in fields(Measurement))
        writer.writerows(astuple(each) for each in measurements)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
