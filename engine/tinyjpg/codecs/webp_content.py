"""What the pixels tell a lossy WebP encoder before anything is encoded."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from tinyjpg.backends.vips import Pixels
from tinyjpg.calibration import WEBP_LOSSY
from tinyjpg.codecs.webp_bitstreams import Coding

# The `subsampling_error` from which smart subsampling takes fewer bytes at equal score: below, up
# to 10 % more (fog, interiors), above, up to 20 % fewer (saturated colours). Measured on 51
# photographs at scores of 70 to 85, chosen on every other one.
_SMART_FROM: Final = 2.5
# The preset takes up to 5 % fewer bytes on photographs below a score of 70 or so, and up to 1.5 %
# more above 75.
_PHOTO_PRESET_BELOW: Final = 75
# Busy pictures need a lower setting. Fitted on every other one of 51 photographs at a score of 80,
# where it takes the standard deviation of the setting on the rest from 2.8 to 2.3.
_SETTING_PER_BUSYNESS: Final = -1.1
_USUAL_BUSYNESS: Final = 4.3
_MOST_SHIFT: Final = 4.0
_LEAST_STEP: Final = 0.1

# Quads of 2 x 2 pixels that are looked at, at most: 10 ms. Half as many miss small bright things.
_MOST_QUADS: Final = 32_768
# Luma of code values (BT.601), as VP8 stores it, and luminance of linear light (BT.709).
_LUMA: Final = np.array([0.299, 0.587, 0.114], np.float32)
_LUMINANCE: Final = np.array([0.2126, 0.7152, 0.0722], np.float32)
# What SSIMULACRA2 adds in front of the cube root that makes luminance perceptual.
_BIAS: Final = 0.0038
# Code values to linear light by the sRGB curve (IEC 61966-2-1).
_LINEAR: Final[npt.NDArray[np.float32]] = np.array(
    [
        code / 12.92 if code <= 0.04045 else ((code + 0.055) / 1.055) ** 2.4
        for code in (step / 255 for step in range(256))
    ],
    np.float32,
)


def coding_for(colours: Pixels, quality: int) -> Coding:
    """The settings that take the fewest bytes at the SSIMULACRA2 score `quality`.

    Args:
        colours: height x width x 3, uint8 sRGB code values.
    """
    return Coding(
        smart_subsample=subsampling_error(colours) >= _SMART_FROM,
        preset="photo" if quality < _PHOTO_PRESET_BELOW else "default",
    )


def subsampling_error(colours: Pixels) -> float:
    """How far halving the resolution of chroma moves the lightness of pixels, in thousandths.

    Luma is kept, but with the mean chroma of four pixels it no longer gives their luminance;
    libwebp's smart subsampling puts that right. The L4 norm over pixels of the change in the cube
    root of luminance: 0 for grey, about 1 for haze, above 5 where saturated colours meet.

    Args:
        colours: height x width x 3, uint8 sRGB code values.
    """
    quads = _quads(colours)
    if not quads.size:
        return 0.0
    luma = quads.astype(np.float32) @ _LUMA
    mean = np.rint(quads.mean(axis=1, dtype=np.float32))
    chroma = mean - (mean @ _LUMA)[:, None]
    decoded = np.clip(np.rint(luma[:, :, None] + chroma[:, None, :]), 0, 255).astype(np.uint8)
    change = _lightness(decoded) - _lightness(quads)
    return 1000 * float((change**4).mean() ** 0.25)


def seed(colours: Pixels, quality: int) -> float:
    """The libwebp quality that is expected to lead to the SSIMULACRA2 score `quality`.

    Args:
        colours: height x width x 3, uint8 sRGB code values.
    """
    shift = _SETTING_PER_BUSYNESS * (busyness(colours) - _USUAL_BUSYNESS)
    return WEBP_LOSSY.at(quality) + min(max(shift, -_MOST_SHIFT), _MOST_SHIFT)


def busyness(colours: Pixels) -> float:
    """The natural logarithm of the mean squared step between neighbours, in green code values.

    About 1 for fog and 6 for foliage.

    Args:
        colours: height x width x 3, uint8 sRGB code values.
    """
    green = _quads(colours)[..., 1].astype(np.float32)
    if not green.size:
        return _USUAL_BUSYNESS
    steps = green[:, 1::2] - green[:, ::2]
    return float(np.log(max(float((steps**2).mean()), _LEAST_STEP)))


def _quads(colours: Pixels) -> Pixels:
    """Squares of 2 x 2 pixels from rows all over the picture: count x 4 x 3."""
    height, width = colours.shape[0] // 2, colours.shape[1] // 2
    every = max(1, -(-height * width // _MOST_QUADS))
    rows = colours[: 2 * height, : 2 * width].reshape(height, 2, width, 2, 3)[::every]
    return rows.transpose(0, 2, 1, 3, 4).reshape(-1, 4, 3)


def _lightness(colours: Pixels) -> npt.NDArray[np.float32]:
    luminance: npt.NDArray[np.float32] = _LINEAR[colours] @ _LUMINANCE + np.float32(_BIAS)
    return np.cbrt(luminance)
