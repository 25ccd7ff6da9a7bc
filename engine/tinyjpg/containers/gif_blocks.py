"""The blocks of a GIF (GIF89a specification) as frozen structure, and back to bytes.

Nothing is decoded: image data stays the chain of sub-blocks it is in the file.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Final, NamedTuple

_EXTENSION: Final = 0x21
_APPLICATION: Final = 0xFF
COMMENT: Final = 0xFE

LOOPING: Final = (b"NETSCAPE2.0", b"ANIMEXTS1.0")

KEEP, CLEAR, RESTORE = 1, 2, 3
"""Disposal methods: leave the image, clear it to transparent, bring back what was before it."""


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
        if self.application not in LOOPING:
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


def sub_blocks(data: bytes) -> bytes:
    """`data` as a chain of sub-blocks, length bytes and the final 0 included."""
    parts = []
    for start in range(0, len(data), 255):
        part = data[start : start + 255]
        parts += [bytes((len(part),)), part]
    return b"".join(parts) + b"\0"


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
