"""What an object in the store may be called."""

from __future__ import annotations

import re
from typing import Final

from tinyjpg_server.errors import ObjectNameError

_LONGEST: Final = 200
# Every part begins with a letter or digit: no "..", nothing hidden, nothing absolute.
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]*(?:/[a-z0-9][a-z0-9._-]*)*")


def is_name(text: str) -> bool:
    """Whether `text` may name an object."""
    return len(text) <= _LONGEST and ".." not in text and _NAME.fullmatch(text) is not None


def checked(name: str) -> str:
    """`name` itself.

    Raises:
        ObjectNameError: it is empty, too long, or could lead out of the store.
    """
    if not is_name(name):
        raise ObjectNameError(
            f"{name[:_LONGEST]!r} cannot name an object: parts of a-z 0-9 . _ - that begin with a "
            f"letter or digit, separated by single slashes, at most {_LONGEST} characters"
        )
    return name
