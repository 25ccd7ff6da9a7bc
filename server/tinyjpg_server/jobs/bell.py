"""Doorbells between the processes of one machine: quick word of an image, never the only one.

Each listener has a Unix datagram socket in a folder; ringing sends the image's id to all.
A ring that is not heard costs time, never an image: everybody looks at the rows now and then.
"""

from __future__ import annotations

import asyncio
import errno
import os
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

# What sending says when a listener has died, or has more to read than it can.
_GONE: Final = frozenset({errno.ECONNREFUSED, errno.ENOENT})
_BUSY: Final = frozenset({errno.EAGAIN, errno.ENOBUFS})
_MESSAGE: Final = 32


class Bell:
    """The bell of one topic.

    Args:
        folder: of the sockets; made if it is not there.
        topic: "accepted" or "finished".
    """

    def __init__(self, folder: Path, topic: str) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder: Final = folder
        self._topic: Final = topic
        self._socket: Final = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    async def ring(self, image_id: int) -> None:
        """Tell all listeners of an image. Never waits, never fails for a listener's sake."""
        for path in self._folder.glob(f"{self._topic}.*.socket"):
            try:
                self._socket.sendto(b"%d" % image_id, os.fsencode(path))
            except OSError as error:
                if error.errno in _GONE:
                    path.unlink(missing_ok=True)
                elif error.errno not in _BUSY:
                    raise

    def close(self) -> None:
        """Ring no more."""
        self._socket.close()

    @asynccontextmanager
    async def listener(self) -> AsyncIterator[Listener]:
        """Hears every ring from now to the end of the block."""
        path = self._folder / f"{self._topic}.{secrets.token_hex(6)}.socket"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bound:
            bound.setblocking(False)
            bound.bind(os.fsencode(path))
            try:
                yield Listener(bound)
            finally:
                path.unlink(missing_ok=True)


class Listener:
    """One who hears a bell."""

    def __init__(self, bound: socket.socket) -> None:
        self._socket: Final = bound

    async def wait(self, timeout: float) -> set[int]:
        """The images that were rung for; empty after `timeout` seconds of silence."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout):
                heard = {int(await loop.sock_recv(self._socket, _MESSAGE))}
        except TimeoutError:
            return set()
        while True:
            try:
                heard.add(int(self._socket.recv(_MESSAGE)))
            except BlockingIOError:
                return heard
