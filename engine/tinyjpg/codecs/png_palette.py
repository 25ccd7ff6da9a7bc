"""The palette candidates: the fewest colours that still reach the quality."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from tinyjpg.backends.imagequant import MOST_COLOURS, Indexed, Setting
from tinyjpg.backends.vips import Pixels
from tinyjpg.calibration import PALETTE_Q
from tinyjpg.codecs.png_judge import Judge
from tinyjpg.codecs.png_metadata import Ancillary
from tinyjpg.codecs.png_quantise import Quantiser
from tinyjpg.containers.png import PngHeader
from tinyjpg.containers.png_chunks import ColourType
from tinyjpg.containers.png_writer import still
from tinyjpg.formats import Format
from tinyjpg.limits import Deadline

_HIGHEST: Final = 100

_PROBES: Final = 5
# Points: more than any image gained between the seed and the highest quality, and by dithering.
_HOPELESS: Final = 40.0
_DITHERING_GAIN: Final = 1.0


@dataclass(frozen=True, slots=True)
class Attempt:
    """A quantised image against the original.

    Attributes:
        score: its SSIMULACRA2.
        accepted: whether it shows the same picture at the quality asked for.
    """

    setting: Setting
    indexed: Indexed
    score: float
    accepted: bool

    @property
    def colours(self) -> int:
        return len(self.indexed.colours)


def reductions(pixels: Pixels, quality: int, deadline: Deadline) -> Iterator[Attempt]:
    """Quantised images that reach `quality`, those with more colours first; maybe none.

    Args:
        pixels: height x width x 3 or 4, upright, in the code values of the file.
        quality: 1 to 99, the score to reach.
        deadline: after it no further setting is tried.
    """
    judge = Judge(pixels, quality)
    quantise = Quantiser(pixels)

    def attempt(setting: Setting) -> Attempt:
        indexed = quantise(setting)
        shown = indexed.pixels
        score = judge.score(shown)
        return Attempt(setting, indexed, score, judge.accepts(shown, score))

    passed, failed = _bisect(attempt, round(PALETTE_Q.at(quality)), judge.target, deadline)
    if passed is not None:
        yield passed
    for setting in _refinements(passed, failed, judge.target):
        if deadline.passed:
            return
        made = attempt(setting)
        if made.accepted:
            yield made


def as_png(indexed: Indexed, ancillary: Ancillary) -> bytes:
    """`indexed` as a PNG of colour type palette, quickly made and not yet small."""
    height, width = indexed.indices.shape
    rows = np.zeros((height, width + 1), dtype=np.uint8)
    rows[:, 1:] = indexed.indices
    alpha = indexed.colours[:, 3]
    header = PngHeader(
        format=Format.PNG,
        width=width,
        height=height,
        colour_type=ColourType.PALETTE,
        interlaced=False,
        palette=indexed.colours[:, :3].tobytes(),
        transparency=None if (alpha == 255).all() else alpha.tobytes(),
    )
    return still(header, ancillary, [zlib.compress(rows.tobytes(), 1)])


def _bisect(
    attempt: Callable[[Setting], Attempt], seed: int, target: float, deadline: Deadline
) -> tuple[Attempt | None, Attempt | None]:
    """The lowest quality found to reach `target`, and the highest found not to."""
    passed: Attempt | None = None
    failed: Attempt | None = None
    quality: int | None = seed
    for _ in range(_PROBES):
        if quality is None or deadline.passed:
            break
        made = attempt(Setting(quality))
        if made.accepted:
            passed = made
        else:
            failed = made
        quality = _next_quality(passed, failed, target)
    return passed, failed


def _next_quality(passed: Attempt | None, failed: Attempt | None, target: float) -> int | None:
    if passed is None:
        return _HIGHEST if failed is not None and _may_still_pass(failed, target) else None
    lower = failed.setting.quality if failed is not None else 0
    upper = passed.setting.quality
    # The number of colours grows with the logarithm of the quality.
    middle = round(math.sqrt(max(1, lower) * upper))
    return middle if lower < middle < upper else None


def _may_still_pass(failed: Attempt, target: float) -> bool:
    return (
        failed.setting.quality < _HIGHEST
        and failed.colours < MOST_COLOURS
        and failed.score > target - _HOPELESS
    )


def _refinements(
    passed: Attempt | None, failed: Attempt | None, target: float
) -> Iterator[Setting]:
    """What may do better than `passed` outside the range of qualities."""
    if failed is not None and (passed is not None or failed.score > target - _DITHERING_GAIN):
        yield replace(failed.setting, dithered=True)
    if passed is not None and failed is None:
        yield from (
            Setting(_HIGHEST, bit_depth=depth) for depth in (4, 2) if passed.colours > 2**depth
        )
