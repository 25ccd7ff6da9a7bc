"""Where to go after logging in: an address inside this site, whatever a link says."""

from __future__ import annotations

import re
from typing import Final

DEFAULT: Final = "/dashboard"

# One slash, not two: browsers take "//host" and "/\\host" for another site, and leave out control
# characters before they look.
_INSIDE: Final = re.compile(r"/(?![/\\])[!-\[\]-~]{0,2000}", re.ASCII)


def next_path(text: str, default: str = DEFAULT) -> str:
    """`text` if it is a path (with a query, maybe) on this site, else `default`."""
    return text if _INSIDE.fullmatch(text) else default
