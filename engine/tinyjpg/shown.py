"""What a viewer shows of an image, whatever it comes as: upright, in sRGB, frame by frame.

Of an animation only the canvas is in memory, never all frames.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from tinyjpg.backends import vips, webp
from tinyjpg.backends.vips import Pixels
from tinyjpg.codecs import gif_frames, png_composites, webp_animation, webp_bitstreams
from tinyjpg.containers import gif_reader
from tinyjpg.containers.gif import GifHeader
from tinyjpg.containers.png import PngHeader
from tinyjpg.containers.png_profile import shown_profile
from tinyjpg.containers.webp_header import WebpHeader
from tinyjpg.errors import CorruptImageError, InvalidOptionError
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
    """

    width: int
    height: int
    delays: tuple[float, ...]
    frames: Callable[[Deadline], Frames]


def look(image: object, limits: Limits) -> Shown:
    """Open the bytes of a file, or take an array of pixels.

    Args:
        image: a JPEG, PNG, WebP or GIF; or height x width or height x width x 1 to 4 sRGB code
            values, uint8 or uint16.
        limits: bounds that a file has to keep to.

    Raises:
        InvalidOptionError: it is neither, or has less than 8 pixels in a dimension.
        UnsupportedFormatError: it is another kind of file, or an HDR image.
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
        # The nearest of 256 levels; 65535 / 255 = 257 is odd, so there are no ties.
        array = ((array.astype(np.uint32) + 128) // 257).astype(np.uint8)
    elif array.dtype != np.uint8:
        raise InvalidOptionError(
            f"the pixels are {array.dtype}; give sRGB code values as uint8 (0 to 255) or uint16 "
            "(0 to 65535), clipped and rounded"
        )
    pixels = check_pixels(array)
    return Shown(pixels.shape[1], pixels.shape[0], (0.0,), lambda _: iter((pixels,)))


def _jpeg(data: bytes, header: Header) -> Shown:
    return _still(header, lambda: _decoded(data, header))


def _png(data: bytes, header: Header) -> Shown:
    header = cast("PngHeader", header)
    profile = shown_profile(header.colour_space, vips.is_srgb)
    header = replace(header, icc_profile=profile)
    animation = header.animation
    if animation is None:
        return _still(header, lambda: _decoded(data, header))
    delays = [1000 * frame.delay for frame in animation.frames]
    return _animated(
        header,
        delays,
        lambda deadline: png_composites.composites(data, header, animation, deadline),
    )


def _webp(_data: bytes, header: Header) -> Shown:
    header = cast("WebpHeader", header)

    def in_srgb(pixels: Pixels) -> Pixels:
        with vips.decoding(Format.WEBP):
            return webp.as_shown(pixels, _needed_profile(header))

    if header.animation is None:
        bitstream = header.pictures[0].bitstream
        return _still(
            header,
            lambda: webp.upright(in_srgb(webp_bitstreams.decode(bitstream)), header.orientation),
        )
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


def _still(header: Header, decode: Callable[[], Pixels]) -> Shown:
    def frames(deadline: Deadline) -> Frames:
        deadline.check(f"the {header.format.upper()} image was decoded")
        yield _of_announced_size(decode(), header.upright_size)

    return Shown(*header.upright_size, (0.0,), frames)


def _animated(header: Header, delays: list[float], frames: Callable[[Deadline], Frames]) -> Shown:
    shown_for = tuple(_UNHURRIED if delay <= _HASTY else delay for delay in delays)
    if len(delays) == 1:
        shown_for = (0.0,)

    def upright(deadline: Deadline) -> Frames:
        for pixels in frames(deadline):
            deadline.check(f"all frames of the {header.format.upper()} were decoded")
            turned = webp.upright(pixels, header.orientation)
            yield _of_announced_size(turned, header.upright_size)

    return Shown(*header.upright_size, shown_for, upright)


def _decoded(data: bytes, header: Header) -> Pixels:
    with vips.decoding(header.format):
        # Warnings are about what viewers pass over in silence.
        image = vips.load(data, header.format, sequential=header.orientation == 1, fail_on="error")
        if header.orientation != 1:
            image = vips.upright(image, header.orientation)
        return vips.srgb_pixels(vips.tagged(image, _needed_profile(header)))


def _needed_profile(header: Header) -> bytes | None:
    profile = header.icc_profile
    return None if profile is None or vips.is_srgb(profile) else profile


def _of_announced_size(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    height, width = pixels.shape[:2]
    if (width, height) != size:
        raise CorruptImageError(
            f"the image decodes to {width} x {height} pixels where its header says {size[0]} x "
            f"{size[1]}; export or download it again"
        )
    return pixels
