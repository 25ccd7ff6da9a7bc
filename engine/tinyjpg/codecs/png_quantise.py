"""Reducing an image to palette colours, with transparency and plain areas kept exact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from tinyjpg.backends import imagequant
from tinyjpg.backends.imagequant import MOST_COLOURS, Indexed, Setting
from tinyjpg.backends.vips import Pixels

Colour = npt.NDArray[np.uint8]

_CLEAR: Final = np.zeros(4, dtype=np.uint8)
# Share of the pixels from which on a colour makes an area.
_FLAT_SHARE: Final = 0.002
_MOST_SAMPLES: Final = 1_000_000
# The palette sizes up to which an index takes 2, 4 and 8 bits.
_SIZES: Final = (4, 16, MOST_COLOURS)


class Quantiser:
    """Reduces one image to palettes.

    Args:
        pixels: height x width x 3 or 4, contiguous.
    """

    def __init__(self, pixels: Pixels) -> None:
        self._pixels = pixels
        self._flat = _frequent_colours(pixels)

    def __call__(self, setting: Setting) -> Indexed:
        """Transparent pixels stay exactly transparent, opaque ones opaque, and plain areas exact.

        Raises:
            TinyJPGError: libvips cannot.
        """
        indexed = _with_exact_areas(imagequant.quantise(self._pixels, setting), self._flat)
        if self._pixels.shape[2] == 3:
            return indexed
        return _with_exact_alpha(indexed, self._pixels[..., 3])


@dataclass(frozen=True, slots=True)
class _FlatColour:
    """A colour that much of the image has.

    Attributes:
        position: index of one pixel of it, rows first.
        count: pixels that have it, about.
    """

    colour: Colour
    position: int
    count: int


def _frequent_colours(pixels: Pixels) -> list[_FlatColour]:
    """The most frequent colours, most frequent first; of large images from a sample."""
    # Odd, so that it does not pick the same columns of every row of a usual width.
    step = (pixels[..., 0].size // _MOST_SAMPLES) | 1
    sample = pixels.reshape(-1, pixels.shape[2])[::step]
    wide = np.full((len(sample), 4), 255, dtype=np.uint8)
    wide[:, : sample.shape[1]] = sample
    _, positions, counts = np.unique(
        wide.view(np.uint32).ravel(), return_index=True, return_counts=True
    )
    frequent = np.flatnonzero(counts >= len(sample) * _FLAT_SHARE)
    return [
        _FlatColour(wide[positions[at]], int(positions[at]) * step, int(counts[at]) * step)
        for at in frequent[np.argsort(-counts[frequent], kind="stable")]
    ]


def _with_exact_areas(indexed: Indexed, flat: list[_FlatColour]) -> Indexed:
    """`indexed` with each palette colour that mostly stands for one flat colour equal to it.

    The quantiser averages an area with the edges around it, which shifts backgrounds and the
    colours of brands by a few levels.
    """
    uses = np.bincount(indexed.indices.ravel(), minlength=len(indexed.colours))
    colours = indexed.colours.copy()
    done: set[int] = set()
    for one in flat:
        index = int(indexed.indices.flat[one.position])
        if index not in done and 2 * one.count > uses[index]:
            colours[index] = one.colour
            done.add(index)
    return Indexed(indexed.indices, colours)


def _with_exact_alpha(indexed: Indexed, alpha: npt.NDArray[np.uint8]) -> Indexed:
    """`indexed` with pixels of alpha 0 and 255 given colours of exactly that alpha.

    The quantiser may blend such pixels with translucent ones into one colour: logos get faintly
    see-through, and their surroundings faintly visible.
    """
    indices, colours = indexed.indices.copy(), list(indexed.colours.copy())
    # Not so many more that every index would take more bits.
    room = next(size for size in _SIZES if len(colours) <= size)
    clear, opaque = alpha == 0, alpha == 255

    reserved: int | None = None
    if clear.any():
        reserved = _clear_colour(colours, np.bincount(indices[clear]), room)
        indices[clear] = reserved
    uses = np.bincount(indices.ravel(), minlength=len(colours))
    opaque_uses = np.bincount(indices[opaque], minlength=len(colours))
    replacement = np.arange(MOST_COLOURS, dtype=np.uint8)
    for index in np.flatnonzero(opaque_uses).tolist():
        if colours[index][3] == 255:
            continue
        solid = _solid(colours[index])
        if opaque_uses[index] == uses[index]:
            colours[index] = solid
        elif len(colours) < room:
            replacement[index] = len(colours)
            colours.append(solid)
        else:
            replacement[index] = _nearest_opaque(colours, index, reserved)
    indices[opaque] = replacement[indices[opaque]]
    return Indexed(indices, np.array(colours, dtype=np.uint8))


def _clear_colour(colours: list[Colour], uses: npt.NDArray[np.intp], room: int) -> int:
    """The index of a transparent colour, which is made where there is none."""
    index = next((at for at, colour in enumerate(colours) if colour[3] == 0), None)
    if index is None and len(colours) < room:
        colours.append(_CLEAR)
        return len(colours) - 1
    if index is None:
        index = int(uses.argmax())
    colours[index] = _CLEAR
    return index


def _nearest_opaque(colours: list[Colour], index: int, reserved: int | None) -> int:
    """The opaque colour most like that at `index`; where there is none, one that becomes opaque."""
    candidates = [at for at, colour in enumerate(colours) if colour[3] == 255]
    if not candidates:
        candidates = [at for at in range(len(colours)) if at != reserved]
    wanted = colours[index][:3].astype(np.int32)
    nearest = min(
        candidates, key=lambda at: int(((colours[at][:3].astype(np.int32) - wanted) ** 2).sum())
    )
    colours[nearest] = _solid(colours[nearest])
    return nearest


def _solid(colour: Colour) -> Colour:
    return np.append(colour[:3], np.uint8(255))
