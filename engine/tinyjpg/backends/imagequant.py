"""libimagequant, through libvips: the best palette of at most 256 colours for an image."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyvips

from tinyjpg.backends import vips
from tinyjpg.backends.vips import Pixels
from tinyjpg.containers import png
from tinyjpg.formats import Format

MOST_COLOURS: Final = 256

# libvips' scale from 1 to 10; 4 and below collapse on some images (a score of -36 instead of 90).
_EFFORT: Final = 7


@dataclass(frozen=True, slots=True)
class Setting:
    """What the quantiser is asked for.

    Attributes:
        quality: its own scale, 1 to 100: it takes as few colours as reach it.
        dithered: whether it diffuses the error.
        bit_depth: 8, 4, 2 or 1; it takes at most 2 ** bit_depth colours.
    """

    quality: int
    dithered: bool = False
    bit_depth: int = 8


@dataclass(frozen=True, slots=True)
class Indexed:
    """An image in palette colours.

    Attributes:
        indices: height x width, uint8.
        colours: colours x 4, uint8 RGB and alpha; 1 to 256 of them.
    """

    indices: npt.NDArray[np.uint8]
    colours: npt.NDArray[np.uint8]

    @property
    def pixels(self) -> Pixels:
        """Height x width x 4, or x 3 where every colour is opaque."""
        opaque = bool((self.colours[:, 3] == 255).all())
        return np.take(self.colours[:, :3] if opaque else self.colours, self.indices, axis=0)


def quantise(pixels: Pixels, setting: Setting) -> Indexed:
    """Reduce `pixels`, height x width x 3 or 4, contiguous, to a palette.

    Raises:
        TinyJPGError: libvips cannot.
    """
    height, width, bands = pixels.shape
    with vips.encoding(Format.PNG):
        image = pyvips.Image.new_from_memory(pixels.data, width, height, bands, "uchar")
        file = vips.save(
            image.copy(interpretation="srgb"),
            Format.PNG,
            palette=True,
            Q=setting.quality,
            dither=float(setting.dithered),
            bitdepth=setting.bit_depth,
            effort=_EFFORT,
            filter="none",
            compression=0,
            keep="none",
        )
    return _read(file)


def _read(file: bytes) -> Indexed:
    """The palette PNG that libvips wrote, without row filters or interlacing."""
    header = png.parse(file)
    rows = np.frombuffer(zlib.decompress(b"".join(png.image_data(file, header))), dtype=np.uint8)
    packed = rows.reshape(header.height, -1)[:, 1:]
    colours = np.full((len(header.palette) // 3, 4), 255, dtype=np.uint8)
    colours[:, :3] = np.frombuffer(header.palette, dtype=np.uint8).reshape(-1, 3)
    if header.transparency is not None:
        alpha = np.frombuffer(header.transparency, dtype=np.uint8)
        colours[: len(alpha), 3] = alpha
    return Indexed(_unpacked(packed, header.bit_depth, header.width), colours)


def _unpacked(packed: Pixels, depth: int, width: int) -> npt.NDArray[np.uint8]:
    if depth == 8:
        return packed
    shifts = np.arange(8 - depth, -1, -depth, dtype=np.uint8)
    samples = (packed[:, :, np.newaxis] >> shifts) & np.uint8(2**depth - 1)
    return samples.reshape(len(packed), -1)[:, :width]
