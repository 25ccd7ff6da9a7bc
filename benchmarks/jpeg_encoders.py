"""The JPEG encoder against mozjpeg with everything on: bytes at equal score, and speed."""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Final

import numpy as np

from benchmarks import images, jpeg_drawings, report
from benchmarks.curves import Point, bytes_at, sweep
from benchmarks.guards import GUARDS
from benchmarks.mozjpeg import Manner, encode
from benchmarks.peers.encoders.table import Scale
from tinyjpg.backends import vips
from tinyjpg.backends.jpeg import Coefficients, Subsampling
from tinyjpg.codecs.jpeg_sample import GRADIENT_EFFORT, quantise
from tinyjpg.codecs.jpeg_scales import SETTINGS, Chroma
from tinyjpg.formats import Format, sniff
from tinyjpg.metric import Pixels, Reference
from tinyjpg.options import DEFAULT_EFFORT, EFFORTS

SCORES: Final[tuple[int, ...]] = (70, 80, 85)
# mozjpeg's own default. Its table 5 takes 95 % of the bytes at 70 and 98 % at 80.
_TABLE: Final = 3
_LEAST_SIDE: Final = 256
# Of larger pictures the middle, cut at multiples of 16 so that blocks of a JPEG source stay whole.
_LARGEST_SIDE: Final = 1024
_BLOCK: Final = 16
# Of the encoder's settings, on the way to what a guard says: a fifth of the bytes or so.
_STEP: Final = 10
_MOST_STEPS: Final = 8
_TIMED_SCORE: Final = 80
_ROUNDS: Final = 3
_NOTE: Final = (
    "Bytes of TinyJPG's encoder / bytes of mozjpeg (progressive, trellis quantisation, optimised "
    "scans, table 3), both 4:2:0, geometric means over photographs, of which the middle 1,024 "
    "pixels square are taken, scored as libvips decodes them. Of `photo_png` every second was "
    "used for tuning, and the others are measured; none of `photo_jpeg`, which are JPEGs already, "
    "was. Rows of other metrics: the bytes at which TinyJPG's encoder reaches what that metric "
    "says of mozjpeg's file at the score."
)
_SPEED_NOTE: Final = (
    "CPU time of one core, pixels in memory, at the setting that scores 80: TinyJPG's encoder in "
    "strips with a given scale (at effort 9 whole, with a gradient pass), mozjpeg through libvips. "
    f"Medians over the photographs of the best of {_ROUNDS} rounds."
)


@dataclass(slots=True)
class _Curve:
    """What one encoder makes of one picture, measured where it is asked about."""

    original: Pixels
    reference: Reference
    scale: Scale
    make: Callable[[int], tuple[bytes, Pixels]]
    points: list[Point] = field(default_factory=list)
    shown: dict[int, Pixels] = field(default_factory=dict)
    guarded: dict[tuple[str, int], float] = field(default_factory=dict)
    measured: dict[int, Point] = field(default_factory=dict)

    def measure(self, position: int) -> Point:
        if position in self.measured:
            return self.measured[position]
        jpeg, pixels = self.make(self.scale.setting(position))
        self.shown[position] = pixels
        self.measured[position] = Point(position, self.reference.score(pixels), len(jpeg))
        return self.measured[position]

    def sweep(self) -> None:
        first = self.measure(self.scale.position(self.scale.usual))
        self.points = sweep(self.measure, first, self.scale, SCORES)

    def guard(self, name: str, point: Point) -> float:
        key = (name, point.position)
        if key not in self.guarded:
            self.guarded[key] = GUARDS[name](self.original, self.shown[point.position])
        return self.guarded[key]

    def guard_at(self, name: str, score: float) -> float:
        """What a guard says where the score is `score`."""
        near = sorted(self.points, key=lambda one: abs(one.score - score))[:2]
        scores, values = zip(
            *sorted((one.score, self.guard(name, one)) for one in near), strict=True
        )
        return float(np.interp(score, scores, values))

    def bytes_at_guard(self, name: str, score: float, value: float) -> float | None:
        """The bytes at which a guard says `value`; None where no setting was found on each side.

        Begins where the score is `score`, and goes outward until it has passed the value.
        """
        point = min(self.points, key=lambda one: abs(one.score - score))
        upward = self.guard(name, point) < value
        for _ in range(_MOST_STEPS):
            step = _STEP if upward else -_STEP
            position = min(max(point.position + step, 0), self.scale.last)
            if position == point.position:
                return None
            following = self.measure(position)
            if (self.guard(name, following) < value) != upward:
                (low, least), (high, most) = sorted(
                    (self.guard(name, one), one.bytes) for one in (point, following)
                )
                part = (value - low) / (high - low)
                return math.exp((1 - part) * math.log(least) + part * math.log(most))
            point = following
        return None


