"""What the flags of `tinyjpg optimize` amount to."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePath
from typing import Final

from tinyjpg.formats import EXTENSIONS
from tinyjpg.options import Options

DEFAULT_SUFFIX: Final = ".min"


class UsageError(Exception):
    """The command line contradicts itself or would lose a file; nothing has been written."""


class Overwrite(StrEnum):
    """When a file that is already there, other than the original, is replaced."""

    NEVER = "never"
    SMALLER = "smaller"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class InPlace:
    """Each original is replaced."""


@dataclass(frozen=True, slots=True)
class Beside:
    """Each result lies beside its original, `suffix` put before the extension of its name.

    Raises:
        UsageError: the suffix would not give another file of the same folder.
    """

    suffix: str = DEFAULT_SUFFIX

    def __post_init__(self) -> None:
        if not self.suffix:
            raise UsageError("--suffix is empty; use --in-place to replace the originals")
        if os.sep in self.suffix or "\0" in self.suffix:
            raise UsageError(f"--suffix {self.suffix!r} is not part of a file name; try '.min'")

    def name(self, original: str) -> str:
        """The name of the result of the file named `original`."""
        stem, extension = _split(original)
        return f"{stem}{self.suffix}{extension}"

    def made(self, name: str) -> bool:
        """Whether `name` is one that a former run gave to a result."""
        return _split(name)[0].endswith(self.suffix)


def _split(name: str) -> tuple[str, str]:
    """Split off the extension, where it is one of an image: not the .30 of "Screen at 12.30"."""
    path = PurePath(name)
    known = path.suffix.lower() in EXTENSIONS
    return (path.stem, path.suffix) if known else (name, "")


@dataclass(frozen=True, slots=True)
class Into:
    """Each result lies under `folder`, in the tree of the folder it comes from."""

    folder: Path


Destination = InPlace | Beside | Into


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One run of `tinyjpg optimize`.

    Attributes:
        quality: 1 to 100.
        options: metadata to keep, limits and effort.
        destination: where results go.
        recursive: whether folders inside the folders named are entered.
        jobs: worker processes; None for one per core.
        timeout: seconds one image may take, or None.
        memory: bytes one worker may use, or None.
        dry_run: report, write nothing.
        min_savings: percentage below which the original is kept, 0 to 100.
        keep_dates: give results the times of their originals.
        overwrite: when an existing file is replaced.
    """

    quality: int
    options: Options
    destination: Destination
    recursive: bool = False
    jobs: int | None = None
    timeout: float | None = None
    memory: int | None = None
    dry_run: bool = False
    min_savings: float = 0.0
    keep_dates: bool = False
    overwrite: Overwrite = Overwrite.ALWAYS
