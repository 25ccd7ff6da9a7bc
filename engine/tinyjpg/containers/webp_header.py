"""What a WebP container holds, as data: bitstreams, frames and the chunks around them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from tinyjpg.containers.vp8 import parse_vp8, quantisers
from tinyjpg.source import Header

CHUNK_HEADER_SIZE: Final = 8

Chunk = tuple[bytes, bytes]
"""A chunk's four-character code and its payload, without padding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bitstream:
    """One picture as stored: a VP8 frame with its alpha plane apart, or a VP8L stream.

    Attributes:
        lossless: VP8L rather than VP8.
        width, height: pixels.
        payload: of the VP8 or VP8L chunk.
        alpha: payload of the ALPH chunk in front of a VP8 frame, or None.
        has_alpha: whether it carries transparency.
    """

    lossless: bool
    width: int
    height: int
    payload: bytes = field(repr=False)
    alpha: bytes | None = field(default=None, repr=False)
    has_alpha: bool

    @property
    def quality(self) -> float | None:
        """The libwebp quality, 0 to 100, that a VP8 frame's quantisers tell; None for VP8L."""
        return None if self.lossless else quantisers(parse_vp8(self.payload)).quality

    @property
    def chunks(self) -> tuple[Chunk, ...]:
        """The chunks that store it, in order."""
        if self.lossless:
            return ((b"VP8L", self.payload),)
        if self.alpha is None:
            return ((b"VP8 ", self.payload),)
        return (b"ALPH", self.alpha), (b"VP8 ", self.payload)

    @property
    def size(self) -> int:
        """Bytes of its chunks, with their headers and padding."""
        return sum(
            CHUNK_HEADER_SIZE + len(payload) + len(payload) % 2 for _, payload in self.chunks
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One frame of an animation, or the only picture of a still.

    Attributes:
        bitstream: its pixels.
        x, y: where its top left corner goes on the canvas; even numbers.
        duration: milliseconds it is shown.
        blend: alpha-blend it over the canvas, rather than replace what it covers.
        dispose: clear what it covers when its time is over.
    """

    bitstream: Bitstream
    x: int = 0
    y: int = 0
    duration: int = 0
    blend: bool = True
    dispose: bool = False


@dataclass(frozen=True, slots=True)
class Animation:
    """What an ANIM chunk holds: times to play (0 = forever), background as B, G, R, A bytes."""

    loop_count: int = 0
    background: bytes = bytes(4)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebpHeader(Header):
    """The header of a WebP file, with its pictures still encoded.

    Attributes:
        pictures: the frames of the animation in order, or the one picture of a still.
        animation: what controls the animation, None for a still.
        shows_alpha: whether viewers look at the alpha channel: the VP8X flag says so, or the file
            has no VP8X chunk. A still with transparency that it does not announce looks
            different from viewer to viewer.
        xmp: the XMP packet, or None.
        other: chunks of unknown kind, in order.
        marked_quality: the quality this engine made the file for, where its marker chunk is
            present and still belongs to the pictures.
    """

    pictures: tuple[Frame, ...]
    animation: Animation | None = None
    shows_alpha: bool = True
    xmp: bytes | None = None
    other: tuple[Chunk, ...] = ()
    marked_quality: int | None = None

    @property
    def lossless(self) -> bool:
        """Whether every picture is stored as VP8L."""
        return all(picture.bitstream.lossless for picture in self.pictures)

    @property
    def stored_size(self) -> int:
        """Bytes of the chunks of all pictures."""
        return sum(picture.bitstream.size for picture in self.pictures)

    @property
    def contradicts_alpha(self) -> bool:
        """Whether transparency is present that the container says is not."""
        return not self.shows_alpha and any(one.bitstream.has_alpha for one in self.pictures)

    def describe(self) -> tuple[str, ...]:
        """What is particular about the file, a phrase each."""
        phrases = [*self._describe_coding(), *self._describe_animation()]
        if self.has_alpha:
            phrases.append("alpha channel")
        for name, block in (
            ("ICC profile", self.icc_profile),
            ("EXIF", self.exif),
            ("XMP", self.xmp),
        ):
            if block is not None:
                phrases.append(f"{name} ({len(block):,} bytes)")
        if self.orientation != 1:
            phrases.append(f"orientation {self.orientation}")
        if self.other:
            names = sorted({repr(name.decode("latin-1")) for name, _ in self.other})
            phrases.append(f"other chunks: {', '.join(names)}")
        if self.marked_quality is not None:
            phrases.append(f"made by TinyJPG at quality {self.marked_quality}")
        return tuple(phrases)

    def _describe_coding(self) -> Iterator[str]:
        if self.lossless:
            yield "lossless"
            return
        lossless = sum(picture.bitstream.lossless for picture in self.pictures)
        yield f"mixed: {lossless} of {self.frames} frames lossless" if lossless else "lossy"
        found = (picture.bitstream.quality for picture in self.pictures)
        qualities = [quality for quality in found if quality is not None]
        low, high = round(min(qualities)), round(max(qualities))
        yield f"libwebp quality about {low}" + (f" to {high}" if high > low else "")

    def _describe_animation(self) -> Iterator[str]:
        if self.animation is None:
            return
        durations = [picture.duration for picture in self.pictures]
        low, high = min(durations), max(durations)
        yield f"{self.frames} frames of " + (f"{low} ms" if low == high else f"{low} to {high} ms")
        loops = self.animation.loop_count
        yield "plays forever" if loops == 0 else f"plays {loops} time{'s' * (loops > 1)}"
