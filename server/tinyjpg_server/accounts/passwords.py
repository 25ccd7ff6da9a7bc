"""Passwords: what is accepted, hashing with argon2id, verification.

Recipe: RFC 9106, second recommended option (64 MiB, 3 passes, 4 lanes), argon2-cffi's default.
"""

from __future__ import annotations

import asyncio
import base64
import secrets
import string
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import ARGON2_VERSION

from tinyjpg_server.accounts.common_passwords import COMMON_PASSWORDS
from tinyjpg_server.errors import UnavailableError, ValidationFailedError

T = TypeVar("T")

SHORTEST: Final = 10
LONGEST: Final = 200

# Each hash takes 64 MiB while it is computed.
_AT_A_TIME: Final = 2
_WAITING: Final = 64
_FEWEST_DIFFERENT: Final = 4

# No characters that look like others: a generated password may be read aloud or typed.
_GENERATED: Final = "".join(sorted(set(string.ascii_letters + string.digits) - set("0O1lI")))


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the password is right, and the hash to store instead, if parameters changed."""

    right: bool
    new_hash: str | None = None


class Passwords:
    """Hashes and verifies in threads, two at a time.

    Args:
        hasher: the parameters to hash with.
    """

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher: Final = hasher or PasswordHasher()
        self._threads: Final = ThreadPoolExecutor(_AT_A_TIME, thread_name_prefix="password")
        self._waiting = 0
        self._nobody: Final = _hash_of_nobody(self._hasher)

    async def hash(self, password: str) -> str:
        """The hash to store, about 100 characters.

        Raises:
            UnavailableError: too many others wait.
        """
        return await self._run(lambda: self._hasher.hash(_bytes_of(password)))

    async def verify(self, stored: str | None, password: str) -> Verdict:
        """Whether `stored` is the hash of `password`. None never is, and takes as long.

        Raises:
            UnavailableError: too many others wait.
        """
        return await self._run(lambda: self._verify(stored, _bytes_of(password)))

    def _verify(self, stored: str | None, password: bytes) -> Verdict:
        try:
            self._hasher.verify(stored or self._nobody, password)
        except (VerificationError, InvalidHashError):
            return Verdict(right=False)
        if stored is None:
            return Verdict(right=False)
        if self._hasher.check_needs_rehash(stored):
            return Verdict(right=True, new_hash=self._hasher.hash(password))
        return Verdict(right=True)

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= _WAITING:
            raise UnavailableError("Too many people log in just now; try again.", retry_after=5)
        self._waiting += 1
        # Counted until the thread is done: a client that goes away does not end the work.
        future = self._threads.submit(work)
        loop = asyncio.get_running_loop()
        future.add_done_callback(lambda _: loop.call_soon_threadsafe(self._done))
        return await asyncio.wrap_future(future)

    def _done(self) -> None:
        self._waiting -= 1


def check_password(password: str, email: str) -> None:
    """Accept 10 to 200 characters of any kind that are not among the first to be guessed.

    Raises:
        ValidationFailedError: field `password`.
    """
    fault = _fault(password, email)
    if fault:
        raise ValidationFailedError(fault, errors={"password": [fault]})


def new_password() -> str:
    """A random password, 20 characters of 57: 116 bits."""
    return "".join(secrets.choice(_GENERATED) for _ in range(20))


def _fault(password: str, email: str) -> str | None:
    if not SHORTEST <= len(password) <= LONGEST:
        return f"The password must have {SHORTEST} to {LONGEST} characters."
    if not password.isprintable():
        return "The password must not have control characters."
    plain = unicodedata.normalize("NFKC", password).casefold()
    if plain in COMMON_PASSWORDS or len(set(plain)) < _FEWEST_DIFFERENT:
        return "The password is one of the first to be guessed; choose another."
    if plain in {email.casefold(), email.casefold().partition("@")[0]}:
        return "The password must not be the e-mail address."
    return None


def _bytes_of(password: str) -> bytes:
    # The same text may be typed in different sequences of code points.
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


def _hash_of_nobody(hasher: PasswordHasher) -> str:
    """A hash with the parameters of `hasher` that no known password has: of random bytes."""
    salt, value = (
        base64.b64encode(secrets.token_bytes(length)).decode().rstrip("=")
        for length in (hasher.salt_len, hasher.hash_len)
    )
    cost = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2id$v={ARGON2_VERSION}${cost}${salt}${value}"


PASSWORDS: Final = Passwords()
