"""What saved files are called: the user's own names, made harmless."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import quote

from tinyjpg_server.jobs.images import EXTENSIONS

# Characters: enough for people, and less than the 255 bytes of file systems in any script.
_LONGEST: Final = 80
# What a program may take for the same format; all else gets the format's own behind it, so that
# no link to a picture of ours saves a program.
_SAME: Final = {
    "jpeg": {"jpg", "jpeg", "jpe", "jfif"},
    "png": {"png", "apng"},
    "webp": {"webp"},
    "gif": {"gif"},
}
_FORBIDDEN: Final = re.compile(r'[<>:"/\\|?*]')
_WINDOWS: Final = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])", re.IGNORECASE)


def saved_name(wanted: str, format: str, otherwise: str = "image") -> str:
    """What to call a file of `format` (a value of `tinyjpg.Format`) that the user calls `wanted`.

    No folders, nothing hidden, nothing that a file system refuses, and an extension of the format.

    Args:
        wanted: by the user, or by a link that somebody made up.
        format: of the file.
        otherwise: to be used where nothing is left.
    """
    name = re.split(r"[/\\]", wanted)[-1]
    name = _FORBIDDEN.sub("_", "".join(c if c.isprintable() else "_" for c in name))
    name = name.strip(" .")
    stem, extension = PurePosixPath(name).stem, PurePosixPath(name).suffix
    if extension[1:].lower() not in _SAME[format]:
        stem, extension = name, f".{EXTENSIONS[format]}"
    stem = stem[:_LONGEST].strip(" .") or otherwise
    if _WINDOWS.fullmatch(stem.partition(".")[0]):
        stem = f"_{stem}"
    return stem + extension


def unique_names(names: Iterable[str]) -> list[str]:
    """The same, numbered where one was there before: a.jpg, a (2).jpg. Capitals do not count."""
    seen: set[str] = set()
    unique = []
    for name in names:
        stem, extension = PurePosixPath(name).stem, PurePosixPath(name).suffix
        candidate, number = name, 1
        while candidate.lower() in seen:
            number += 1
            candidate = f"{stem} ({number}){extension}"
        seen.add(candidate.lower())
        unique.append(candidate)
    return unique


def attachment(name: str) -> str:
    """The Content-Disposition of a file to be saved as `name` (RFC 6266)."""
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\%' else "_" for c in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