@dataclass(slots=True)
class _Result:
    """One picture: ratios by row of the table and score, and milliseconds a megapixel."""

    ratios: dict[tuple[str, int], float]
    ours: float
    theirs: float


def main(arguments: list[str]) -> int:
    """Run the benchmark; see `--help` for the arguments."""
    parser = argparse.ArgumentParser(prog="./run bench encoder", description=__doc__)
    parser.add_argument("--folder", type=Path, help="measure on these images instead")
    parser.add_argument("--limit", type=int, help="so many images of each set at most")
    parser.add_argument(
        "--effort",
        type=int,
        choices=EFFORTS,
        default=DEFAULT_EFFORT,
        help=f"of TinyJPG's encoder (default: {DEFAULT_EFFORT})",
    )
    options = parser.parse_args(arguments)
    sets = [images.folder(options.folder)] if options.folder else _sets()
    parts = [_NOTE]
    speeds = []
    for one in sets:
        paths = one.paths[: options.limit]
        results = [found for path in paths if (found := _measured(path, options.effort))]
        if results:
            parts += [f"## {one.name}: {len(results)} photographs", _table(results)]
            speeds.append(_speed(one.name, results))
    columns = ["", "TinyJPG, MP/s", "mozjpeg, MP/s", "ratio"]
    parts += [_SPEED_NOTE, report.table(columns, speeds)]
    if options.folder is None and options.effort == DEFAULT_EFFORT:
        parts += jpeg_drawings.parts(SCORES, options.limit)
    parts.append(report.environment())
    is_whole = options.folder is None and options.limit is None
    name, command = "encoder", "./run bench encoder"
    if options.effort != DEFAULT_EFFORT:
        name, command = f"{name}-effort-{options.effort}", f"{command} --effort {options.effort}"
    report.publish(name, command, parts, save=is_whole)
    return 0


def _sets() -> list[images.ImageSet]:
    root = images.corpora()
    if root is None:
        return [images.jpeg_photographs()]
    held_out = images.folder(root / "photo_png").paths[1::2]
    return [images.ImageSet("photo_png, held out", held_out), images.jpeg_photographs()]


