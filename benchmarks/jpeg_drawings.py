"""Screenshots and logos as JPEG: what `optimize` makes of them, against mozjpeg at that score."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks import images, report
from benchmarks.mozjpeg import SETTINGS, Manner, encode
from tinyjpg import optimize
from tinyjpg.backends import vips
from tinyjpg.codecs.jpeg_scales import Chroma
from tinyjpg.formats import Format, sniff
from tinyjpg.metric import Pixels, Reference

_NOTE: Final = (
    "Screenshots and logos without transparency, saved as JPEG at quality 100, 4:4:4: bytes of "
    "what `optimize()` returns, metadata and all / bytes of mozjpeg (as above, 4:2:0) at the score "
    "of that. Where mozjpeg does not reach the score the picture is left out."
)
_FOLDERS: Final = ("ui_png", "logo_png")
_LEAST_SIDE: Final = 16
# mozjpeg's own default, as in jpeg_encoders.py.
_TABLE: Final = 3


def parts(scores: tuple[int, ...], limit: int | None) -> list[str]:
    """Paragraphs of a report: a table with a row for each folder; none without the corpora."""
    root = images.corpora()
    if root is None:
        return []
    rows = [_row(images.folder(root / name), scores, limit) for name in _FOLDERS]
    columns = ["whole engine", *(f"at {score} (least to most), n, above 1" for score in scores)]
    return [_NOTE, report.table(columns, rows)]


def _row(found: images.ImageSet, scores: tuple[int, ...], limit: int | None) -> list[str]:
    ratios: dict[int, list[float]] = {score: [] for score in scores}
    for path in found.paths[:limit]:
        source = _source(path)
        if source is not None:
            for score, ratio in _ratios(source, scores).items():
                ratios[score].append(ratio)
    return [found.name, *(_cell(ratios[score]) for score in scores)]


def _cell(ratios: list[float]) -> str:
    if not ratios:
        return ""
    mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
    above = sum(ratio > 1 for ratio in ratios)
    return f"{mean:.3f} ({min(ratios):.2f} to {max(ratios):.3f}), {len(ratios)}, {above}"


def _source(path: Path) -> bytes | None:
    data = path.read_bytes()
    found = sniff(data)
    if found is not Format.PNG:
        return None
    image = vips.load(data, found, fail_on="none")
    pixels = vips.srgb_pixels(image)
    if pixels.shape[2] != 3 or min(pixels.shape[:2]) < _LEAST_SIDE:
        return None
    return vips.save(
        vips.from_pixels(pixels), Format.JPEG, Q=100, subsample_mode="off", keep="none"
    )


def _ratios(source: bytes, scores: tuple[int, ...]) -> dict[int, float]:
    pixels = _decoded(source)
    reference = Reference(pixels)
    image = vips.from_pixels(pixels)
    made: dict[int, tuple[float, int]] = {}

    def mozjpeg(setting: int) -> tuple[float, int]:
        if setting not in made:
            jpeg = encode(image, Manner(Chroma.SUBSAMPLED, _TABLE), setting, scans=True)
            made[setting] = reference.score(_decoded(jpeg)), len(jpeg)
        return made[setting]

    ratios = {}
    for score in scores:
        result = optimize(source, score)
        needed = _bytes_at(reference.score(_decoded(result.data)), mozjpeg)
        if result.score < 100 and needed is not None:
            ratios[score] = result.output_size / needed
    return ratios


def _bytes_at(score: float, encoder: Callable[[int], tuple[float, int]]) -> float | None:
    """Between the two settings next to the score; None where it is not reached."""
    low, high = SETTINGS[0], SETTINGS[-1]
    if not encoder(low)[0] < score <= encoder(high)[0]:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        if encoder(middle)[0] < score:
            low = middle
        else:
            high = middle
    (below, least), (above, most) = encoder(low), encoder(high)
    return float(np.exp(np.interp(score, (below, above), np.log((least, most)))))


def _decoded(jpeg: bytes) -> Pixels:
    pixels = vips.pixels(vips.load(jpeg, Format.JPEG))
    return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels
