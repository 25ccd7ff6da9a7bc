"""Images to test with: synthetic cases made by generators, and real photographs out of packages.

The cases (`cases`) are small, deterministic and named for the outcome expected of the engine. The
photographs (`photographs`) come inside packages that the development environment installs for
their files only; `manifest.toml` names each with its hash, licence and source.
"""

from __future__ import annotations

from corpus.case import Case, Expectation, Optimised, Refused
from corpus.generators import gif, jpeg, png, webp
from corpus.photographs import Photograph, photographs

__all__ = [
    "Case",
    "Expectation",
    "Optimised",
    "Photograph",
    "Refused",
    "cases",
    "photographs",
]


def cases() -> list[Case]:
    """Every synthetic case: JPEG, PNG, WebP, GIF, each in the order of its table."""
    return [*jpeg.CASES, *png.CASES, *webp.CASES, *gif.CASES]
