"""The colour chunks of a PNG as one ICC profile, so that one engine converts them all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tinyjpg.containers.icc import Point, rgb_profile
from tinyjpg.containers.png_colour import ColourSpace
from tinyjpg.errors import UnsupportedFormatError

_D65: Final[Point] = (0.3127, 0.3290)
_SRGB: Final = (_D65, (0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
# Rec. ITU-T H.273: colour primaries, white first. The others are for television and film.
_PRIMARIES: Final = {
    1: _SRGB,
    9: (_D65, (0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    12: (_D65, (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
}
# Transfer characteristics, as exponents; None is the curve of sRGB.
_TRANSFERS: Final[dict[int, float | None]] = {4: 2.2, 5: 2.8, 8: 1.0, 13: None}
# Display exponents beyond these are nobody's.
_EXPONENTS: Final = (0.01, 100.0)


def shown_profile(space: ColourSpace, is_srgb_profile: Callable[[bytes], bool]) -> bytes | None:
    """The ICC profile that says what the colour chunks say; None where that is sRGB.

    Except for iCCP it is one for RGB, also of greyscale images, whose code values are R, G and B.

    Of several chunks the one counts that the PNG specification, third edition, 4.3, tells to:
    cICP, iCCP, sRGB, then gAMA with cHRM.

    Args:
        is_srgb_profile: tells whether an ICC profile is sRGB.

    Raises:
        UnsupportedFormatError: the image is HDR, or its cICP chunk names colours that are not for
            still images.
    """
    if space.is_srgb(is_srgb_profile):
        return None
    if space.coding is not None:
        return _coded(space)
    if space.icc_profile is not None:
        return space.icc_profile
    if space.rendering_intent is not None:
        return None
    exponent = None if space.gamma is None else 100_000 / space.gamma
    if exponent is not None and not _EXPONENTS[0] <= exponent <= _EXPONENTS[1]:
        exponent = None
    points = _points(space.chromaticities) if space.chromaticities is not None else _SRGB
    return rgb_profile(*points, exponent)


def _coded(space: ColourSpace) -> bytes | None:
    primaries, transfer, matrix, full_range = space.coding or (0, 0, 0, 0)
    known = primaries in _PRIMARIES and transfer in _TRANSFERS and (matrix, full_range) == (0, 1)
    if space.is_hdr or not known:
        what = "is an HDR image" if space.is_hdr else "has an unusual colour space"
        raise UnsupportedFormatError(
            f"the PNG {what} (cICP {primaries}/{transfer}/{matrix}/{full_range}), whose colours "
            "cannot be converted to sRGB; export both images as SDR first"
        )
    return rgb_profile(*_PRIMARIES[primaries], _TRANSFERS[transfer])


def _points(chromaticities: tuple[int, ...]) -> tuple[Point, Point, Point, Point]:
    wx, wy, rx, ry, gx, gy, bx, by = (one / 100_000 for one in chromaticities)
    return (wx, wy), (rx, ry), (gx, gy), (bx, by)
