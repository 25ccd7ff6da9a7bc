"""What `optimize` returns."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from tinyjpg.files import write_atomically
from tinyjpg.formats import Format


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """An optimised image and how it came to be.

    Attributes:
        data: the complete file, never longer than the input.
        format: its format, always that of the input.
        width, height: pixels as a viewer shows them, orientation applied.
        frames: 1 for a still image.
        input_size, output_size: bytes.
        method: which candidate won, in words; `already optimal` when it was the input.
        score: SSIMULACRA2 against the input (100 = identical).
        probes: trial encodings that were scored on the way, 0 where nothing was searched.
        elapsed: seconds the call took.
    """

    data: bytes = field(repr=False)
    format: Format
    width: int
    height: int
    frames: int
    input_size: int
    method: str
    score: float
    probes: int = 0
    elapsed: float

    @property
    def output_size(self) -> int:
        return len(self.data)

    @property
    def saved(self) -> float:
        """The fraction of the input that was saved, 0 to 1."""
        return 1 - self.output_size / self.input_size

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the image to `path`, which either holds all of it afterwards or is unchanged.

        Raises:
            OSError: it could not be written.
        """
        write_atomically(path, self.data)
