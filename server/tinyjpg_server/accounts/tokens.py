"""Random secrets, and what is kept of them."""

from __future__ import annotations

import hashlib
import secrets
import string
from typing import Final

# Letters and digits alone: a double click selects all of it, and no shell or URL minds.
_ALPHABET: Final = string.ascii_letters + string.digits

# The fewest characters of 62 that hold 256 bits: 43 x log2(62) = 256.03.
TOKEN_LENGTH: Final = 43


def new_token() -> str:
    """256 random bits as 43 letters and digits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(TOKEN_LENGTH))


def digest(token: str) -> str:
    """SHA-256 of `token`, 64 hexadecimal digits.

    Nothing slower is needed: 256 random bits cannot be tried out.
    """
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
