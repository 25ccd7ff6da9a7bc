"""Single WebP pictures: decoded strictly, encoded one way or another, packed tighter."""

from __future__ import annotations

from typing import Final

import numpy as np

from tinyjpg.backends import webp
from tinyjpg.backends.vips import Pixels
from tinyjpg.containers.webp import lossy_bitstream, parse
from tinyjpg.containers.webp_header import Bitstream
from tinyjpg.containers.webp_writer import standalone
from tinyjpg.errors import CorruptImageError

# Effort 6 with smart subsampling costs 1.8 times the time of effort 4 for 2.6 % fewer bytes, and
# 60 times with an alpha channel.
_LOSSY_EFFORT: Final = 4
# (most pixels of all frames, libwebp effort, libwebp quality: in lossless mode effort as well).
# CPU seconds a megapixel for 6/100: 10 to 50, for 4/100: 0.1 to 8, for 4/75: 0.1 to 1.5.
_LOSSLESS_EFFORTS: Final = ((10_000, 6, 100), (250_000, 4, 100), (None, 4, 75))
# (most pixels of all frames, effort of an ALPH chunk). Seconds a megapixel for 6: 10 to 120, for
# 5: 0.1 to 3, for 4: 0.1 to 0.8; each step is 0 to 14 % smaller than the next.
_ALPHA_EFFORTS: Final = ((10_000, 6), (250_000, 5), (None, 4))
_OPAQUE: Final = 255


def decode(bitstream: Bitstream) -> Pixels:
    """The pixels of `bitstream`: height x width x 3 or 4, uint8.

    Raises:
        CorruptImageError: it is truncated or damaged.
    """
    pixels = webp.decode(standalone(bitstream))
    if pixels.shape[:2] != (bitstream.height, bitstream.width):
        raise CorruptImageError(
            f"the WebP picture decodes to {pixels.shape[1]} x {pixels.shape[0]} pixels instead of "
            f"{bitstream.width} x {bitstream.height}; export or download it again"
        )
    return pixels


def normalised(pixels: Pixels) -> Pixels:
    """`pixels` without what nobody sees: an opaque alpha channel, colours of clear pixels.

    What encoders make of hidden colours differs; a result that depends on the visible pixels alone
    is the same again on a second pass.
    """
    if pixels.shape[2] == 3:
        return pixels
    alpha = pixels[..., 3]
    if (alpha == _OPAQUE).all():
        return np.ascontiguousarray(pixels[..., :3])
    if (alpha == 0).any():
        return np.where(alpha[..., None] == 0, np.uint8(0), pixels)
    return pixels


def is_identical(one: Pixels, other: Pixels) -> bool:
    """Whether all samples are equal; a missing alpha channel is an opaque one."""
    if one.shape[2] == other.shape[2]:
        return np.array_equal(one, other)
    with_alpha = one if one.shape[2] == 4 else other
    return bool((with_alpha[..., 3] == _OPAQUE).all()) and np.array_equal(
        one[..., :3], other[..., :3]
    )


def encode_lossless(pixels: Pixels, *, exact: bool, count: int) -> Bitstream:
    """A VP8L stream of `pixels`.

    Args:
        pixels: height x width x 3 or 4, uint8.
        exact: keep the colours of fully transparent pixels too.
        count: pixels of all frames of the file, from which alone the effort follows.
    """
    effort, quality = next(
        settings for most, *settings in _LOSSLESS_EFFORTS if most is None or count <= most
    )
    return _encode(pixels, lossless=True, exact=exact, effort=effort, Q=quality)


def encode_near_lossless(pixels: Pixels, level: int) -> Bitstream:
    """A VP8L stream of slightly simplified pixels.

    Args:
        pixels: height x width x 3 or 4, uint8.
        level: 0 (most simplified), 20, 40, 60 or 80.
    """
    return _encode(pixels, near_lossless=True, Q=level, effort=_LOSSY_EFFORT)


def encode_lossy(pixels: Pixels, quality: int, *, count: int) -> Bitstream:
    """A VP8 frame of `pixels` at libwebp's `quality`, 0 to 100, and its alpha plane exactly.

    Args:
        pixels: height x width x 3 or 4, uint8.
        quality: 0 to 100.
        count: pixels of all frames of the file, from which the effort for alpha follows.
    """
    bitstream = _encode(pixels, Q=quality, smart_subsample=True, effort=_LOSSY_EFFORT, alpha_q=100)
    return with_packed_alpha(bitstream, pixels, count=count)


def with_packed_alpha(bitstream: Bitstream, pixels: Pixels, *, count: int) -> Bitstream:
    """`bitstream`, a VP8 frame, with the alpha plane of `pixels` in the fewest bytes.

    Args:
        bitstream: a VP8 frame with or without an ALPH chunk.
        pixels: what it decodes to, or pixels with the same alpha plane.
        count: pixels of all frames of the file, from which alone the effort follows.
    """
    if bitstream.alpha is None:
        return bitstream
    if pixels.shape[2] == 3 or (pixels[..., 3] == _OPAQUE).all():
        return lossy_bitstream(bitstream.payload, None)
    alpha = _encode_alpha(pixels, 100, count)
    if alpha is None or len(alpha) >= len(bitstream.alpha):
        return bitstream
    return lossy_bitstream(bitstream.payload, alpha)


def with_lossy_alpha(
    bitstream: Bitstream, pixels: Pixels, quality: int, *, count: int
) -> Bitstream | None:
    """`bitstream`, a VP8 frame, with fewer levels of alpha; None where that is not smaller.

    Args:
        bitstream: a VP8 frame with an ALPH chunk.
        pixels: what was encoded; height x width x 4.
        quality: libwebp's alpha quality, 0 to 99.
        count: pixels of all frames of the file, from which alone the effort follows.
    """
    alpha = _encode_alpha(pixels, quality, count)
    if alpha is None or bitstream.alpha is None or len(alpha) >= len(bitstream.alpha):
        return None
    coarse = lossy_bitstream(bitstream.payload, alpha)
    return with_packed_alpha(coarse, decode(coarse), count=count)


def _encode_alpha(pixels: Pixels, quality: int, count: int) -> bytes | None:
    """The ALPH chunk of the alpha plane of `pixels`; None where libwebp finds it opaque."""
    plane = np.zeros_like(pixels)
    plane[..., 3] = pixels[..., 3]
    effort = next(effort for most, effort in _ALPHA_EFFORTS if most is None or count <= most)
    return _encode(plane, Q=0, alpha_q=quality, effort=effort).alpha


def _encode(pixels: Pixels, **options: object) -> Bitstream:
    return parse(webp.encode(pixels, **options)).pictures[0].bitstream
