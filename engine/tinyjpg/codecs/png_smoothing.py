"""Index smoothing: palette images that compress better for a difference that hardly shows."""

from __future__ import annotations

import numpy as np

from tinyjpg.backends.imagequant import Indexed
from tinyjpg.backends.vips import Pixels
from tinyjpg.native import ffi, lib


def smooth(pixels: Pixels, indexed: Indexed, tolerance: int) -> Indexed:
    """`indexed` with pixels given the colour of the one on the left or above, where it fits.

    Those that repeat a neighbour already stay. Of the others each takes the left pixel's colour, or
    else the upper one's, if that is no further from the original than its own by more than
    `tolerance`. Alpha 0 and 255 stay exact where they are. Colours no longer used are left out.

    Args:
        pixels: the original, height x width x 3 or 4, contiguous.
        indexed: the same picture in palette colours.
        tolerance: 0 to 2^31, a sum of squares of levels over red, green and blue times alpha, on
            black or on white, whichever is larger.
    """
    height, width, bands = pixels.shape
    indices = indexed.indices.copy(order="C")
    colours = np.ascontiguousarray(indexed.colours)
    changed = lib.tinyjpg_smooth_indices(
        ffi.from_buffer("uint8_t[]", pixels),
        bands,
        width,
        height,
        ffi.from_buffer("uint8_t[]", colours),
        len(colours),
        tolerance,
        ffi.from_buffer("uint8_t[]", indices, require_writable=True),
    )
    return without_unused(Indexed(indices, colours)) if changed else indexed


def without_unused(indexed: Indexed) -> Indexed:
    """`indexed` with only the colours that a pixel has, in the order they were."""
    used = np.flatnonzero(np.bincount(indexed.indices.ravel(), minlength=len(indexed.colours)))
    if len(used) == len(indexed.colours):
        return indexed
    renumbered = np.zeros(len(indexed.colours), dtype=np.uint8)
    renumbered[used] = np.arange(len(used), dtype=np.uint8)
    return Indexed(renumbered[indexed.indices], indexed.colours[used])
