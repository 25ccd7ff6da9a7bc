"""Truecolour rounding: what 256 colours cannot show, in fewer levels per channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from tinyjpg.backends.vips import Pixels
from tinyjpg.calibration import ROUNDING
from tinyjpg.codecs.png_judge import Judge
from tinyjpg.search import Attempt, cheapest
from tinyjpg.source import Request

# Distances between levels, largest first: finer than 6 %, so that the score is met closely.
STEPS: Final = tuple(1.5 * 1.05**power for power in range(63, -1, -1))

# Of red, green and blue, against the step. With green, which counts most in what people see, finer,
# photographs take 6 % fewer bytes at equal score; but greys get a tint, and screenshots grow.
ALIKE: Final = (1.0, 1.0, 1.0)
GREEN_FINER: Final = (1.25, 0.83, 1.25)
# Share of exactly grey pixels from which on an image is no photograph.
_GREY_SHARE: Final = 0.1

_MOST_PROBES: Final = 6

Steps = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Rounded:
    """An image in fewer levels.

    Attributes:
        pixels: of the original's shape.
        steps: the distance between levels of red, green and blue.
        score: its SSIMULACRA2.
    """

    pixels: Pixels
    steps: Steps
    score: float

    @property
    def method(self) -> str:
        steps = sorted({f"{step:.1f}" for step in self.steps}, key=float)
        return f"rounded to every {' or '.join(steps)} levels"


def coarsest(pixels: Pixels, judge: Judge, request: Request) -> Rounded | None:
    """The coarsest rounding found that reaches the quality.

    Args:
        pixels: height x width x 3 or 4.
        judge: of the same pixels.
    """
    proportion = ALIKE if _share_of_grey(pixels) >= _GREY_SHARE else GREEN_FINER

    def attempt(setting: int) -> Attempt[Rounded]:
        steps = steps_at(setting, proportion)
        made = rounded(pixels, steps)
        score = judge.score(made)
        # Nothing cheap tells the size; among steps of one proportion the coarser packs better.
        return Attempt(setting, score, setting, Rounded(made, steps, score))

    found = cheapest(
        request, attempt, expected=ROUNDING, settings=range(len(STEPS)), most=_MOST_PROBES
    )
    return found.best.result if found.best is not None else None


def steps_at(index: int, proportion: Steps) -> Steps:
    """The steps of red, green and blue, 1 or more, for an index into STEPS."""
    red, green, blue = (max(1.0, STEPS[index] * part) for part in proportion)
    return red, green, blue


def rounded(pixels: Pixels, steps: Steps) -> Pixels:
    """`pixels` with red, green and blue rounded to multiples of `steps`; 255 and alpha stay exact.

    Args:
        pixels: height x width x 3 or 4.
        steps: levels, 1 or more.
    """
    made = pixels.copy()
    for channel, step in enumerate(steps):
        made[..., channel] = _table(step)[pixels[..., channel]]
    return made


def _table(step: float) -> npt.NDArray[np.uint8]:
    """What becomes of each level; the highest is 255, whatever the step."""
    levels = np.arange(256)
    multiples = np.rint(np.floor(levels / step + 0.5) * step)
    multiples[255 - levels < step / 2] = 255
    table: npt.NDArray[np.uint8] = np.minimum(multiples, 255).astype(np.uint8)
    return table


def _share_of_grey(pixels: Pixels) -> float:
    red, green, blue = pixels[..., 0], pixels[..., 1], pixels[..., 2]
    return float(np.mean((red == green) & (green == blue)))
