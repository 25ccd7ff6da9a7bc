"""The palette candidates: few colours, smoothed until the quality is just reached."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from tinyjpg.backends.imagequant import Indexed, Setting
from tinyjpg.backends.vips import Pixels
from tinyjpg.calibration import PALETTE_Q, SMOOTHING, SMOOTHING_BY_COLOURS
from tinyjpg.codecs.png_judge import Judge
from tinyjpg.codecs.png_merging import merged
from tinyjpg.codecs.png_quantise import Quantiser
from tinyjpg.codecs.png_smoothing import smooth
from tinyjpg.search import Attempt, Found, cheapest
from tinyjpg.source import Request

_QUALITIES: Final = range(1, 101)
_HIGHEST: Final = _QUALITIES[-1]

# Of smoothing, largest first: finer than 12 %, so that the score is met closely. The squares are of
# 1 to 170 levels in each channel.
TOLERANCES: Final = tuple(round(3 * 1.14**power) for power in range(79, -1, -1))

_PALETTE_PROBES: Final = 6
_SMOOTHING_PROBES: Final = 7
_MERGING_PROBES: Final = 4
# One in so many colours, at least one.
_MERGED_AT_ONCE: Final = 8
# Up to here an index takes half a byte, and no larger palette makes up for losing that.
_FEW_COLOURS: Final = 16
# Points that dithering may gain.
_DITHERING_GAIN: Final = 1.0
# zlib's; lower ones misjudge smoothing.
_DEFLATE_LEVEL: Final = 6


@dataclass(frozen=True, slots=True)
class Reduction:
    """An image in palette colours, against the original.

    Attributes:
        setting: what the quantiser was asked for.
        tolerance: of smoothing; None without.
        score: its SSIMULACRA2.
        size: bytes, as a quick compression estimates them.
    """

    indexed: Indexed
    setting: Setting
    score: float
    size: int
    tolerance: int | None = None

    @property
    def colours(self) -> int:
        return len(self.indexed.colours)

    @property
    def method(self) -> str:
        how = {"dithered": self.setting.dithered, "smoothed": self.tolerance is not None}
        words = [
            f"reduced to {self.colours} colours",
            *(word for word, done in how.items() if done),
        ]
        return ", ".join(words)


def smallest(pixels: Pixels, judge: Judge, request: Request) -> Reduction | None:
    """The smallest reduction found that reaches the quality.

    First the fewest colours that the quantiser finds, of which some can still be merged. They
    seldom just do, so their indices are smoothed until the score is met. With more colours
    smoothing has more room, which pays off on gradients.

    Args:
        pixels: height x width x 3 or 4, contiguous, in the code values of the file.
        judge: of the same pixels.
    """
    search = _Search(pixels, judge, request)
    fewest = search.fewest_colours()
    if fewest is None:
        return None
    few = search.merged(fewest)
    best = min(few, search.smoothed(few.indexed, few.setting) or few, key=_size)
    if fewest.colours > _FEW_COLOURS:
        for rival in search.richer(fewest, few):
            best = min(best, search.smoothed_if_hopeful(*rival, best) or best, key=_size)
    return best


class _Search:
    """What the steps share; each makes one choice."""

    def __init__(self, pixels: Pixels, judge: Judge, request: Request) -> None:
        self._pixels = pixels
        self._judge = judge
        self._request = request
        self._quantise = Quantiser(pixels)

    def fewest_colours(self) -> Reduction | None:
        """The smallest palette image, not smoothed, that reaches the quality."""

        def attempt(quality: int) -> Attempt[Reduction]:
            made = self._scored(self._quantise(Setting(quality)), Setting(quality))
            return Attempt(quality, made.score, made.size, made)

        found = cheapest(
            self._request,
            attempt,
            expected=PALETTE_Q,
            settings=_QUALITIES,
            most=_PALETTE_PROBES,
        )
        best = found.best.result if found.best is not None else None
        for setting in self._alternatives(found):
            if self._request.deadline.passed:
                break
            made = self._scored(self._quantise(setting), setting)
            self._request.tally.count()
            if self._request.accepts(made.score) and (best is None or made.size < best.size):
                best = made
        return best

    def _alternatives(self, found: Found[Reduction]) -> Iterator[Setting]:
        """What may do better than `found.best` outside the range of qualities."""
        failed = [one for one in found.attempts if not self._request.accepts(one.score)]
        if failed:
            nearest = max(failed, key=lambda one: one.setting)
            if self._request.accepts(nearest.score + _DITHERING_GAIN):
                yield replace(nearest.result.setting, dithered=True)
        elif found.best is not None:
            colours = found.best.result.colours
            yield from (
                Setting(_HIGHEST, bit_depth=depth) for depth in (4, 2) if colours > 2**depth
            )

    def merged(self, palette: Reduction) -> Reduction:
        """`palette` with as many colours merged as the quality allows, in a few steps."""
        best, indexed = palette, palette.indexed
        for _ in range(_MERGING_PROBES):
            step = max(1, len(indexed.colours) // _MERGED_AT_ONCE)
            fewer = merged(indexed, step)
            if fewer is None or self._request.deadline.passed:
                break
            made = self._scored(fewer, palette.setting)
            self._request.tally.count()
            if not self._request.accepts(made.score):
                break
            best, indexed = min(best, made, key=_size), fewer
        return best

    def smoothed(self, indexed: Indexed, setting: Setting) -> Reduction | None:
        """`indexed`, made with `setting`, as smooth as the quality allows; None where it is not."""

        def attempt(index: int) -> Attempt[Reduction]:
            tolerance = TOLERANCES[index]
            made = self._scored(smooth(self._pixels, indexed, tolerance), setting, tolerance)
            return Attempt(index, made.score, made.size, made)

        found = cheapest(
            self._request,
            attempt,
            expected=SMOOTHING,
            settings=range(len(TOLERANCES)),
            start=self._expected_index(len(indexed.colours)),
            most=_SMOOTHING_PROBES,
        )
        return found.best.result if found.best is not None else None

    def richer(self, fewest: Reduction, few: Reduction) -> Iterator[tuple[Indexed, Setting]]:
        """Palette images with more colours than `few`, which was made of `fewest`."""
        if few is not fewest:
            yield fewest.indexed, fewest.setting
        quality = (fewest.setting.quality + _HIGHEST) // 2
        if quality != fewest.setting.quality and not self._request.deadline.passed:
            setting = Setting(quality)
            yield self._quantise(setting), setting

    def smoothed_if_hopeful(
        self, indexed: Indexed, setting: Setting, best: Reduction
    ) -> Reduction | None:
        """`indexed` smoothed; None, at little cost, where it can hardly get smaller than `best`."""
        tolerance = TOLERANCES[round(self._expected_index(len(indexed.colours)))]
        if best.tolerance is not None:
            tolerance = max(tolerance, best.tolerance)
        hopeful = _estimated_size(smooth(self._pixels, indexed, tolerance)) <= best.size
        if self._request.deadline.passed or not hopeful:
            return None
        return self.smoothed(indexed, setting)

    def _expected_index(self, colours: int) -> float:
        """Where in TOLERANCES the search is to begin."""
        expected = SMOOTHING.at(self._request.quality) + SMOOTHING_BY_COLOURS.at(math.log2(colours))
        return min(max(expected, 0), len(TOLERANCES) - 1)

    def _scored(
        self, indexed: Indexed, setting: Setting, tolerance: int | None = None
    ) -> Reduction:
        score = self._judge.score(indexed.pixels)
        return Reduction(indexed, setting, score, _estimated_size(indexed), tolerance)


def _size(reduction: Reduction) -> int:
    return reduction.size


def _estimated_size(indexed: Indexed) -> int:
    """Bytes of the palette and of the indices, deflated as a PNG holds them: unfiltered, packed."""
    colours = len(indexed.colours)
    depth = next(depth for depth in (1, 2, 4, 8) if colours <= 2**depth)
    per_byte = 8 // depth
    height, width = indexed.indices.shape
    rows = np.zeros((height, -(-width // per_byte) * per_byte), dtype=np.uint8)
    rows[:, :width] = indexed.indices
    packed = np.zeros((height, rows.shape[1] // per_byte + 1), dtype=np.uint8)
    for place in range(per_byte):
        packed[:, 1:] |= rows[:, place::per_byte] << np.uint8(8 - depth * (place + 1))
    bands = 4 if (indexed.colours[:, 3] < 255).any() else 3
    return len(zlib.compress(packed.tobytes(), _DEFLATE_LEVEL)) + bands * colours
