"""The blocks of a GIF (GIF89a specification): bytes to frozen structure and back.

Nothing is decoded: image data stays the chain of sub-blocks it is in the file.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Final, NamedTuple, NoReturn

from tinyjpg.errors import CorruptImageError, LimitExceededError

_EXTENSION: Final = 0x21
_IMAGE: Final = 0x2C
_TRAILER: Final = 0x3B

_GRAPHIC_CONTROL: Final = 0xF9
_APPLICATION: Final = 0xFF
COMMENT: Final = 0xFE
PLAIN_TEXT: Final = 0x01

_LOOPING: Final = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
# The other thing a looping extension may hold: how much to load before playing. Nobody reads it.
_BUFFERING: Final = b"\x02"

KEEP, CLEAR, RESTORE = 1, 2, 3
"""Disposal methods: leave the image, clear it to transparent, bring back what was before it."""

# Pixels have at most 8 bits, so no encoder writes a larger code size and decoders differ on 0.
_CODE_SIZES: Final = range(1, 9)

# A block takes 3 bytes of a file but some 300 of memory once parsed.
_MOST_BLOCKS: Final = 200_000

# Decoding one image takes memory for its own size: it may exceed the canvas, which the limits
# cover, by this many pixels at most.
_MOST_PIXELS_BEYOND_CANVAS: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Control:
    """A graphic control extension: how one image is shown.

    Attributes:
        disposal: what happens to the image when its time is over, 0 to 7.
        delay: how long it is shown, in hundredths of a second.
        transparent: the colour index that is not drawn, or None.
        waits: whether a viewer should wait for a key; browsers do not.
    """

    disposal: int = 0
    delay: int = 0
    transparent: int | None = None
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Image:
    """One image of the file, which is one frame of an animation.

    Attributes:
        left, top, width, height: its place on the canvas, in pixels.
        palette: its own colours as RGB triples, or None where the global ones apply.
        control: how it is shown, or None.
        code_size: LZW minimum code size, 1 to 8.
        data: the LZW sub-blocks, length bytes and the final 0 included.
    """

    left: int
    top: int
    width: int
    height: int
    data: bytes = field(repr=False)
    code_size: int
    interlaced: bool = False
    palette: bytes | None = field(default=None, repr=False)
    control: Control | None = None


@dataclass(frozen=True, slots=True)
class Extension:
    """An extension block other than a graphic control.

    Attributes:
        label: the kind of extension, 0 to 255.
        raw: the whole block as in the file, from its introducer to its terminator.
    """

    label: int
    raw: bytes

    @property
    def payload(self) -> bytes:
        """The contents of all sub-blocks in a row."""
        parts = []
        position = 2
        while length := self.raw[position]:
            parts.append(self.raw[position + 1 : position + 1 + length])
            position += 1 + length
        return b"".join(parts)

    @property
    def application(self) -> bytes | None:
        """The 11 bytes naming an application extension, None for any other."""
        if self.label != _APPLICATION or self.raw[2] != 11:
            return None
        return self.raw[3:14]

    @property
    def loop(self) -> int | None:
        """The loop count of a looping extension, 0 for endless; None for any other."""
        if self.application not in _LOOPING:
            return None
        count = self.payload[11:14]
        return struct.unpack_from("<H", count, 1)[0] if len(count) == 3 and count[0] == 1 else None


class Loop(NamedTuple):
    """A looping extension.

    Attributes:
        repeats: how often the animation is repeated, 0 for endless.
        before: the number of the image that it stands before, from 0.
    """

    repeats: int
    before: int


@dataclass(frozen=True, slots=True)
class Gif:
    """A GIF file in blocks.

    Attributes:
        screen: width and height of the logical screen in pixels, as declared.
        palette: the global colours as RGB triples, or None.
        background: index of the background colour, which browsers ignore.
        aspect: the pixel aspect ratio byte; 0 is not given.
        depth: the packed bits that tell the colour resolution and whether colours are sorted.
        images: the frames.
        loops: looping extensions in file order; usually none, or one before the first image.
        extensions: all others in file order.
        trailing: bytes after the trailer.
        doubts: why rewriting the file could change how some viewer shows it, in words.
    """

    screen: tuple[int, int]
    images: tuple[Image, ...]
    palette: bytes | None = field(default=None, repr=False)
    background: int = 0
    aspect: int = 0
    depth: int = 0x70
    loops: tuple[Loop, ...] = ()
    extensions: tuple[Extension, ...] = ()
    trailing: int = 0
    doubts: tuple[str, ...] = ()

    @property
    def canvas(self) -> tuple[int, int]:
        """Width and height shown: the screen, grown where the first image exceeds it."""
        first = self.images[0]
        return (
            max(self.screen[0], first.left + first.width),
            max(self.screen[1], first.top + first.height),
        )

    @property
    def loop_count(self) -> int | None:
        """How often the animation repeats, 0 for ever; None where it plays once."""
        return self.loops[-1].repeats if self.loops else None

    def colours(self, image: Image) -> bytes:
        """The RGB triples that `image` is painted with, empty where the file has none."""
        return image.palette or self.palette or b""


def read(data: bytes) -> Gif:
    """Parse a GIF file.

    A missing trailer, or zero bytes in its place, is accepted as every viewer does.

    Raises:
        CorruptImageError: the file is cut off or its blocks are out of order.
        LimitExceededError: it has so many blocks that parsing it would exhaust the memory.
    """
    return _Reader(data).read()


def write(gif: Gif) -> bytes:
    """The file, all its extensions but looping ones before the first image."""
    plain = not (gif.loops or gif.extensions or any(image.control for image in gif.images))
    parts = [
        b"GIF87a" if plain else b"GIF89a",
        struct.pack(
            "<HHBBB",
            *gif.screen,
            _table_flags(gif.palette) | gif.depth,
            gif.background,
            gif.aspect,
        ),
        gif.palette or b"",
        *_loops(gif, 0),
        *(extension.raw for extension in gif.extensions),
    ]
    for number, image in enumerate(gif.images):
        parts += _loops(gif, number) if number else ()
        parts += (*_control(image.control), *_descriptor(image), image.data)
    parts += (*_loops(gif, len(gif.images)), b"\x3b")
    return b"".join(parts)


def comment(text: bytes) -> Extension:
    """A comment extension holding up to 255 bytes."""
    return Extension(COMMENT, bytes((_EXTENSION, COMMENT, len(text))) + text + b"\0")


def image_size(image: Image) -> int:
    """Bytes that `image` takes in the file."""
    return (8 if image.control else 0) + 11 + len(image.palette or b"") + len(image.data)


def _table_flags(palette: bytes | None) -> int:
    if palette is None:
        return 0
    return 0x80 | ((len(palette) // 3).bit_length() - 2)


def _loops(gif: Gif, number: int) -> list[bytes]:
    """The looping extensions before image `number`."""
    return [
        b"\x21\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<H", loop.repeats) + b"\0"
        for loop in gif.loops
        if loop.before == number
    ]


def _control(control: Control | None) -> tuple[bytes, ...]:
    if control is None:
        return ()
    flags = control.disposal << 2 | control.waits << 1 | (control.transparent is not None)
    packed = struct.pack("<BHB", flags, control.delay, control.transparent or 0)
    return (b"\x21\xf9\x04", packed, b"\0")


def _descriptor(image: Image) -> tuple[bytes, ...]:
    flags = _table_flags(image.palette) | image.interlaced << 6
    place = struct.pack("<4HB", image.left, image.top, image.width, image.height, flags)
    return (b"\x2c", place, image.palette or b"", bytes((image.code_size,)))


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
        if label == PLAIN_TEXT:
            self._doubts["plain text, which some viewers draw"] = None
        if extension.application not in _LOOPING:
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
