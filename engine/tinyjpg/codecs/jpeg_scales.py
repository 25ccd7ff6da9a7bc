"""The settings of the native JPEG encoder: how coarsely it quantises, in fine steps."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from tinyjpg.backends.jpeg import Averaging, Subsampling, Tables


class Chroma(StrEnum):
    """How the colour channels are stored."""

    SUBSAMPLED = "4:2:0"
    FULL = "4:4:4"
    NONE = "greyscale"


@dataclass(frozen=True, slots=True)
class Manner:
    """What is chosen once for a picture.

    Attributes:
        chroma: how the colour channels are stored.
        tables: which quantisation tables are scaled.
        averaging: what colour pixels get that share chroma.
    """

    chroma: Chroma
    tables: Tables = Tables.PHOTOGRAPH
    averaging: Averaging = Averaging.LINEAR_LIGHT

    def __str__(self) -> str:
        shown = ", colours as shown" if self.averaging is Averaging.AS_SHOWN else ""
        drawing = ", tables for drawings" if self.tables is Tables.DRAWING else ""
        return f"{self.chroma}{shown}{drawing}"


SETTINGS: Final = range(385)
"""From 32 times the built-in tables to a 128th; each step divides by the 32nd root of 2."""

SUBSAMPLINGS: Final = {
    Chroma.NONE: Subsampling.GREY,
    Chroma.FULL: Subsampling.CHROMA_444,
    Chroma.SUBSAMPLED: Subsampling.CHROMA_420,
}
"""What the encoder calls each way to store colours."""

_COARSEST: Final = 13
_STEPS_TO_DOUBLE: Final = 32


def scale_of(setting: int) -> int:
    """What the tables are multiplied by at one of `SETTINGS`, in 256ths."""
    return round(2 ** (_COARSEST - setting / _STEPS_TO_DOUBLE))
