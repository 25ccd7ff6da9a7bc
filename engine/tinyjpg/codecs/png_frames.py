"""APNG: every frame is packed losslessly on its own; regions, delays and loops stay untouched."""

from __future__ import annotations

import struct
from dataclasses import replace

from tinyjpg.backends import oxipng
from tinyjpg.backends.oxipng import Packing
from tinyjpg.codecs.png_metadata import Ancillary
from tinyjpg.containers import png
from tinyjpg.containers.png import PngHeader
from tinyjpg.containers.png_animation import Animation
from tinyjpg.containers.png_chunks import write
from tinyjpg.containers.png_writer import assemble, still
from tinyjpg.limits import Deadline


def pack_animation(
    data: bytes,
    header: PngHeader,
    animation: Animation,
    ancillary: Ancillary,
    *,
    packing: Packing,
    deadline: Deadline,
) -> bytes:
    """`data` with every frame packed to the fixed point, in the pixel format it has.

    Args:
        ancillary: (type, body) of the chunks to write besides those of the animation.
        deadline: after it frames are only decoded, to be sure that they are intact.

    Raises:
        CorruptImageError: the pixels of a frame are truncated or damaged.
    """
    packing = packing.keeping_pixel_format()
    image: list[bytes] = []
    if animation.has_hidden_default:
        default = _packed(header, png.image_data(data, header), packing, deadline)
        image.append(write(b"IDAT", default))
    sequence = 0
    for frame in animation.frames:
        region = replace(header, width=frame.width, height=frame.height)
        pixels = _packed(region, frame.compressed(data), packing, deadline)
        image.append(write(b"fcTL", struct.pack(">I", sequence) + frame.control))
        sequence += 1
        if frame.is_default_image:
            image.append(write(b"IDAT", pixels))
        else:
            image.append(write(b"fdAT", struct.pack(">I", sequence) + pixels))
            sequence += 1
    control = struct.pack(">II", len(animation.frames), animation.plays)
    return assemble(header, [*ancillary, (b"acTL", control)], image)


def _packed(
    region: PngHeader, compressed: list[memoryview], packing: Packing, deadline: Deadline
) -> bytes:
    """The pixels of one frame, whose size is that of `region`, as a zlib stream."""
    png.check_compressed_size(sum(len(piece) for piece in compressed), region.decoded_size)
    current = still(region, [], compressed)
    while True:
        made = oxipng.pack(current, packing, deadline)
        if len(made) >= len(current):
            break
        current = made
        if deadline.passed:
            break
    return b"".join(png.image_data(current, png.parse(current)))
