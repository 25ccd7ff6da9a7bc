"""The disk floor: uploads are refused before the disk is full."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from tinyjpg_server.errors import UnavailableError
from tinyjpg_server.settings import MEBIBYTE

# Seconds that a reading holds.
_FRESH: Final = 1.0
_RETRY_AFTER: Final = 30


class DiskFloor:
    """Whether there is room for uploads; asks at most once a second.

    Args:
        free_bytes: how many bytes may still be written, None if nobody knows.
        floor: mebibytes that must stay free.
        clock: seconds, from any beginning.
    """

    def __init__(
        self,
        free_bytes: Callable[[], int | None],
        floor: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._free_bytes = free_bytes
        self._floor = floor * MEBIBYTE
        self._clock = clock
        self._free: int | None = None
        self._read_at: float | None = None

    def check(self) -> None:
        """Refuse an upload when the disk is nearly full.

        Raises:
            UnavailableError: fewer bytes are free than the floor; code `storage_full`.
        """
        now = self._clock()
        if self._read_at is None or now - self._read_at > _FRESH:
            self._free = self._free_bytes()
            self._read_at = now
        if self._free is not None and self._free < self._floor:
            raise storage_full()


def storage_full() -> UnavailableError:
    """The answer to an upload that there is no room for."""
    return UnavailableError(
        "The server has no room for another image just now; try again later.",
        code="storage_full",
        retry_after=_RETRY_AFTER,
    )
