"""Whether small coloured things keep their colour, which a score hardly sees.

Links that turn grey, or a coloured dot, cost a page of text a point of SSIMULACRA2 or none.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from tinyjpg.calibration import Curve

Shown = npt.NDArray[np.uint8] | npt.NDArray[np.int16]
"""Height x width x 3 sRGB code values."""

PATCH: Final = 8
"""Pixels of a side of the squares whose mean colour counts, from the upper left corner on."""

# ITU-R BT.601.
_LUMA: Final = np.array([0.299, 0.587, 0.114], dtype=np.float32)
# Colours weaker than this, in levels, count like ones of this strength: nobody sees which they are.
_WEAK: Final = 24.0
# What may be lost, by quality: set where links, coloured letters and icons in crops of screenshots,
# 200 % of their size, began to look grey.
_MOST_LOST: Final = Curve(((1, 255), (40, 30), (60, 14), (70, 10), (80, 8), (90, 5), (99, 3)))


def keeps_colours(original: Shown, other: Shown, quality: int) -> bool:
    """Whether every patch of `other` is about as colourful as that of `original`.

    Args:
        original: height x width x 3.
        other: the same shape.
        quality: 1 to 99.
    """
    return most_lost(original, other) <= _MOST_LOST.at(quality)


def most_lost(original: Shown, other: Shown) -> float:
    """The largest loss of colour of a patch of 8 x 8 pixels, in levels, 0 to about 200.

    The colour of a patch is its mean less the mean's luma. What is lost of it counts by the part
    that is lost: a strong one that is a little paler shows less than a faint one that is gone.
    Patches cut off at the right and at the bottom count less.

    Args:
        original: height x width x 3.
        other: the same shape.
    """
    before, after = _colours(original), _colours(other)
    strength = np.maximum(np.sqrt((before * before).sum(axis=-1)), np.float32(_WEAK))
    lost = ((before - after) * before).sum(axis=-1) / strength
    return float((np.maximum(lost, 0) ** 2 / strength).max())


def sums_of_patches(shown: Shown) -> npt.NDArray[np.int16]:
    """The sum of the code values of each patch, down x across x 3."""
    # Slices take a sixth of the time of reduceat(), and a patch of 255s fits 16 bits.
    rows = shown[::PATCH].astype(np.int16)
    for row in range(1, PATCH):
        part = shown[row::PATCH]
        rows[: len(part)] += part
    sums = rows[:, ::PATCH].copy()
    for column in range(1, PATCH):
        part = rows[:, column::PATCH]
        sums[:, : part.shape[1]] += part
    return sums


def _colours(shown: Shown) -> npt.NDArray[np.float32]:
    """The colour of each patch, down x across x 3, in levels."""
    sums = sums_of_patches(shown).astype(np.float32)
    colours: npt.NDArray[np.float32] = sums - (sums @ _LUMA)[..., None]
    colours /= PATCH**2
    return colours
