"""The engine's mark in a GIF: at which quality it was made, so that it is not made lossy again.

It is a comment extension, `tinyjpg QUALITY CHECK`: CHECK is the CRC-32, in hexadecimal, of the file
without the mark. A mark that does not fit its file was left there by another tool and counts for
nothing.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import replace
from typing import Final

from tinyjpg.containers.gif_blocks import COMMENT, Extension, Gif, comment, write

_MARK: Final = re.compile(rb"tinyjpg ([1-9][0-9]?) ([0-9a-f]{8})")


def is_marker(extension: Extension) -> bool:
    """Whether `extension` is a mark, valid or not."""
    return extension.label == COMMENT and _MARK.fullmatch(extension.payload) is not None


def unmarked(gif: Gif) -> Gif:
    """`gif` without any mark."""
    rest = tuple(extension for extension in gif.extensions if not is_marker(extension))
    return replace(gif, extensions=rest)


def marked(gif: Gif, quality: int) -> Gif:
    """`gif` with a mark saying that it was made at `quality`, 1 to 99, and no other."""
    bare = unmarked(gif)
    mark = comment(f"tinyjpg {quality} {_check(bare):08x}".encode())
    return replace(bare, extensions=(mark, *bare.extensions))


def quality(gif: Gif) -> int | None:
    """The quality that `gif` was made at, or None without a valid mark."""
    marks = [one.payload for one in gif.extensions if is_marker(one)]
    if len(marks) != 1:
        return None
    found = _MARK.fullmatch(marks[0])
    if found is None or int(found[2], 16) != _check(unmarked(gif)):
        return None
    return int(found[1])


def _check(gif: Gif) -> int:
    return zlib.crc32(write(gif))
