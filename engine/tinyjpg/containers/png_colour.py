"""What a PNG says about the meaning of its code values: gAMA, cHRM, sRGB, iCCP, cICP."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tinyjpg.errors import CorruptImageError

# Larger profiles are refused by libpng (PNG_USER_CHUNK_MALLOC_MAX), so by every browser.
_LARGEST_PROFILE: Final = 8_000_000

# Rec. ITU-T H.273: what a PNG that is plain sRGB has in cICP.
_CICP_SRGB: Final = (1, 13, 0, 1)
_PQ, _HLG = 16, 18
# Transfer functions whose code values are about evenly spaced to the eye: BT.709 and its kin,
# gamma 2.2 and 2.8, SMPTE 240M, xvYCC, BT.1361, sRGB, BT.2020.
_PERCEPTUAL_TRANSFERS: Final = frozenset({1, 4, 5, 6, 7, 11, 12, 13, 14, 15})

# PNG specification, 11.3.2.1 and 11.3.2.5, in units of 1/100000: what stands beside an sRGB chunk.
_GAMMA_SRGB: Final = 45_455
_CHROMATICITIES_SRGB: Final = (31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000)
# Encoders disagree by this much about how to round them.
_ROUNDING: Final = 1
_CHROMATICITY_ROUNDING: Final = 10
# File gammas of display exponents from 1.7 to 2.6.
_PERCEPTUAL_GAMMAS: Final = range(38_000, 60_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class ColourSpace:
    """The colour chunks of a file, as far as they are valid.

    Attributes:
        gamma: gAMA, in 1/100000, or None.
        chromaticities: cHRM, white, red, green and blue x and y in 1/100000, or None.
        rendering_intent: sRGB, 0 to 3, or None.
        icc_profile: iCCP, decompressed, or None.
        coding: cICP, colour primaries, transfer function, matrix and full range as numbered by
            H.273, or None.
    """

    gamma: int | None = None
    chromaticities: tuple[int, ...] | None = None
    rendering_intent: int | None = None
    icc_profile: bytes | None = None
    coding: tuple[int, int, int, int] | None = None

    @property
    def is_stated(self) -> bool:
        """Whether there is any of them."""
        return self != ColourSpace()

    @property
    def is_hdr(self) -> bool:
        """Whether the code values are PQ or HLG."""
        return self.coding is not None and self.coding[1] in (_PQ, _HLG)

    def is_srgb(self, is_srgb_profile: Callable[[bytes], bool]) -> bool:
        """Whether the image looks the same without any of the chunks: each says no more than sRGB.

        Args:
            is_srgb_profile: tells whether an ICC profile is sRGB.
        """
        return (
            (self.coding is None or self.coding == _CICP_SRGB)
            and (self.gamma is None or abs(self.gamma - _GAMMA_SRGB) <= _ROUNDING)
            and (self.chromaticities is None or _are_srgb(self.chromaticities))
            and (self.icc_profile is None or is_srgb_profile(self.icc_profile))
        )

    def is_perceptual(self, is_perceptual_profile: Callable[[bytes], bool]) -> bool:
        """Whether equal steps of the code values look about equal, as quantisers take for granted.

        Args:
            is_perceptual_profile: tells so of an ICC profile.
        """
        if self.coding is not None:
            return self.coding[1] in _PERCEPTUAL_TRANSFERS
        if self.icc_profile is not None:
            return is_perceptual_profile(self.icc_profile)
        return (
            self.rendering_intent is not None
            or self.gamma is None
            or self.gamma in _PERCEPTUAL_GAMMAS
        )

    def describe(self) -> tuple[str, ...]:
        """The chunks in words."""
        said = []
        if self.coding is not None:
            what = {_PQ: "HDR (PQ)", _HLG: "HDR (HLG)"}.get(self.coding[1], "cICP")
            said.append(f"{what} {'/'.join(map(str, self.coding))}")
        if self.icc_profile is not None:
            said.append(f"ICC profile of {len(self.icc_profile):,} bytes")
        if self.rendering_intent is not None:
            said.append("sRGB")
        if self.gamma is not None:
            said.append(f"gamma {self.gamma / 100_000:g}")
        if self.chromaticities is not None:
            said.append("chromaticities")
        return tuple(said)


def parse(bodies: dict[bytes, bytes], *, is_grey: bool) -> ColourSpace:
    """Read the colour chunks; one that is damaged counts as absent, as it does for every viewer.

    Args:
        bodies: chunk bodies by type.
        is_grey: whether the colour type of the image is greyscale.

    Raises:
        CorruptImageError: the ICC profile inflates beyond any honest size.
    """
    gamma = _unpack(">I", bodies.get(b"gAMA"))
    chromaticities = _unpack(">8I", bodies.get(b"cHRM"))
    intent = _unpack(">B", bodies.get(b"sRGB"))
    coding = _unpack(">4B", bodies.get(b"cICP"))
    profile = _inflate_profile(bodies[b"iCCP"]) if b"iCCP" in bodies else None
    return ColourSpace(
        gamma=gamma[0] if gamma and gamma[0] else None,
        chromaticities=chromaticities,
        rendering_intent=intent[0] if intent and intent[0] <= 3 else None,
        icc_profile=profile if profile and _is_usable(profile, is_grey=is_grey) else None,
        coding=(coding[0], coding[1], coding[2], coding[3]) if coding else None,
    )


def _unpack(layout: str, body: bytes | None) -> tuple[int, ...] | None:
    if body is None or len(body) != struct.calcsize(layout):
        return None
    return struct.unpack(layout, body)


def _are_srgb(chromaticities: tuple[int, ...]) -> bool:
    return all(
        abs(found - expected) <= _CHROMATICITY_ROUNDING
        for found, expected in zip(chromaticities, _CHROMATICITIES_SRGB, strict=True)
    )


def _inflate_profile(body: bytes) -> bytes | None:
    name, separator, rest = body[:80].partition(b"\0")
    if not separator or not name or rest[:1] != b"\0":
        return None
    stream = zlib.decompressobj()
    try:
        profile = stream.decompress(body[len(name) + 2 :], _LARGEST_PROFILE + 1)
    except zlib.error:
        return None
    if len(profile) > _LARGEST_PROFILE:
        raise CorruptImageError(
            f"the PNG's ICC profile inflates beyond {_LARGEST_PROFILE:,} bytes; remove it or save "
            "the image with another program"
        )
    return profile if stream.eof else None


def _is_usable(profile: bytes, *, is_grey: bool) -> bool:
    # ICC.1:2022, 7.2: size, colour space at byte 16 and signature at byte 36 of the header.
    if len(profile) <= 128 or profile[36:40] != b"acsp":
        return False
    (size,) = struct.unpack_from(">I", profile)
    return size <= len(profile) and profile[16:20] == (b"GRAY" if is_grey else b"RGB ")
