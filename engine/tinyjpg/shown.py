"""What a viewer shows of an image, whatever it comes as: upright, in sRGB, frame by frame.

Of an animation only the canvas is in memory, never all frames; of a still that its decoder can
stream only some rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from tinyjpg.backends import vips, webp
from tinyjpg.backends.vips import Pixels
from tinyjpg.codecs import gif_frames, png_composites, webp_animation
from tinyjpg.containers import gif_reader
from tinyjpg.containers.gif import GifHeader
from tinyjpg.containers.png import PngHeader
from tinyjpg.containers.png_profile import shown_profile
from tinyjpg.containers.webp_header import WebpHeader
from tinyjpg.containers.webp_writer import standalone
from tinyjpg.errors import CorruptImageError, InvalidOptionError, UnsupportedFormatError
from tinyjpg.formats import Format
from tinyjpg.limits import Deadline, Limits
from tinyjpg.metric import SMALLEST_SIDE, check_pixels
from tinyjpg.optimize import as_bytes, probe
from tinyjpg.source import Header

Frames: TypeAlias = Iterator[Pixels]

# Browsers show frames that ask for 10 ms or less for 100 ms, in every format.
_HASTY: Final = 10.0
_UNHURRIED: Final = 100.0


@dataclass(frozen=True, slots=True)
class Shown:
    """An image as shown; opened, not yet decoded.

    Attributes:
        width, height: pixels, upright.
        delays: milliseconds that each frame is shown, above 10; 0 for a still.
        frames: decodes the frames: height x width x 1 to 4, 8-bit sRGB, grey or with alpha. The
            array may be overwritten when the next one is asked for. Raises CorruptImageError and
            DeadlineExceededError.
        strips: decodes a still: at most as many rows at a time as it is told, in the same form.
            None for an animation.
    """

    width: int
    height: int
    delays: tuple[float, ...]
    frames: Callable[[Deadline], Frames]
    strips: Callable[[Deadline, int], Frames] | None = None


def look(image: object, limits: Limits) -> Shown:
    """Open the bytes of a file, or take an array of pixels.

    Args:
        image: a JPEG, PNG, WebP or GIF; or height x width or height x width x 1 to 4 sRGB code
            values, uint8 or uint16.
        limits: bounds that a file has to keep to.

    Raises:
        InvalidOptionError: it is neither, or has less than 8 pixels in a dimension.
        UnsupportedFormatError: it is another kind of file, an HDR PNG or a JPEG of 12 bits.
        CorruptImageError: the header is damaged.
        LimitExceededError: the image is larger than `limits` allow.
    """
    if isinstance(image, np.ndarray):
        return _of_array(image)
    if not isinstance(image, (bytes, bytearray, memoryview)):
        raise InvalidOptionError(
            f"an image is given as {type(image).__name__}; give the bytes of a file, as from "
            "Path.read_bytes(), or a numpy array of pixels"
        )
    data = as_bytes(image)
    header = probe(data, limits)
    width, height = header.upright_size
    if min(width, height) < SMALLEST_SIDE:
        raise InvalidOptionError(
            f"the image has {width} x {height} pixels; "
            f"a score needs at least {SMALLEST_SIDE} x {SMALLEST_SIDE}"
        )
    return _OPENERS[header.format](data, header)


def _of_array(array: npt.NDArray[Any]) -> Shown:
    if array.ndim == 2:
        array = array[..., np.newaxis]
    if array.dtype.kind == "u" and array.dtype.itemsize == 2:
        array = _to_eight_bits(array)
    elif array.dtype != np.uint8:
        raise InvalidOptionError(
            f"the pixels are {array.dtype}; give sRGB code values as uint8 (0 to 255) or uint16 "
            "(0 to 65535), clipped and rounded"
        )
    pixels = check_pixels(array)
    return _still((pixels.shape[1], pixels.shape[0]), lambda rows: _slices(pixels, rows))


def _to_eight_bits(array: npt.NDArray[np.uint16]) -> Pixels:
    # The nearest of 256 levels; 65535 / 255 = 257 is odd, so there are no ties. Row by row, for
    # the sum takes more bits.
    result = np.empty(array.shape, np.uint8)
    for row, wide in zip(result, array, strict=True):
        row[...] = (wide.astype(np.uint32) + 128) // 257
    return result


def _jpeg(data: bytes, header: Header) -> Shown:
    if header.bit_depth != 8:
        raise UnsupportedFormatError(
            f"the JPEG has {header.bit_depth} bits a sample, which hardly any viewer shows; save "
            "it with 8"
        )
    return _streamed(data, header)


def _png(data: bytes, header: Header) -> Shown:
    header = cast("PngHeader", header)
    profile = shown_profile(header.colour_space, vips.is_srgb)
    header = replace(header, icc_profile=profile)
    animation = header.animation
    if animation is None:
        return _streamed(data, header)
    delays = [1000 * frame.delay for frame in animation.frames]
    return _animated(
        header,
        delays,
        lambda deadline: png_composites.composites(data, header, animation, deadline),
    )


def _webp(_data: bytes, header: Header) -> Shown:
    header = cast("WebpHeader", header)
    if header.animation is None:
        return _streamed(standalone(header.pictures[0].bitstream), header)

    def in_srgb(pixels: Pixels) -> Pixels:
        with vips.decoding(Format.WEBP):
            return webp.as_shown(pixels, _needed_profile(header))

    delays = [float(frame.duration) for frame in header.pictures]
    return _animated(header, delays, lambda _: map(in_srgb, webp_animation.composites(header)))


def _gif(data: bytes, header: Header) -> Shown:
    header = cast("GifHeader", header)

    def frames(deadline: Deadline) -> Frames:
        # A profile in a GIF is metadata that no browser applies.
        played = gif_frames.play(gif_reader.read(data), gif_frames.Decoder(deadline))
        return (gif_frames.channels(shown.canvas) for shown in played)

    return _animated(header, [10.0 * delay for delay in header.delays], frames)


_OPENERS: Final[dict[Format, Callable[[bytes, Header], Shown]]] = {
    Format.JPEG: _jpeg,
    Format.PNG: _png,
    Format.WEBP: _webp,
    Format.GIF: _gif,
}


def _streamed(data: bytes, header: Header) -> Shown:
    """A still that libvips decodes from top to bottom, or at once where it has to be turned."""

    def strips(rows: int) -> Frames:
        with vips.decoding(header.format):
            # Warnings are about what viewers pass over in silence.
            image = vips.load(
                data, header.format, sequential=header.orientation == 1, fail_on="error"
            )
            if header.orientation != 1:
                image = vips.upright(image, header.orientation)
            image = vips.as_srgb(vips.tagged(image, _needed_profile(header)))
            _check_size((image.width, image.height), header)
            if rows >= image.height:
                yield vips.pixels(image)
                return
            yield from vips.strips(image, rows)

    return _still(header.upright_size, strips)


def _still(size: tuple[int, int], strips: Callable[[int], Frames]) -> Shown:
    def timed(deadline: Deadline, rows: int) -> Frames:
        deadline.check("the image was decoded")
        for strip in strips(rows):
            yield strip
            deadline.check("the image was decoded")

    width, height = size
    return Shown(width, height, (0.0,), lambda deadline: timed(deadline, height), timed)


def _slices(pixels: Pixels, rows: int) -> Frames:
    for top in range(0, len(pixels), rows):
        yield pixels[top : top + rows]


def _animated(header: Header, delays: list[float], frames: Callable[[Deadline], Frames]) -> Shown:
    shown_for = tuple(_UNHURRIED if delay <= _HASTY else delay for delay in delays)
    if len(delays) == 1:
        shown_for = (0.0,)

    def upright(deadline: Deadline) -> Frames:
        for pixels in frames(deadline):
            deadline.check(f"all frames of the {header.format.upper()} were decoded")
            yield webp.upright(pixels, header.orientation)

    return Shown(*header.upright_size, shown_for, upright)


def _needed_profile(header: Header) -> bytes | None:
    profile = header.icc_profile
    return None if profile is None or vips.is_srgb(profile) else profile


def _check_size(found: tuple[int, int], header: Header) -> None:
    if found != header.upright_size:
        sizes = " instead of ".join(
            f"{width} x {height}" for width, height in (found, header.upright_size)
        )
        raise CorruptImageError(
            f"the {header.format.upper()} image decodes to {sizes} pixels; export or download it "
            "again"
        )
