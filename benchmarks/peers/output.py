"""What a peer made of one image."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Output:
    """What became of one image: the size in bytes and how, in words."""

    bytes: int
    method: str
