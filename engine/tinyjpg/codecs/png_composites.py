"""What viewers show of an APNG: its frames drawn onto a canvas, one after the other."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace
from enum import IntEnum
from typing import Final

import numpy as np

from tinyjpg.backends import vips
from tinyjpg.backends.vips import Pixels
from tinyjpg.containers.png import PngHeader, check_compressed_size
from tinyjpg.containers.png_animation import Animation, Frame
from tinyjpg.containers.png_writer import still
from tinyjpg.formats import Format
from tinyjpg.limits import Deadline

_PLACE: Final = ">8x2I4x2B"  # the body of fcTL: left, top, disposal, blending
_OVER: Final = 1


class _Disposal(IntEnum):
    """What happens to the part that a frame covers when its time is over."""

    KEEP = 0
    CLEAR = 1
    RESTORE = 2


def composites(
    data: bytes, header: PngHeader, animation: Animation, deadline: Deadline
) -> Iterator[Pixels]:
    """The pictures of `animation` as shown: height x width x 4, 8-bit sRGB and alpha.

    The array is the same one each time, overwritten; copy it to keep it. Drawing is that of the PNG
    specification, third edition, 11.3.6.2.

    Raises:
        CorruptImageError: the pixels of a frame are truncated or damaged.
        DeadlineExceededError: time ran out before the end.
    """
    canvas = np.zeros((header.height, header.width, 4), np.uint8)
    for number, frame in enumerate(animation.frames):
        deadline.check("all frames of the PNG were decoded")
        left, top, disposal, blending = struct.unpack(_PLACE, frame.control)
        area = canvas[top : top + frame.height, left : left + frame.width]
        # There is nothing to restore before the first frame.
        disposal = _Disposal.CLEAR if not number and disposal == _Disposal.RESTORE else disposal
        saved = area.copy() if disposal == _Disposal.RESTORE else None
        pixels = _decode(data, header, frame)
        if blending == _OVER:
            _blend(area, pixels)
        else:
            area[...] = pixels
        yield canvas
        if disposal == _Disposal.CLEAR:
            area[...] = 0
        elif saved is not None:
            area[...] = saved


def _decode(data: bytes, header: PngHeader, frame: Frame) -> Pixels:
    region = replace(header, width=frame.width, height=frame.height)
    compressed = frame.compressed(data)
    check_compressed_size(sum(map(len, compressed)), region.decoded_size)
    file = still(region, [], compressed)
    with vips.decoding(Format.PNG):
        image = vips.load(file, Format.PNG, fail_on="error")
        pixels = vips.srgb_pixels(vips.tagged(image, header.icc_profile))
    height, width, bands = pixels.shape
    rgba = np.full((height, width, 4), 255, np.uint8)
    rgba[..., :3] = pixels[..., : 1 if bands <= 2 else 3]
    if bands in (2, 4):
        rgba[..., 3] = pixels[..., -1]
    return rgba


def _blend(area: Pixels, pixels: Pixels) -> None:
    """Draw `pixels` over `area`, in place, by the formula of the specification (13.16)."""
    alpha = pixels[..., 3]
    opaque = (alpha == 255) | (area[..., 3] == 0)
    area[opaque] = pixels[opaque]
    mixed = ~opaque & (alpha != 0)
    if not mixed.any():
        return
    above, below = pixels[mixed].astype(np.float32), area[mixed].astype(np.float32)
    weight = above[:, 3:] / 255
    rest = (1 - weight) * below[:, 3:] / 255
    total = weight + rest
    colour = (above[:, :3] * weight + below[:, :3] * rest) / total
    area[mixed] = np.rint(np.concatenate([colour, total * 255], axis=1)).astype(np.uint8)
