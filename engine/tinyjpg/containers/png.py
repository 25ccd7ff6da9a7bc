"""PNG files: what their chunks say, before any pixel is decoded."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Final

from tinyjpg.containers import exif, png_animation, png_colour
from tinyjpg.containers.png_animation import Animation
from tinyjpg.containers.png_chunks import SIGNATURE, Chunk, ColourType, read
from tinyjpg.containers.png_colour import ColourSpace
from tinyjpg.containers.png_marker import marked_quality
from tinyjpg.containers.png_order import BEFORE_IMAGE, TEXT, checked, effective
from tinyjpg.errors import CorruptImageError
from tinyjpg.formats import Format
from tinyjpg.source import Header

_LARGEST_SIDE: Final = 2**31 - 1
# The most that DEFLATE can expand: a match of 258 bytes takes at least two bits.
_DEFLATE_RATIO: Final = 1032
_DEFLATE_OVERHEAD: Final = 64
# Adam7: left, top, horizontal and vertical distance of the pixels of each pass.
_PASSES: Final = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PngHeader(Header):
    """What the chunks of a PNG say.

    Attributes:
        colour_type: of IHDR.
        interlaced: whether the pixels come in Adam7 order.
        palette: PLTE, 3 bytes a colour, at most as many colours as the bit depth can index; empty
            where the colour type has none.
        transparency: tRNS, unused bits cleared, or None.
        colour_space: the colour chunks.
        animation: the frames of an APNG; None for a still image.
        animation_fault: why the animation chunks cannot be understood, or None.
        chunks: the chunks that count, in file order.
        ignored: names of chunks that no viewer takes into account.
        keywords: of the text chunks.
        trailing: bytes after IEND.
        quantised_at: the quality at which this engine reduced the colours, if the file says so.
    """

    colour_type: ColourType
    interlaced: bool
    palette: bytes = b""
    transparency: bytes | None = None
    colour_space: ColourSpace = field(default_factory=ColourSpace)
    animation: Animation | None = None
    animation_fault: str | None = None
    chunks: tuple[Chunk, ...] = field(default=(), repr=False)
    ignored: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    trailing: int = 0
    quantised_at: int | None = None

    @property
    def decoded_size(self) -> int:
        """Bytes of the decompressed image data of the (default) image, filter bytes included."""
        return decoded_size(self, self.width, self.height)

    def describe(self) -> tuple[str, ...]:
        colours = f", {len(self.palette) // 3} colours" if self.palette else ""
        facts = {
            f"{self.colour_type.in_words}{colours}": True,
            "tRNS transparency": self.transparency is not None,
            "interlaced": self.interlaced,
            **dict.fromkeys(self.colour_space.describe(), True),
            **dict.fromkeys(self.animation.describe() if self.animation else (), True),
            f"left as it is: {self.animation_fault}": self.animation_fault is not None,
            f"text: {', '.join(dict.fromkeys(self.keywords))}": bool(self.keywords),
            f"chunks without effect: {', '.join(dict.fromkeys(self.ignored))}": bool(self.ignored),
            f"{self.trailing:,} bytes after the end": self.trailing > 0,
            f"made by TinyJPG at quality {self.quantised_at}": self.quantised_at is not None,
        }
        return tuple(phrase for phrase, holds in facts.items() if holds)


def parse(data: bytes) -> PngHeader:
    """Read every chunk of a PNG, inflating nothing but the ICC profile.

    Raises:
        CorruptImageError: it is truncated, a checksum is wrong, or IHDR, PLTE or the order of the
            critical chunks breaks the rules.
        UnsupportedFormatError: it is Apple's variant of PNG or has critical chunks of its own.
        LimitExceededError: it has more chunks than any honest file.
    """
    if not data.startswith(SIGNATURE):
        raise CorruptImageError("the PNG signature is damaged; export or download the image again")
    every = checked(read(data))
    width, height, depth, colour_type, interlaced = _read_ihdr(every[0].body(data))
    chunks, ignored = effective(every, colour_type)
    bodies = {
        chunk.type: chunk.body(data)
        for chunk in chunks
        if chunk.type in BEFORE_IMAGE or chunk.type == b"eXIf"
    }
    palette = _read_palette(bodies.get(b"PLTE"), colour_type, depth)
    transparency = _read_transparency(bodies.get(b"tRNS"), colour_type, depth, palette)
    colour_space = png_colour.parse(bodies, is_grey=colour_type.is_grey)
    animation, fault = _read_animation(data, chunks, width, height)
    block = _as_exif(bodies.get(b"eXIf"))
    end = every[-1].start + 4
    header = PngHeader(
        format=Format.PNG,
        width=width,
        height=height,
        frames=len(animation.frames) if animation else 1,
        bit_depth=depth,
        has_alpha=colour_type in (ColourType.GREY_ALPHA, ColourType.RGBA)
        or transparency is not None,
        orientation=exif.orientation(block) if block else 1,
        icc_profile=colour_space.icc_profile,
        exif=block,
        colour_type=colour_type,
        interlaced=interlaced,
        palette=palette,
        transparency=transparency,
        colour_space=colour_space,
        animation=animation,
        animation_fault=fault,
        chunks=tuple(chunks),
        ignored=tuple(ignored),
        keywords=tuple(keyword(chunk.body(data)) for chunk in chunks if chunk.type in TEXT),
        trailing=len(data) - end,
        quantised_at=marked_quality(data, chunks),
    )
    _check_image_size(header)
    return header


def keyword(body: bytes) -> str:
    """The keyword of a text chunk: what comes before the first zero byte, at most 79 characters."""
    return body[:80].partition(b"\0")[0].decode("latin-1")


def decoded_size(header: PngHeader, width: int, height: int) -> int:
    """Bytes that the image data of `width` x `height` pixels of this kind inflate to."""
    bits = header.bit_depth * header.colour_type.channels
    if not header.interlaced:
        return height * (1 + (width * bits + 7) // 8)
    total = 0
    for left, top, across, down in _PASSES:
        columns = max(0, -(-(width - left) // across))
        rows = max(0, -(-(height - top) // down))
        if columns:
            total += rows * (1 + (columns * bits + 7) // 8)
    return total


def check_compressed_size(compressed: int, decoded: int) -> None:
    """Refuse `compressed` bytes that cannot possibly inflate to `decoded` bytes.

    Raises:
        CorruptImageError: they cannot.
    """
    if decoded > compressed * _DEFLATE_RATIO + _DEFLATE_OVERHEAD:
        raise CorruptImageError(
            f"the PNG announces {decoded:,} bytes of pixels, which its {compressed:,} bytes of "
            "image data cannot hold; it is truncated or damaged: export or download it again"
        )


def image_data(data: bytes, header: PngHeader) -> list[memoryview]:
    """The zlib stream of the (default) image, in pieces: all IDAT bodies."""
    view = memoryview(data)
    return [
        view[chunk.start : chunk.start + chunk.length]
        for chunk in header.chunks
        if chunk.type == b"IDAT"
    ]


def _read_ihdr(body: bytes) -> tuple[int, int, int, ColourType, bool]:
    if len(body) != 13:
        raise CorruptImageError(
            f"the PNG's IHDR chunk has {len(body)} bytes instead of 13; export or download it again"
        )
    width, height, depth, kind, compression, filtering, interlace = struct.unpack(">IIBBBBB", body)
    if not 1 <= width <= _LARGEST_SIDE or not 1 <= height <= _LARGEST_SIDE:
        raise CorruptImageError(
            f"the PNG claims to have {width:,} x {height:,} pixels; export or download it again"
        )
    types = {one.value: one for one in ColourType}
    if kind not in types or depth not in types[kind].depths:
        raise CorruptImageError(
            f"the PNG claims to have colour type {kind} with {depth} bits, which does not exist; "
            "export or download it again"
        )
    if compression or filtering or interlace > 1:
        raise CorruptImageError(
            f"the PNG uses compression {compression}, filtering {filtering} and interlacing "
            f"{interlace}, which do not all exist; export or download it again"
        )
    return width, height, depth, types[kind], bool(interlace)


def _read_palette(body: bytes | None, colour_type: ColourType, depth: int) -> bytes:
    if colour_type is not ColourType.PALETTE:
        # With RGB it is a hint for screens of 256 colours.
        return b""
    if body is None or len(body) % 3 or not 3 <= len(body) <= 768:
        found = "no palette" if body is None else f"a palette of {len(body)} bytes"
        raise CorruptImageError(
            f"the PNG has {found} before its image data, where it needs 1 to 256 colours of 3 "
            "bytes; export or download it again"
        )
    return body[: 3 * 2**depth]


def _read_transparency(
    body: bytes | None, colour_type: ColourType, depth: int, palette: bytes
) -> bytes | None:
    if body is None:
        return None
    if colour_type is ColourType.PALETTE:
        return body if 1 <= len(body) <= len(palette) // 3 else None
    if len(body) != 2 * colour_type.channels:
        return None
    samples = struct.unpack(f">{colour_type.channels}H", body)
    return struct.pack(f">{colour_type.channels}H", *(one & (2**depth - 1) for one in samples))


def _read_animation(
    data: bytes, chunks: list[Chunk], width: int, height: int
) -> tuple[Animation | None, str | None]:
    try:
        return png_animation.parse(data, chunks, width, height), None
    except CorruptImageError as error:
        # The default image is intact and viewers show it, or what they make of the frames.
        return None, str(error)


def _as_exif(body: bytes | None) -> bytes | None:
    return body if body is not None and body[:4] in (b"II*\0", b"MM\0*") else None


def _check_image_size(header: PngHeader) -> None:
    compressed = sum(chunk.length for chunk in header.chunks if chunk.type == b"IDAT")
    check_compressed_size(compressed, header.decoded_size)
