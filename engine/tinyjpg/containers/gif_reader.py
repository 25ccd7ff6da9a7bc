"""Parsing GIF files, whose bytes may be hostile, into blocks."""

from __future__ import annotations

import struct
from typing import Final, NoReturn

from tinyjpg.containers.gif_blocks import LOOPING, Control, Extension, Gif, Image, Loop
from tinyjpg.errors import CorruptImageError, LimitExceededError

_EXTENSION: Final = 0x21
_IMAGE: Final = 0x2C
_TRAILER: Final = 0x3B

_GRAPHIC_CONTROL: Final = 0xF9
_PLAIN_TEXT: Final = 0x01

# The other thing a looping extension may hold: how much to load before playing. Nobody reads it.
_BUFFERING: Final = b"\x02"

# Pixels have at most 8 bits, so no encoder writes a larger code size and decoders differ on 0.
_CODE_SIZES: Final = range(1, 9)

# A block takes 3 bytes of a file but some 300 of memory once parsed.
_MOST_BLOCKS: Final = 200_000

# Decoding one image takes memory for its own size: it may exceed the canvas, which the limits
# cover, by this many pixels at most.
_MOST_PIXELS_BEYOND_CANVAS: Final = 1 << 20


def read(data: bytes) -> Gif:
    """Parse a GIF file.

    A missing trailer, or zero bytes in its place, is accepted as every viewer does.

    Raises:
        CorruptImageError: the file is cut off or its blocks are out of order.
        LimitExceededError: it has so many blocks that parsing it would exhaust the memory.
    """
    return _Reader(data).read()


class _Reader:
    """One pass over the bytes; every read is checked against their end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._images: list[Image] = []
        self._loops: list[Loop] = []
        self._extensions: list[Extension] = []
        self._doubts: dict[str, None] = {}
        self._control: Control | None = None

    def read(self) -> Gif:
        if self._take(6, "header") not in (b"GIF87a", b"GIF89a"):
            self._fail("it does not start with GIF87a or GIF89a")
        width, height, flags, background, aspect = struct.unpack(
            "<HHBBB", self._take(7, "screen descriptor")
        )
        palette = self._palette(flags)
        while self._next_block(width, height, palette):
            if len(self._images) + len(self._extensions) + len(self._loops) > _MOST_BLOCKS:
                raise LimitExceededError(
                    f"the GIF has more than {_MOST_BLOCKS:,} blocks; split the animation"
                )
        if not any(image.width and image.height for image in self._images):
            self._fail("there is no image with any pixels in it")
        return Gif(
            screen=(width, height),
            images=tuple(self._images),
            palette=palette,
            background=background,
            aspect=aspect,
            depth=flags & 0x78,
            loops=tuple(self._loops),
            extensions=tuple(self._extensions),
            trailing=len(self._data) - self._at,
            doubts=tuple(self._doubts),
        )

    def _next_block(self, width: int, height: int, palette: bytes | None) -> bool:
        if self._at >= len(self._data):
            if self._control is not None:
                self._fail(f"it ends where an image should follow {self._place()}")
            return False
        start = self._at
        introducer = self._take(1, "block")[0]
        if introducer == _EXTENSION:
            self._extension(start)
        elif introducer == _IMAGE:
            self._image(width, height, palette)
        elif introducer == _TRAILER:
            return False
        elif introducer or not self._skip_padding():
            self._fail(f"there is 0x{introducer:02x} where a block should start")
        return True

    def _skip_padding(self) -> bool:
        rest = self._data[self._at :].lstrip(b"\0")
        self._at = len(self._data) - len(rest)
        return rest[:1] in (b"", b"\x3b")

    def _extension(self, start: int) -> None:
        label = self._take(1, "extension")[0]
        self._skip_blocks("extension")
        raw = self._data[start : self._at]
        if label == _GRAPHIC_CONTROL:
            self._graphic_control(raw)
            return
        extension = Extension(label, raw)
        if label == _PLAIN_TEXT:
            self._doubts["plain text, which some viewers draw"] = None
        if extension.application not in LOOPING:
            self._extensions.append(extension)
        elif (repeats := extension.loop) is not None:
            self._loops.append(Loop(repeats, before=len(self._images)))
        elif extension.payload[11:12] != _BUFFERING:
            self._doubts["a looping extension that viewers may read differently"] = None

    def _graphic_control(self, raw: bytes) -> None:
        if raw[2] < 4:
            self._fail(f"a graphic control extension has {raw[2]} of its 4 bytes")
        if self._control is not None:
            self._doubts["several graphic controls for one image"] = None
        flags, delay, transparent = struct.unpack_from("<BHB", raw, 3)
        self._control = Control(
            disposal=flags >> 2 & 7,
            delay=delay,
            transparent=transparent if flags & 1 else None,
            waits=bool(flags & 2),
        )

    def _image(self, screen_width: int, screen_height: int, palette: bytes | None) -> None:
        left, top, width, height, flags = struct.unpack("<4HB", self._take(9, "image"))
        local = self._palette(flags)
        code_size = self._take(1, "image data")[0]
        if code_size not in _CODE_SIZES:
            self._fail(f"the LZW code size is {code_size}, which is not from 1 to 8")
        start = self._at
        self._skip_blocks("image data")
        self._images.append(
            Image(
                left=left,
                top=top,
                width=width,
                height=height,
                interlaced=bool(flags & 0x40),
                palette=local,
                control=self._control,
                code_size=code_size,
                data=self._data[start : self._at],
            )
        )
        self._control = None
        if not width or not height:
            self._doubts["an image without pixels"] = None
        if local is None and palette is None:
            self._doubts["an image without colours"] = None
        if len(self._images) > 1:
            self._check_place(screen_width, screen_height)

    def _check_place(self, screen_width: int, screen_height: int) -> None:
        first, image = self._images[0], self._images[-1]
        canvas_width = max(screen_width, first.left + first.width)
        canvas_height = max(screen_height, first.top + first.height)
        if image.left + image.width > canvas_width or image.top + image.height > canvas_height:
            self._doubts["an image that reaches beyond the canvas"] = None
        pixels = image.width * image.height
        if pixels > canvas_width * canvas_height + _MOST_PIXELS_BEYOND_CANVAS:
            self._fail(
                f"image {len(self._images)} has {image.width:,} x {image.height:,} pixels on a "
                f"canvas of {canvas_width:,} x {canvas_height:,}"
            )

    def _palette(self, flags: int) -> bytes | None:
        if not flags & 0x80:
            return None
        return self._take(3 * (2 << (flags & 7)), "palette")

    def _take(self, count: int, what: str) -> bytes:
        taken = self._data[self._at : self._at + count]
        if len(taken) < count:
            self._fail(f"it ends within its {what} {self._place()}")
        self._at += count
        return taken

    def _skip_blocks(self, what: str) -> None:
        data, at, end = self._data, self._at, len(self._data)
        while at < end and (length := data[at]):
            at += 1 + length
        if at >= end:
            self._fail(f"it ends within its {what} {self._place()}")
        self._at = at + 1

    def _place(self) -> str:
        return f"(after {len(self._images)} complete images)"

    def _fail(self, reason: str) -> NoReturn:
        raise CorruptImageError(f"the GIF is damaged: {reason}; export or download it again")
