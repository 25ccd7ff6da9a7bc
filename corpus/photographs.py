"""Real photographs out of installed packages, as `manifest.toml` lists them."""

from __future__ import annotations

import importlib.metadata
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tinyjpg import Format

_MANIFEST = Path(__file__).with_name("manifest.toml")


@dataclass(frozen=True, slots=True)
class Photograph:
    """One entry of the manifest.

    Attributes:
        package: name of the distribution that brings the file.
        file: its path as the distribution records it.
        sha256: of its bytes, in hex.
        format: JPEG or PNG.
        width, height: pixels.
        licence: as the package states it.
        source: where the package has it from.
        tags: what it shows and how it is stored.
    """

    package: str
    file: str
    sha256: str
    format: Format
    width: int
    height: int
    licence: str
    source: str
    tags: frozenset[str]

    @property
    def name(self) -> str:
        """The file's own name, unique in the manifest."""
        return self.file.rsplit("/", 1)[-1]

    def path(self) -> Path:
        """Where the file is installed; the package is not imported.

        Raises:
            FileNotFoundError: the package, or its file, is not installed.
        """
        try:
            recorded = importlib.metadata.files(self.package) or []
        except importlib.metadata.PackageNotFoundError:
            recorded = []
        for entry in recorded:
            if entry.as_posix() == self.file:
                path = Path(str(entry.locate()))
                if path.is_file():
                    return path
        raise FileNotFoundError(
            f"{self.file} of the package {self.package} is not installed; run: ./run setup"
        )

    def read(self) -> bytes:
        """The bytes of the file.

        Raises:
            FileNotFoundError: the package, or its file, is not installed.
        """
        return self.path().read_bytes()

    def __str__(self) -> str:
        return self.name


def photographs(*tags: str) -> list[Photograph]:
    """The photographs that carry all of `tags`, in the order of the manifest."""
    return [one for one in _manifest() if one.tags.issuperset(tags)]


@cache
def _manifest() -> tuple[Photograph, ...]:
    entries: list[dict[str, Any]] = tomllib.loads(_MANIFEST.read_text("utf-8"))["photograph"]
    return tuple(
        Photograph(
            package=entry["package"],
            file=entry["file"],
            sha256=entry["sha256"],
            format=Format(entry["format"]),
            width=entry["width"],
            height=entry["height"],
            licence=entry["licence"],
            source=entry["source"],
            tags=frozenset(entry["tags"]),
        )
        for entry in entries
    )
