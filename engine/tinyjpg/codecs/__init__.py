"""One codec per format: how to probe a file and which candidates to make of it.

A codec `x` is a pair of modules: `containers/x.py` with `parse(data) -> Header` and `codecs/x.py`
with `candidates(data, header, request) -> Iterator[Candidate]`.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from tinyjpg.candidates import Candidate
from tinyjpg.formats import Format
from tinyjpg.source import Header, Request


@dataclass(frozen=True, slots=True)
class Codec:
    """What a format has to offer, loaded when it is first asked for.

    Loading late keeps `import tinyjpg`, the command's help and the parent of a Pool quick and
    small: they need neither libvips nor NumPy, and a JPEG needs less than a PNG.
    """

    name: str

    def probe(self, data: bytes) -> Header:
        """The header of `data`; decodes nothing.

        Raises:
            CorruptImageError: the header is damaged.
        """
        container = importlib.import_module(f"tinyjpg.containers.{self.name}")
        return cast("Header", container.parse(data))

    def candidates(self, data: bytes, header: Header, request: Request) -> Iterator[Candidate]:
        """Smaller files that show what `data` shows, made one at a time as they are taken.

        Raises:
            CorruptImageError: the picture turns out truncated or damaged.
            DeadlineExceededError: time ran out before the picture was decoded once.
            MissingToolError: a library or executable of this format is not installed.
        """
        codec = importlib.import_module(f"tinyjpg.codecs.{self.name}")
        return cast("Iterator[Candidate]", codec.candidates(data, header, request))


CODECS: dict[Format, Codec] = {one: Codec(one.value) for one in Format}
