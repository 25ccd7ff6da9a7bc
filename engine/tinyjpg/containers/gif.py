"""What a GIF's blocks tell about it before anything is decoded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from tinyjpg.containers import gif_marker
from tinyjpg.containers.gif_blocks import CLEAR, COMMENT, Extension, Gif, Image
from tinyjpg.containers.gif_reader import read
from tinyjpg.errors import CorruptImageError
from tinyjpg.formats import Format
from tinyjpg.source import Header

_XMP: Final = b"XMP DataXMP"
_ICC: Final = b"ICCRGBG1012"

# XMP is stored raw, not in sub-blocks; these bytes lead a reader that takes it for sub-blocks to
# its end (XMP specification, part 3, "GIF").
_XMP_TRAILER: Final = bytes((1, *range(255, -1, -1), 0))

_DISPOSALS: Final = {0: "unspecified", 1: "keep", 2: "clear", 3: "restore", 4: "restore"}


@dataclass(frozen=True, slots=True, kw_only=True)
class GifHeader(Header):
    """The facts of a GIF file.

    `icc_profile` stays None: a profile in a GIF is metadata that no browser applies.

    Attributes:
        delays: hundredths of a second each frame is shown, as stored.
        disposals: the disposal method of each frame, 0 to 7.
        loop_count: repetitions; 0 is for ever, None plays once (no looping extension).
        colours: colours in the global palette; 0 without one.
        local_palettes: frames with a palette of their own.
        transparency: whether any frame has a transparent colour.
        interlaced: whether any frame is.
        comments: text of the comment extensions, the engine's marker excepted.
        xmp: the XMP packet, or None.
        embedded_profile: an ICC profile, or None.
        made_at: the quality at which this engine made the file, or None.
        trailing: bytes after the end of the file proper.
        doubts: why the blocks are not rewritten, in words; usually empty.
    """

    delays: tuple[int, ...] = ()
    disposals: tuple[int, ...] = ()
    loop_count: int | None = None
    colours: int = 0
    local_palettes: int = 0
    transparency: bool = False
    interlaced: bool = False
    comments: tuple[bytes, ...] = ()
    xmp: bytes | None = field(default=None, repr=False)
    embedded_profile: bytes | None = field(default=None, repr=False)
    made_at: int | None = None
    trailing: int = 0
    doubts: tuple[str, ...] = ()

    def describe(self) -> tuple[str, ...]:
        """What is particular about the file, a phrase each."""
        phrases = [self._describe_palettes(), *self._describe_animation()]
        if self.transparency:
            phrases.append("transparent colour")
        if self.interlaced:
            phrases.append("interlaced")
        if self.comments:
            phrases.append(f"comments of {sum(map(len, self.comments))} bytes")
        if self.xmp is not None:
            phrases.append(f"XMP of {len(self.xmp)} bytes")
        if self.embedded_profile is not None:
            phrases.append(
                f"ICC profile of {len(self.embedded_profile)} bytes, not used by viewers"
            )
        if self.made_at is not None:
            phrases.append(f"optimised at quality {self.made_at}")
        if self.trailing:
            phrases.append(f"{self.trailing} bytes after the end")
        return (*phrases, *(f"left as it is: {doubt}" for doubt in self.doubts))

    def _describe_palettes(self) -> str:
        if self.local_palettes:
            return f"{self.colours} global colours, {self.local_palettes} local palettes"
        return f"{self.colours} colours"

    def _describe_animation(self) -> tuple[str, ...]:
        if self.frames == 1:
            return ()
        repeats = {None: "plays once", 0: "loops for ever"}
        methods = sorted({_DISPOSALS.get(method, f"method {method}") for method in self.disposals})
        return (
            f"{sum(self.delays) / 100:g} s",
            repeats.get(self.loop_count, f"repeats {self.loop_count} times"),
            f"disposal {', '.join(methods)}",
        )


def parse(data: bytes) -> GifHeader:
    """Read the facts of a GIF.

    Raises:
        CorruptImageError: the file is cut off, damaged or has no pixels.
        LimitExceededError: it has more blocks than are parsed.
    """
    gif = read(data)
    width, height = gif.canvas
    if not width or not height:
        raise CorruptImageError(
            f"the GIF has a canvas of {width} x {height} pixels; export or download it again"
        )
    controls = [image.control for image in gif.images]
    return GifHeader(
        format=Format.GIF,
        width=width,
        height=height,
        frames=len(gif.images),
        has_alpha=shows_through(gif),
        delays=tuple(control.delay if control else 0 for control in controls),
        disposals=tuple(control.disposal if control else 0 for control in controls),
        loop_count=gif.loop_count,
        colours=len(gif.palette or b"") // 3,
        local_palettes=sum(image.palette is not None for image in gif.images),
        transparency=any(_is_transparent(image) for image in gif.images),
        interlaced=any(image.interlaced for image in gif.images),
        comments=tuple(
            extension.payload
            for extension in gif.extensions
            if extension.label == COMMENT and not gif_marker.is_marker(extension)
        ),
        xmp=_xmp(gif.extensions),
        embedded_profile=_payload(gif.extensions, _ICC),
        made_at=gif_marker.quality(gif),
        trailing=gif.trailing,
        doubts=gif.doubts,
    )


def shows_through(gif: Gif) -> bool:
    """Whether any pixel ever shown may be clear, as far as the blocks tell."""
    # Frames only add to an opaque first one, unless they are cleared.
    first = gif.images[0]
    covers = (first.left, first.top, (first.width, first.height)) == (0, 0, gif.canvas)
    cleared = any(image.control and image.control.disposal == CLEAR for image in gif.images[:-1])
    restored = first.control is not None and first.control.disposal > CLEAR and len(gif.images) > 1
    return not covers or _is_transparent(first) or cleared or restored


def _is_transparent(image: Image) -> bool:
    return image.control is not None and image.control.transparent is not None


def _payload(extensions: tuple[Extension, ...], application: bytes) -> bytes | None:
    found = next((one for one in extensions if one.application == application), None)
    return None if found is None else found.payload[11:]


def _xmp(extensions: tuple[Extension, ...]) -> bytes | None:
    found = next((one for one in extensions if one.application == _XMP), None)
    if found is None:
        return None
    if found.raw.endswith(_XMP_TRAILER):
        return found.raw[14 : -len(_XMP_TRAILER)]
    return found.payload[11:]
