"""The bell: tells processes on this machine that an image came or is finished.

A bell only makes things quick. Whoever listens looks at the database now and then anyway, so a ring
that is lost costs latency, never an image.

Each listener has a FIFO of its own in the folder of the topic; a ring is the image's id, 8 bytes,
written to all of them. FIFOs need no port and no path as short as a socket's.
"""

from __future__ import annotations

import asyncio
import errno
import os
import secrets
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

_RING: Final = struct.Struct("<q")
# A whole number of rings, so that none is read in halves.
_PIECE: Final = _RING.size * 512


class Bell:
    """Rings for one topic.

    Args:
        folder: which all processes of the service share; made when it is first needed.
        topic: a word: "accepted" or "finished".
    """

    def __init__(self, folder: Path, topic: str) -> None:
        self._folder: Final = folder / topic

    async def ring(self, image_id: int) -> None:
        """Tell every listener; there may be none. Never waits."""
        ring = _RING.pack(image_id)
        try:
            listeners = list(self._folder.iterdir())
        except FileNotFoundError:
            return
        for path in listeners:
            if not path.name.startswith("."):
                _write(path, ring)

    @asynccontextmanager
    async def listener(self) -> AsyncIterator[Listener]:
        """Hear what is rung from now on."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{os.getpid()}-{secrets.token_hex(4)}"
        # Under its name only once somebody reads: a FIFO nobody reads is taken for left behind.
        made, path = self._folder / f".{name}", self._folder / name
        os.mkfifo(made, 0o600)
        try:
            # Open for writing, too: otherwise it would end whenever the last ringer closes it.
            descriptor = os.open(made, os.O_RDWR | os.O_NONBLOCK)
            try:
                made.rename(path)
                yield Listener(descriptor)
            finally:
                os.close(descriptor)
        finally:
            made.unlink(missing_ok=True)
            path.unlink(missing_ok=True)


class Listener:
    """One who hears; see `Bell.listener`."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: Final = descriptor

    async def wait(self, timeout: float) -> set[int]:
        """The ids that were rung since the last call; waits up to `timeout` seconds for one."""
        heard = self._read()
        if heard:
            return heard
        loop = asyncio.get_running_loop()
        rung = asyncio.Event()
        loop.add_reader(self._descriptor, rung.set)
        try:
            async with asyncio.timeout(timeout):
                await rung.wait()
        except TimeoutError:
            return set()
        finally:
            loop.remove_reader(self._descriptor)
        return self._read()

    def _read(self) -> set[int]:
        heard: set[int] = set()
        with suppress(BlockingIOError):
            while data := os.read(self._descriptor, _PIECE):
                heard.update(image_id for (image_id,) in _RING.iter_unpack(data))
        return heard


def _write(path: Path, ring: bytes) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    except OSError as error:
        if error.errno == errno.ENXIO:
            # Its listener died.
            path.unlink(missing_ok=True)
        elif error.errno != errno.ENOENT:
            raise
        return
    try:
        # Full: thousands of rings are unheard, one more would change nothing.
        with suppress(BlockingIOError, BrokenPipeError):
            os.write(descriptor, ring)
    finally:
        os.close(descriptor)
