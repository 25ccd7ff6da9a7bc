"""The disk floor: uploads are refused before the disk is full."""

from __future__ import annotations

import asyncio
import math
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tinyjpg_server.errors import UnavailableError
from tinyjpg_server.settings import MEBIBYTE

# Seconds that a reading holds.
_FRESH: Final = 1.0
_RETRY_AFTER: Final = 30


class DiskFloor:
    """Whether there is room for uploads; asks the disk at most once a second.

    Args:
        folder: on the disk.
        floor: mebibytes that must stay free; 0 never refuses.
        free_bytes: of the disk of a folder.
    """

    def __init__(
        self, folder: Path, floor: int, free_bytes: Callable[[Path], int] | None = None
    ) -> None:
        self._folder = folder
        self._floor = floor * MEBIBYTE
        self._free_bytes = free_bytes or _free_bytes
        self._read_at = -math.inf
        self._free = 0

    async def check(self) -> None:
        """Refuse an upload when the disk is nearly full.

        Raises:
            UnavailableError: fewer bytes are free than the floor; code `storage_full`.
        """
        if not self._floor:
            return
        now = time.monotonic()
        if now - self._read_at > _FRESH:
            self._free = await asyncio.to_thread(self._free_bytes, self._folder)
            self._read_at = now
        if self._free < self._floor:
            raise storage_full()


def storage_full() -> UnavailableError:
    """The answer to an upload that there is no room for."""
    return UnavailableError(
        "The server has no room for another image just now; try again later.",
        code="storage_full",
        retry_after=_RETRY_AFTER,
    )


def _free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


