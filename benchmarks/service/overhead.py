"""What the service adds to the engine: requests a second with an image that takes no time."""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Final

import aiohttp

from benchmarks import report
from benchmarks.service.load import Ask, Load, hammer
from benchmarks.service.processes import cpu_seconds
from tests.server import postgresql
from tests.server.running import RunningServer

# A picture of one pixel.
SMALLEST: Final = bytes.fromhex(
    "47494638396101000100800000000000ffffff2c00000000010001000002024401003b"
)
_BOUNDARY: Final = "benchmark"
_BODY: Final = (
    (
        f"--{_BOUNDARY}\r\n"
        'Content-Disposition: form-data; name="image"; filename="smallest.gif"\r\n'
        "Content-Type: image/gif\r\n\r\n"
    ).encode()
    + SMALLEST
    + f"\r\n--{_BOUNDARY}--\r\n".encode()
)
_FORM: Final = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
_ACCEPTED_A_SECOND: Final = 300
_STATUS_A_SECOND: Final = 1500


@dataclass(frozen=True, slots=True)
class Measured:
    """One line of the table. `cpu` is milliseconds of the web server a request."""

    what: str
    load: Load
    cpu: float


def main(arguments: list[str]) -> int:
    """Run the benchmark; see `--help` for the arguments."""
    parser = argparse.ArgumentParser(prog="./run bench service overhead", description=__doc__)
    parser.add_argument("--seconds", type=float, default=10, help="of each load (default: 10)")
    parser.add_argument("--connections", type=int, default=32, help="at a time (default: 32)")
    options = parser.parse_args(arguments)
    rows = []
    for database, workers in product(("SQLite", "PostgreSQL"), (0, 1)):
        with _database(database) as environment:
            if environment is None:
                continue
            measured = _measure(workers, environment, options.seconds, options.connections)
            rows += [_row(database, workers, one) for one in measured]
    columns = ["", "requests a second", "p50, ms", "p99, ms", "CPU ms a request, web server"]
    report.publish(
        "service-overhead",
        f"./run bench service overhead --seconds {options.seconds:g} "
        f"--connections {options.connections}",
        [
            (
                f"The real service; an image of one pixel and {len(SMALLEST)} bytes. The client "
                "runs on the same machine. With no worker, images only queue: the accept path "
                f"alone. Wanted on 2 cores: {_ACCEPTED_A_SECOND} accepted and "
                f"{_STATUS_A_SECOND:,} status requests a second."
            ),
            report.table(columns, rows),
            report.environment(),
        ],
    )
    return 0


@contextmanager
def _database(name: str) -> Iterator[dict[str, str] | None]:
    """The settings of a new database, None if there is no server for it."""
    if name == "SQLite":
        yield {}
        return
    if postgresql.why_not():
        yield None
        return
    with postgresql.new_database() as url:
        yield {"TINYJPG_DATABASE_URL": url}


def _measure(
    workers: int, environment: dict[str, str], seconds: float, connections: int
) -> list[Measured]:
    unlimited = {"TINYJPG_QUEUE_LIMIT": "10000000", "TINYJPG_LOG_LEVEL": "warning"}
    with tempfile.TemporaryDirectory(prefix="tinyjpg-bench-") as folder:
        data = Path(folder) / "data"
        with RunningServer(data, workers=workers, environment=unlimited | environment) as server:
            measured = [_load("accepted", server, _accept(server.url), seconds, connections)]
            if not workers:
                status = _status(server.url)
                measured.append(_load("status", server, status, seconds, connections))
    return measured


def _load(what: str, server: RunningServer, ask: Ask, seconds: float, connections: int) -> Measured:
    web = server.web_pids()
    before = cpu_seconds(web)
    load = asyncio.run(hammer(ask, connections, seconds, {"X-API-Key": server.key}))
    cpu = (cpu_seconds(web) - before) / load.asked * 1000
    return Measured(what, load, cpu)


def _accept(url: str) -> Ask:
    async def ask(session: aiohttp.ClientSession) -> None:
        async with session.post(f"{url}/api/optimize", data=_BODY, headers=_FORM) as answer:
            assert answer.status == 200, await answer.text()
            await answer.read()

    return ask


def _status(url: str) -> Ask:
    async def ask(session: aiohttp.ClientSession) -> None:
        async with session.get(f"{url}/api/status/1") as answer:
            assert answer.status == 200, await answer.text()
            await answer.read()

    return ask


def _row(database: str, workers: int, one: Measured) -> list[str]:
    beside = ", 1 worker beside it" if workers else ""
    return [
        f"{database}: {one.what}{beside}",
        f"{one.load.rate:,.0f}",
        f"{one.load.milliseconds(0.5):.1f}",
        f"{one.load.milliseconds(0.99):.1f}",
        f"{one.cpu:.2f}",
    ]
