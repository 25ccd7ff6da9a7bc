"""One codec per format: how to probe a file and which candidates to make of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from tinyjpg.candidates import Candidate
from tinyjpg.codecs import gif, jpeg, png, webp
from tinyjpg.containers.gif import parse as parse_gif
from tinyjpg.containers.jpeg import parse as parse_jpeg
from tinyjpg.containers.png import parse as parse_png
from tinyjpg.containers.webp import parse as parse_webp
from tinyjpg.formats import Format
from tinyjpg.source import Header, Request

H = TypeVar("H", bound=Header)


@dataclass(frozen=True, slots=True)
class Codec(Generic[H]):
    """The two things a format has to offer.

    Attributes:
        probe: bytes -> header, decoding nothing. Raises CorruptImageError.
        candidates: (bytes, header, request) -> candidates, made one at a time as they are taken.
            Raises CorruptImageError where the picture turns out truncated or damaged.
    """

    probe: Callable[[bytes], H]
    candidates: Callable[[bytes, H, Request], Iterator[Candidate]]


CODECS: dict[Format, Codec[Any]] = {
    Format.JPEG: Codec(parse_jpeg, jpeg.candidates),
    Format.PNG: Codec(parse_png, png.candidates),
    Format.WEBP: Codec(parse_webp, webp.candidates),
    Format.GIF: Codec(parse_gif, gif.candidates),
}
