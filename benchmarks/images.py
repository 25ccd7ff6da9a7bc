"""Where the images to measure on come from."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from corpus import photographs

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class ImageSet:
    """Image files under one name.

    Attributes:
        name: for reports; never a path of this machine.
        paths: the files, sorted.
    """

    name: str
    paths: tuple[Path, ...]


def corpora() -> Path | None:
    """The folder of real images beside the checkout, or where TINYJPG_SHARED says; None if absent.

    One folder for each kind of image is expected in it.
    """
    shared = Path(os.environ.get("TINYJPG_SHARED", ROOT.parent / "shared"))
    folder = shared / "corpora"
    return folder if folder.is_dir() else None


def folder(path: Path) -> ImageSet:
    """The files of one folder.

    Raises:
        FileNotFoundError: there is no such folder, or no file in it.
    """
    paths = sorted(one for one in path.iterdir() if one.is_file()) if path.is_dir() else []
    if not paths:
        raise FileNotFoundError(f"{path} is no folder with images; name one that is")
    return ImageSet(path.name, tuple(paths))


def jpeg_photographs() -> ImageSet:
    """Camera photographs as JPEG: `photo_jpeg` of the corpora, else those out of packages."""
    root = corpora()
    if root is not None and (root / "photo_jpeg").is_dir():
        return folder(root / "photo_jpeg")
    return _from_packages("jpeg")


def all_folders(*, but: frozenset[str]) -> list[ImageSet]:
    """Every folder of the corpora except those named, else the photographs out of packages."""
    root = corpora()
    if root is None:
        return [_from_packages("jpeg"), _from_packages("png")]
    return [folder(one) for one in sorted(root.iterdir()) if one.is_dir() and one.name not in but]


def _from_packages(tag: str) -> ImageSet:
    return ImageSet(
        f"{tag} photographs out of packages", tuple(one.path() for one in photographs(tag))
    )
