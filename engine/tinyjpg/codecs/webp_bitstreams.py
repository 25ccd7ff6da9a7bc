"""Single WebP pictures: decoded strictly, encoded one way or another, packed tighter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from tinyjpg.backends import webp
from tinyjpg.backends.vips import Pixels
from tinyjpg.containers.webp import lossy_bitstream, parse
from tinyjpg.containers.webp_header import Bitstream
from tinyjpg.containers.webp_writer import standalone
from tinyjpg.errors import CorruptImageError

_NEAR_LOSSLESS_EFFORT: Final = 4
# (most pixels of all frames, libwebp effort, libwebp quality: in lossless mode effort as well).
# CPU seconds a megapixel for 6/100: 10 to 50, for 4/100: 0.1 to 8, for 4/75: 0.1 to 1.5.
_LOSSLESS_EFFORTS: Final = ((10_000, 6, 100), (250_000, 4, 100), (None, 4, 75))
# (most pixels of all frames, effort of an ALPH chunk). Seconds a megapixel for 6: 10 to 120, for
# 5: 0.1 to 3, for 4: 0.1 to 0.8; each step is 0 to 14 % smaller than the next.
_ALPHA_EFFORTS: Final = ((10_000, 6), (250_000, 5), (None, 4))
_OPAQUE: Final = 255
_BLOCK: Final = 8

EXACT_ALPHA: Final = 100
"""libwebp's alpha quality that keeps every value."""


@dataclass(frozen=True, slots=True)
class Coding:
    """libwebp's settings for lossy coding, besides its quality.

    Attributes:
        smart_subsample: correct luma for what halving the resolution of chroma does to it.
        preset: default, picture, photo, drawing, icon or text.
    """

    smart_subsample: bool = True
    preset: str = "default"


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


def quick_lossless_size(pixels: Pixels) -> int:
    """Bytes of a VP8L stream of `pixels` that takes .02 to .2 seconds a megapixel to make.

    `encode_lossless` makes it up to a third smaller.
    """
    return _encode(pixels, lossless=True, effort=1, Q=20).size


def encode_near_lossless(pixels: Pixels, level: int) -> Bitstream:
    """A VP8L stream of slightly simplified pixels.

    Args:
        pixels: height x width x 3 or 4, uint8.
        level: 0 (most simplified), 20, 40, 60 or 80.
    """
    return _encode(pixels, near_lossless=True, Q=level, effort=_NEAR_LOSSLESS_EFFORT)


def encode_colours(colours: Pixels, quality: int, coding: Coding, *, effort: int) -> Bitstream:
    """A VP8 frame of `colours` at libwebp's `quality`, 0 to 100.

    Args:
        colours: height x width x 3, uint8.
        quality: 0 to 100.
        coding: libwebp's other settings.
        effort: 0 to 6. CPU seconds a megapixel with smart subsampling: .21 for 4, .38 for 6, which
            takes 5 % fewer bytes on photographs and 2 % on screenshots; .09 less without.
    """
    return _encode(
        colours,
        Q=quality,
        effort=effort,
        smart_subsample=coding.smart_subsample,
        preset=coding.preset,
    )


def encode_alpha(pixels: Pixels, quality: int, *, count: int) -> bytes | None:
    """The ALPH chunk of the alpha plane of `pixels`; None where it is opaque.

    Args:
        pixels: height x width x 3 or 4, uint8.
        quality: libwebp's alpha quality: 100 keeps every value, below there are fewer levels.
        count: pixels of all frames of the file, from which alone the effort follows.
    """
    if pixels.shape[2] == 3:
        return None
    plane = np.zeros_like(pixels)
    plane[..., 3] = pixels[..., 3]
    effort = next(effort for most, effort in _ALPHA_EFFORTS if most is None or count <= most)
    return _encode(plane, Q=0, alpha_q=quality, effort=effort).alpha


def opaque(pixels: Pixels) -> Pixels:
    """The colours of `pixels`, with those of clear pixels chosen to cost few bytes in VP8.

    They take the mean of what is visible in their 8 x 8 block; blocks without anything visible
    take that of the block before.

    Args:
        pixels: height x width x 3 or 4, uint8, as `normalised` returns them.

    Returns:
        height x width x 3.
    """
    if pixels.shape[2] == 3:
        return pixels
    colours, clear = np.ascontiguousarray(pixels[..., :3]), pixels[..., 3] == 0
    if not clear.any():
        return colours
    height, width = clear.shape
    edges = ((0, -height % _BLOCK), (0, -width % _BLOCK))
    down, across = (height + edges[0][1]) // _BLOCK, (width + edges[1][1]) // _BLOCK
    blocks = (down, _BLOCK, across, _BLOCK)
    visible = np.pad(~clear, edges).reshape(blocks).sum(axis=(1, 3))
    sums = np.pad(colours, (*edges, (0, 0))).reshape(*blocks, 3).sum(axis=(1, 3), dtype=np.uint32)
    means = (sums // np.maximum(visible, 1)[..., None]).astype(np.uint8).reshape(-1, 3)
    filled = visible.reshape(-1) > 0
    latest = np.maximum.accumulate(np.where(filled, np.arange(filled.size), -1))
    latest[latest < 0] = int(filled.argmax())
    wide = means[latest].reshape(down, across, 3).repeat(_BLOCK, axis=0).repeat(_BLOCK, axis=1)
    return np.where(clear[..., None], wide[:height, :width], colours)


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
    alpha = encode_alpha(pixels, EXACT_ALPHA, count=count)
    if alpha is None or len(alpha) >= len(bitstream.alpha):
        return bitstream
    return lossy_bitstream(bitstream.payload, alpha)


def _encode(pixels: Pixels, **options: object) -> Bitstream:
    return parse(webp.encode(pixels, **options)).pictures[0].bitstream
