"""APNG: the animation chunks acTL, fcTL and fdAT (PNG specification, third edition, 11.3.6)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from tinyjpg.containers.png_chunks import Chunk
from tinyjpg.errors import CorruptImageError

CHUNKS: Final = frozenset({b"acTL", b"fcTL", b"fdAT"})

# The body of fcTL after its sequence number: width, height, left, top, delay numerator and
# denominator, disposal, blending.
_CONTROL: Final = ">4I2H2B"
_CONTROL_LENGTH: Final = struct.calcsize(_CONTROL)
_DELAY_OFFSET: Final = 16
_SEQUENCE_LENGTH: Final = 4
_DEFAULT_DENOMINATOR: Final = 100
_MOST_DISPOSE, _MOST_BLEND = 2, 1


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of an animation.

    Attributes:
        width, height: pixels of the frame's region.
        control: the fcTL body without its sequence number: region, delay, disposal, blending.
        chunks: the IDAT or fdAT chunks of its pixels.
    """

    width: int
    height: int
    control: bytes
    chunks: tuple[Chunk, ...]

    @property
    def is_default_image(self) -> bool:
        """Whether its pixels are those that viewers without APNG show."""
        return self.chunks[0].type == b"IDAT"

    @property
    def delay(self) -> float:
        """Seconds it is shown, at least."""
        numerator, denominator = struct.unpack_from(">2H", self.control, _DELAY_OFFSET)
        return float(numerator / (denominator or _DEFAULT_DENOMINATOR))

    def compressed(self, data: bytes) -> list[memoryview]:
        """The zlib stream of its pixels, in pieces, out of the file `data`."""
        view = memoryview(data)
        skipped = 0 if self.is_default_image else _SEQUENCE_LENGTH
        return [view[one.start + skipped : one.start + one.length] for one in self.chunks]


@dataclass(frozen=True, slots=True)
class Animation:
    """All frames, in order.

    Attributes:
        plays: times it is shown; 0 is for ever.
    """

    frames: tuple[Frame, ...]
    plays: int

    @property
    def has_hidden_default(self) -> bool:
        """Whether the default image is none of the frames."""
        return not self.frames[0].is_default_image

    def describe(self) -> tuple[str, ...]:
        """What is particular about it, a phrase each."""
        plays = "for ever" if self.plays == 0 else f"{self.plays:,} times"
        said = (f"APNG of {sum(frame.delay for frame in self.frames):g} s, plays {plays}",)
        return (*said, "default image is no frame") if self.has_hidden_default else said


def parse(data: bytes, chunks: list[Chunk], width: int, height: int) -> Animation | None:
    """Read the animation of a file of `width` x `height` pixels; None when it is a still image.

    Raises:
        CorruptImageError: the animation chunks contradict each other.
    """
    kinds = [chunk.type for chunk in chunks]
    first_image = kinds.index(b"IDAT")
    if b"acTL" not in kinds[:first_image]:
        return None
    if kinds.count(b"acTL") != 1:
        raise _fault("several acTL chunks")
    control = chunks[kinds.index(b"acTL")].body(data)
    if len(control) != 8:
        raise _fault("an acTL chunk of the wrong length")
    count, plays = struct.unpack(">II", control)
    frames = _frames(data, chunks, width, height)
    if count != len(frames) or not frames:
        raise _fault(f"{len(frames):,} frames instead of the {count:,} announced")
    return Animation(frames, plays)


def _frames(data: bytes, chunks: list[Chunk], width: int, height: int) -> tuple[Frame, ...]:
    frames: list[tuple[bytes, list[Chunk]]] = []
    sequence = 0
    for chunk in chunks:
        if chunk.type in (b"fcTL", b"fdAT"):
            if (
                chunk.length < _SEQUENCE_LENGTH
                or struct.unpack_from(">I", data, chunk.start)[0] != sequence
            ):
                raise _fault("frames out of sequence")
            sequence += 1
        if chunk.type == b"fcTL":
            frames.append((chunk.body(data)[_SEQUENCE_LENGTH:], []))
        elif chunk.type == b"fdAT":
            if not frames or any(one.type == b"IDAT" for one in frames[-1][1]):
                raise _fault("frame data without frame control")
            frames[-1][1].append(chunk)
        elif chunk.type == b"IDAT" and frames:
            if len(frames) > 1:
                raise _fault("several frame controls before the image")
            frames[0][1].append(chunk)
    return tuple(_frame(control, pixels, width, height) for control, pixels in frames)


def _frame(control: bytes, chunks: list[Chunk], width: int, height: int) -> Frame:
    if len(control) != _CONTROL_LENGTH:
        raise _fault("a frame control of the wrong length")
    if not chunks:
        raise _fault("a frame without pixels")
    wide, high, left, top, _, _, dispose, blend = struct.unpack(_CONTROL, control)
    if not wide or not high or left + wide > width or top + high > height:
        raise _fault("a frame outside the canvas")
    if chunks[0].type == b"IDAT" and (wide, high) != (width, height):
        raise _fault("a default image smaller than the canvas")
    if dispose > _MOST_DISPOSE or blend > _MOST_BLEND:
        raise _fault("an unknown way to dispose of or blend a frame")
    return Frame(wide, high, control, tuple(chunks))


def _fault(found: str) -> CorruptImageError:
    return CorruptImageError(f"the PNG's animation has {found}; export it again")
