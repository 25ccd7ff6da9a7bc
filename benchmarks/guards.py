"""Metrics that nobody tunes on here: what they say of results that score alike.

Both are decibels of luma, so that a line between two results is about straight.
"""

from __future__ import annotations

import contextlib
import io
import math
from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from tinyjpg.metric import Pixels

# Identical pictures; below curves.LOSSLESS.
_MOST: Final = 99.0


def _luma(pixels: Pixels) -> npt.NDArray[np.uint8]:
    """ITU-R BT.601 luma of height x width x 3 code values."""
    weights = np.array([0.299, 0.587, 0.114], np.float32)
    luma: npt.NDArray[np.float32] = pixels.astype(np.float32) @ weights
    return luma.round().astype(np.uint8)


def ms_ssim(original: Pixels, other: Pixels) -> float:
    """Multi-scale SSIM (Wang, Simoncelli, Bovik 2003) of luma, as -10 log10(1 - MS-SSIM)."""
    import blazediff_ssim  # noqa: PLC0415  (only where the benchmark is asked for)

    height, width, _ = original.shape
    first, second = (_rgba(_luma(pixels)) for pixels in (original, other))
    score = blazediff_ssim.compare_rgba(first, second, width, height, metric="ms-ssim").score
    return min(_MOST, -10 * math.log10(max(1 - score, 1e-12)))


def _rgba(grey: npt.NDArray[np.uint8]) -> bytes:
    return np.dstack([grey, grey, grey, np.full_like(grey, 255)]).tobytes()


def psnr_hvs_m(original: Pixels, other: Pixels) -> float:
    """PSNR-HVS-M (Ponomarenko and others 2007) of luma."""
    # It talks to standard output when it is imported.
    with contextlib.redirect_stdout(io.StringIO()):
        from psnr_hvsm import psnr_hvs_hvsm  # noqa: PLC0415

    height, width = (side // 8 * 8 for side in original.shape[:2])
    first, second = (
        _luma(pixels)[:height, :width].astype(np.float64) / 255 for pixels in (original, other)
    )
    # Plain blocks divide zero by zero on the way.
    with np.errstate(invalid="ignore"):
        _, masked = psnr_hvs_hvsm(first, second)
    return min(_MOST, float(masked))


GUARDS: Final[dict[str, Callable[[Pixels, Pixels], float]]] = {
    "luma MS-SSIM": ms_ssim,
    "PSNR-HVS-M": psnr_hvs_m,
}
