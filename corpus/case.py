"""A synthetic image with what is to come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tinyjpg import CorruptImageError, Format, ImageError, LimitExceededError


@dataclass(frozen=True, slots=True)
class Optimised:
    """`optimize` returns a Result (perhaps the input itself); these facts hold for its bytes.

    Attributes:
        width, height: pixels as a viewer shows them, orientation applied.
        frames: pictures of an animation that are shown; 1 for a still image.
        delays: milliseconds each frame is shown; empty for a still image.
        loops: the loop count that the file states (0 = for ever); None where it states none.
        pictures: complete images in the file, above 1 for multi-picture JPEG only.
        lossless: the pixels stay identical at the default quality already: re-encoding would do
            harm, or has nothing to gain.
        grey: the file holds one channel of brightness afterwards (plus alpha, where there is any).
        alpha: some pixel is other than opaque.
        colour: what the file says about its colours that differs from sRGB, so it has to survive
            or be applied to the pixels; of `icc`, `gAMA`, `cHRM`, `cICP`.
        drops: byte strings that must be gone from the result (default options).
    """

    width: int
    height: int
    frames: int = 1
    delays: tuple[int, ...] = ()
    loops: int | None = None
    pictures: int = 1
    lossless: bool = False
    grey: bool = False
    alpha: bool = False
    colour: tuple[str, ...] = ()
    drops: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """`optimize` raises exactly this error (default options)."""

    error: type[ImageError]


Expectation = Optimised | Refused

CORRUPT = Refused(CorruptImageError)
TOO_LARGE = Refused(LimitExceededError)


@dataclass(frozen=True, slots=True)
class Case:
    """One synthetic image.

    Attributes:
        name: unique; the format, a slash, and the outcome expected.
        format: what its signature says.
        make: returns the bytes of the file, the same ones at each call.
        expectation: what `optimize` has to make of it.
    """

    name: str
    format: Format
    make: Callable[[], bytes]
    expectation: Expectation

    def __str__(self) -> str:
        return self.name
