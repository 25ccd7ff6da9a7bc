"""Pixels as a PNG, quickly made and not yet small."""

from __future__ import annotations

import zlib

import numpy as np

from tinyjpg.backends.imagequant import Indexed
from tinyjpg.backends.vips import Pixels
from tinyjpg.codecs.png_metadata import Ancillary
from tinyjpg.containers.png import PngHeader
from tinyjpg.containers.png_chunks import ColourType
from tinyjpg.containers.png_writer import still
from tinyjpg.formats import Format

# The fastest.
_LEVEL = 1


def palette_png(indexed: Indexed, ancillary: Ancillary) -> bytes:
    """`indexed` as a PNG of colour type palette."""
    height, width = indexed.indices.shape
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
    return still(header, ancillary, [_compressed(indexed.indices)])


def truecolour_png(pixels: Pixels, ancillary: Ancillary) -> bytes:
    """`pixels`, height x width x 3 or 4, as a PNG of colour type RGB or RGBA."""
    height, width, bands = pixels.shape
    header = PngHeader(
        format=Format.PNG,
        width=width,
        height=height,
        colour_type=ColourType.RGB if bands == 3 else ColourType.RGBA,
        interlaced=False,
        has_alpha=bands == 4,
    )
    return still(header, ancillary, [_compressed(pixels.reshape(height, width * bands))])


def _compressed(samples: Pixels) -> bytes:
    """Rows of bytes, height x length, none of them filtered, as a zlib stream."""
    rows = np.zeros((samples.shape[0], samples.shape[1] + 1), dtype=np.uint8)
    rows[:, 1:] = samples
    return zlib.compress(rows.tobytes(), _LEVEL)
