"""Long polls: requests that wait until an image is finished."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

T = TypeVar("T")

# Seconds between looks at the row, for bells that were not heard.
LOOK_AGAIN: Final = 1.0


class Waiting:
    """Who waits for which image. One per process; not for threads."""

    def __init__(self) -> None:
        self._waiters: dict[int, set[asyncio.Event]] = {}
        self._over = False

    def __len__(self) -> int:
        """How many requests wait."""
        return sum(len(events) for events in self._waiters.values())

    def finished(self, image_id: int) -> None:
        """Wake all who wait for this image."""
        for event in self._waiters.get(image_id, ()):
            event.set()

    def stop(self) -> None:
        """Let nobody wait any longer: the process is about to end."""
        self._over = True
        for image_id in self._waiters:
            self.finished(image_id)

    async def until(
        self,
        image_id: int,
        look: Callable[[], Awaitable[T]],
        done: Callable[[T], bool],
        seconds: float,
        look_again: float = LOOK_AGAIN,
    ) -> T:
        """What `look` sees once it is `done`, after `seconds`, or when the process stops.

        Looks at once, whenever the bell rings for the image, and every `look_again` seconds.
        """
        deadline = time.monotonic() + seconds
        event = asyncio.Event()
        # Registered before the first look, so that no bell falls between.
        self._waiters.setdefault(image_id, set()).add(event)
        try:
            while True:
                event.clear()
                seen = await look()
                left = deadline - time.monotonic()
                if done(seen) or left <= 0 or self._over:
                    return seen
                try:
                    async with asyncio.timeout(min(left, look_again)):
                        await event.wait()
                except TimeoutError:
                    continue
        finally:
            waiters = self._waiters[image_id]
            waiters.discard(event)
            if not waiters:
                del self._waiters[image_id]
