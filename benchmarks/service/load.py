"""Many connections that ask as fast as they are answered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

import aiohttp

# Seconds at the start that do not count: connections, caches, statements compiled.
_WARM_UP: Final = 1.0

Ask = Callable[[aiohttp.ClientSession], Awaitable[None]]


@dataclass(slots=True)
class Load:
    """What came of it.

    `seconds` is the time that counted, `times` the seconds of each answer in it, `asked` the
    number of all requests, those before it too.
    """

    seconds: float = 0.0
    asked: int = 0
    times: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.times) / self.seconds

    def milliseconds(self, share: float) -> float:
        """The time within which `share` (0 to 1) of the answers came."""
        ordered = sorted(self.times)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000


async def hammer(ask: Ask, connections: int, seconds: float, headers: dict[str, str]) -> Load:
    """Call `ask` in `connections` loops for `seconds`. An `ask` that raises ends it all."""
    load = Load()
    connector = aiohttp.TCPConnector(limit=connections)
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:
        start = time.perf_counter() + _WARM_UP
        end = start + seconds

        async def loop() -> None:
            while (began := time.perf_counter()) < end:
                await ask(session)
                load.asked += 1
                if began >= start:
                    load.times.append(time.perf_counter() - began)

        async with asyncio.TaskGroup() as group:
            for _ in range(connections):
                group.create_task(loop())
        load.seconds = time.perf_counter() - start
    return load
