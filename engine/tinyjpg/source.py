"""What a codec is handed: the facts of the header, and what the caller wants."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from tinyjpg.formats import Format
from tinyjpg.limits import Deadline
from tinyjpg.options import DEFAULT_EFFORT, Keep

LOSSLESS_QUALITY: Final = 100

TOLERANCE: Final = 0.5
"""Points of SSIMULACRA2 that a lossy result may lie below the quality asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What one pass over the container tells before any pixel is decoded.

    Attributes:
        format: the format of the file.
        width, height: pixels, as stored (before `orientation` is applied).
        frames: 1 for a still image.
        bit_depth: bits per channel.
        has_alpha: whether any pixel may be other than opaque.
        orientation: EXIF orientation, 1 to 8; 1 is upright.
        icc_profile: the embedded ICC profile, or None.
        exif: the EXIF block, starting at its TIFF header, or None.
    """

    format: Format
    width: int
    height: int
    frames: int = 1
    bit_depth: int = 8
    has_alpha: bool = False
    orientation: int = 1
    icc_profile: bytes | None = None
    exif: bytes | None = None

    @property
    def upright_size(self) -> tuple[int, int]:
        """Width and height in pixels as a viewer shows them."""
        if self.orientation >= 5:
            return self.height, self.width
        return self.width, self.height

    @property
    def pixels(self) -> int:
        """Pixels of all frames."""
        return self.width * self.height * self.frames

    def describe(self) -> tuple[str, ...]:
        """What is particular about the file, a phrase each, for `tinyjpg info`."""
        return ()


@dataclass(slots=True)
class Tally:
    """What was spent on one image.

    Attributes:
        probes: trial encodings that were scored.
    """

    probes: int = 0

    def count(self) -> None:
        """Note one more trial encoding."""
        self.probes += 1


@dataclass(frozen=True, slots=True)
class Request:
    """What the caller wants of one image, and what was spent on it."""

    quality: int
    keep: frozenset[Keep] = frozenset()
    effort: int = DEFAULT_EFFORT
    deadline: Deadline = field(default_factory=Deadline)
    tally: Tally = field(default_factory=Tally, compare=False)

    @property
    def lossless(self) -> bool:
        """Whether the result has to be pixel-identical."""
        return self.quality >= LOSSLESS_QUALITY

    def accepts(self, score: float) -> bool:
        """Whether a lossy result of this SSIMULACRA2 score keeps the promise of the quality."""
        return score >= self.quality - TOLERANCE
