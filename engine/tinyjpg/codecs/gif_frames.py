"""GIF frames as pixels: decoding one image, and playing all of them as browsers do."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from tinyjpg.backends import vips
from tinyjpg.containers.gif_blocks import CLEAR, RESTORE, Gif, Image
from tinyjpg.errors import CorruptImageError
from tinyjpg.formats import Format
from tinyjpg.limits import Deadline

Indices = npt.NDArray[np.uint8]
Canvas = npt.NDArray[np.uint32]
"""Pixels as packed RGBA, height x width; 0 is clear."""

Region = tuple[slice, slice]

# Some encoders write 4 where the specification says 3; browsers take both.
_RESTORING: Final = (RESTORE, 4)

_GREYS: Final = bytes(level for level in range(256) for _ in range(3))
_OPAQUE: Final = int(np.frombuffer(b"\0\0\0\xff", np.uint32)[0])

# Pixels that one LZW code stands for at most. Data too short for its image in any case is refused
# before memory is taken for that.
_LONGEST_STRING: Final = 4096

# How much decoded image data is kept for the next time it is needed.
_REMEMBERED_BYTES: Final = 64 * 1024 * 1024
# How much is fetched from libvips at a time.
_BAND_PIXELS: Final = 1 << 22

_Key = tuple[bytes, int, int, int, bool]

# A second frame of one clear pixel: it makes libvips deliver alpha, in which pixels that the image
# data does not reach differ from painted ones.
_CLEAR_FRAME: Final = bytes.fromhex("21f90401000000002c0000000001000100000202440100")


class Decoder:
    """Decodes images, each once as far as memory for their pixels lasts.

    Attributes:
        deadline: when decoding has to stop.
    """

    def __init__(self, deadline: Deadline) -> None:
        self.deadline: Final = deadline
        self._known: dict[_Key, Indices] = {}
        self._last: tuple[_Key | None, Indices] = (None, np.empty((0, 0), np.uint8))
        self._room = _REMEMBERED_BYTES

    def decode(self, image: Image) -> Indices:
        """The colour indices of one image, height x width, read-only; interlacing is undone.

        Raises:
            CorruptImageError: its data is damaged, or ends before the last pixel.
            DeadlineExceededError: time has run out.
        """
        self.deadline.check("all frames of the GIF were decoded")
        key = (image.data, image.code_size, image.width, image.height, image.interlaced)
        if key == self._last[0]:
            return self._last[1]
        indices = self._known.get(key)
        if indices is None:
            indices = _decoded(image)
            indices.flags.writeable = False
            if indices.nbytes <= self._room:
                self._known[key] = indices
                self._room -= indices.nbytes
        self._last = (key, indices)
        return indices


def _decoded(image: Image) -> Indices:
    codes = 8 * len(image.data) // (image.code_size + 1)
    if image.width * image.height > codes * _LONGEST_STRING:
        raise _too_short()
    place = struct.pack("<4HB", 0, 0, image.width, image.height, image.interlaced << 6)
    alone = b"".join(
        (
            b"GIF89a" + struct.pack("<HHBBB", image.width, image.height, 0xF7, 0, 0) + _GREYS,
            b"\x2c" + place + bytes((image.code_size,)),
            image.data,
            _CLEAR_FRAME + b"\x3b",
        )
    )
    indices = np.empty((image.height, image.width), np.uint8)
    loaded = vips.load(alone, Format.GIF, n=1)
    if (loaded.width, loaded.height, loaded.bands) != (image.width, image.height, 4):
        raise CorruptImageError(
            "the GIF has an image that cannot be decoded; export or download it again"
        )
    rows = max(1, _BAND_PIXELS // image.width)
    for top in range(0, image.height, rows):
        with vips.decoding(Format.GIF):
            height = min(rows, image.height - top)
            band = vips.pixels(loaded.crop(0, top, image.width, height))
        if not band[:, :, 3].all():
            raise _too_short()
        indices[top : top + height] = band[:, :, 0]
    return indices


def _too_short() -> CorruptImageError:
    return CorruptImageError(
        "the GIF has an image whose data ends before its last pixel; export or download it again"
    )


def channels(canvas: Canvas) -> vips.Pixels:
    """The pixels of `canvas` as height x width x 4, without a copy."""
    return canvas.view(np.uint8).reshape(*canvas.shape, 4)


def alpha_of(canvas: Canvas) -> Canvas:
    """Nothing but the alpha of packed pixels, of any shape."""
    return canvas & np.uint32(_OPAQUE)


def paints_unknown_colours(gif: Gif, image: Image, indices: Indices) -> bool:
    """Whether `image` uses an index beyond its palette, which every viewer paints differently."""
    colours = len(gif.colours(image)) // 3
    if colours >= 1 << image.code_size:
        return False
    beyond = indices >= colours
    if image.control is not None and image.control.transparent is not None:
        beyond &= indices != image.control.transparent
    return bool(beyond.any())


@dataclass(frozen=True, slots=True)
class Shown:
    """What one frame shows.

    Attributes:
        canvas: the picture; it changes when the next frame is asked for.
        changed: the part that may differ from the frame before.
    """

    canvas: Canvas
    changed: Region


def play(gif: Gif, decoder: Decoder) -> Iterator[Shown]:
    """The pictures that `gif` shows, one for each image.

    Raises:
        CorruptImageError: image data is damaged or cut short.
        DeadlineExceededError: time ran out before the end.
    """
    player = _Player(gif)
    for image in gif.images:
        yield player.show(image, decoder.decode(image))


def play_together(
    one: Gif, other: Gif, decoder: Decoder
) -> Iterator[tuple[Canvas, Canvas, Region]]:
    """The pictures of two animations of equal length and size, and where either changed.

    Raises:
        CorruptImageError: image data is damaged or cut short.
        DeadlineExceededError: time ran out before the end.
    """
    first, second = _Player(one), _Player(other)
    for left, right in zip(one.images, other.images, strict=True):
        shown = first.show(left, decoder.decode(left))
        twin = second.show(right, decoder.decode(right))
        yield shown.canvas, twin.canvas, _union(shown.changed, twin.changed)


class _Player:
    """A canvas that images are drawn upon as browsers do."""

    def __init__(self, gif: Gif) -> None:
        width, height = gif.canvas
        self._gif = gif
        self._canvas: Canvas = np.zeros((height, width), np.uint32)
        self._previous: tuple[Region, int, Canvas | None] = (_NOTHING, 0, None)

    def show(self, image: Image, indices: Indices) -> Shown:
        """Dispose of the image before, then draw `image`, whose colour indices are given."""
        disposed = self._dispose()
        region = region_of(image, self._canvas.shape)
        target = self._canvas[region]
        disposal = image.control.disposal if image.control else 0
        saved = target.copy() if disposal in _RESTORING else None
        self._previous = (region, disposal, saved)
        _paint(target, self._gif, image, indices)
        return Shown(self._canvas, _union(disposed, region))

    def _dispose(self) -> Region:
        region, disposal, saved = self._previous
        if disposal == CLEAR:
            self._canvas[region] = 0
            return region
        if saved is not None:
            self._canvas[region] = saved
            return region
        return _NOTHING


_NOTHING: Final[Region] = (slice(0, 0), slice(0, 0))


def region_of(image: Image, canvas: tuple[int, ...]) -> Region:
    """The part of a canvas of the given height and width that `image` covers."""
    height, width = canvas
    return (
        slice(min(image.top, height), min(image.top + image.height, height)),
        slice(min(image.left, width), min(image.left + image.width, width)),
    )


def _union(one: Region, other: Region) -> Region:
    if one == _NOTHING:
        return other
    if other == _NOTHING:
        return one
    rows, columns = (
        slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in zip(one, other, strict=True)
    )
    return rows, columns


def _paint(target: Canvas, gif: Gif, image: Image, indices: Indices) -> None:
    """Draw `image` onto `target`, the part of the canvas that it covers."""
    height, width = target.shape
    indices = indices[:height, :width]
    colours = table(gif.colours(image))
    transparent = image.control.transparent if image.control else None
    if transparent is None:
        target[...] = colours[indices]
    else:
        np.copyto(target, colours[indices], where=indices != transparent)


def table(palette: bytes) -> Canvas:
    """The 256 packed pixels that colour indices stand for; those beyond the palette are black."""
    table = np.zeros((256, 4), np.uint8)
    table[:, 3] = 255
    table[: len(palette) // 3, :3] = np.frombuffer(palette, np.uint8).reshape(-1, 3)
    return table.view(np.uint32)[:, 0]