def _pixels(path: Path) -> Pixels | None:
    """RGB, or None where that is not what the file holds; too small a file says little."""
    data = path.read_bytes()
    found = sniff(data)
    if found not in (Format.JPEG, Format.PNG):
        return None
    pixels = vips.srgb_pixels(vips.load(data, found, fail_on="none"))
    if pixels.shape[2] != 3 or min(pixels.shape[:2]) < _LEAST_SIDE:
        return None
    top, left = (max(0, side - _LARGEST_SIDE) // 2 // _BLOCK * _BLOCK for side in pixels.shape[:2])
    return np.ascontiguousarray(pixels[top : top + _LARGEST_SIDE, left : left + _LARGEST_SIDE])


def _measured(path: Path, effort: int) -> _Result | None:
    pixels = _pixels(path)
    if pixels is None:
        return None
    reference = Reference(pixels)
    coefficients = Coefficients(pixels.shape[1], pixels.shape[0], Subsampling.CHROMA_420)
    coefficients.push(pixels)
    image = vips.from_pixels(pixels)

    def own(setting: int) -> tuple[bytes, Pixels]:
        quantise(coefficients, setting, effort, pixels)
        jpeg = coefficients.write()
        return jpeg, _decoded(jpeg)

    def mozjpeg(setting: int) -> tuple[bytes, Pixels]:
        jpeg = encode(image, Manner(Chroma.SUBSAMPLED, _TABLE), setting, scans=True)
        return jpeg, _decoded(jpeg)

    ours = _Curve(pixels, reference, Scale(0, SETTINGS[-1], 97), own)
    theirs = _Curve(pixels, reference, Scale(1, 100, 84), mozjpeg)
    for curve in (ours, theirs):
        curve.sweep()
    megapixels = pixels.shape[0] * pixels.shape[1] / 1e6
    return _Result(
        _ratios(ours, theirs),
        _best(lambda: _by_us(ours, effort)) * 1000 / megapixels,
        _best(lambda: _by_mozjpeg(image, theirs)) * 1000 / megapixels,
    )


def _decoded(jpeg: bytes) -> Pixels:
    return vips.pixels(vips.load(jpeg, Format.JPEG))


def _ratios(ours: _Curve, theirs: _Curve) -> dict[tuple[str, int], float]:
    ratios: dict[tuple[str, int], float] = {}
    for score in SCORES:
        mine, its = bytes_at(ours.points, score), bytes_at(theirs.points, score)
        if mine is None or its is None:
            continue
        ratios["SSIMULACRA2", score] = mine / its
        for name in GUARDS:
            value = theirs.guard_at(name, score)
            needed = ours.bytes_at_guard(name, score, value)
            if needed is not None:
                ratios[name, score] = needed / its
    return ratios


def _nearest_setting(curve: _Curve) -> int:
    nearest = min(curve.points, key=lambda one: abs(one.score - _TIMED_SCORE))
    return curve.scale.setting(nearest.position)


def _by_us(curve: _Curve, effort: int) -> Callable[[], object]:
    """Encoding from pixels: in strips where the effort allows it, without decoding."""
    pixels, setting = curve.original, _nearest_setting(curve)
    size = pixels.shape[1], pixels.shape[0]
    coefficients = Coefficients(*size, Subsampling.CHROMA_420)
    coefficients.push(pixels)
    quantise(coefficients, setting, effort, pixels)

    def streamed() -> bytes:
        stream = coefficients.stream(*size)
        for top in range(0, len(pixels), vips.STRIP_ROWS):
            stream.push(pixels[top : top + vips.STRIP_ROWS])
        return stream.finish()

    def whole() -> bytes:
        made = Coefficients(*size, Subsampling.CHROMA_420)
        made.push(pixels)
        quantise(made, setting, effort, pixels)
        return made.write()

    return whole if effort >= GRADIENT_EFFORT else streamed


def _by_mozjpeg(image: vips.Image, curve: _Curve) -> Callable[[], object]:
    """Encoding as it was measured, without decoding."""
    manner, setting = Manner(Chroma.SUBSAMPLED, _TABLE), _nearest_setting(curve)
    return lambda: encode(image, manner, setting, scans=True)


def _best(prepare: Callable[[], Callable[[], object]]) -> float:
    """The least seconds of CPU time of some rounds."""
    run = prepare()
    times = []
    for _ in range(_ROUNDS):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return min(times)


def _table(results: Sequence[_Result]) -> str:
    rows = []
    for name in ("SSIMULACRA2", *GUARDS):
        cells = [name]
        means = []
        for score in SCORES:
            found = sorted(
                one.ratios[name, score] for one in results if (name, score) in one.ratios
            )
            if not found:
                cells.append("")
                continue
            mean = math.exp(sum(map(math.log, found)) / len(found))
            means.append(mean)
            cells.append(f"{mean:.3f} ({found[0]:.2f} to {found[-1]:.2f})")
        cells.append(f"{sum(means) / len(means):.3f}" if means else "")
        rows.append(cells)
    columns = ["judged by", *(f"at {score} (least to most)" for score in SCORES), "mean"]
    return report.table(columns, rows)


def _speed(name: str, results: Sequence[_Result]) -> list[str]:
    ours, theirs = (1000 / median(times) for times in _times(results))
    ratio = median(one.theirs / one.ours for one in results)
    return [name, f"{ours:.1f}", f"{theirs:.1f}", f"{ratio:.2f}"]


def _times(results: Sequence[_Result]) -> tuple[list[float], list[float]]:
    return [one.ours for one in results], [one.theirs for one in results]
