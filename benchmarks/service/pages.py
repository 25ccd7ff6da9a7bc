"""How fast pages come, what they weigh, and how much memory the web process takes for them."""

from __future__ import annotations

import argparse
import asyncio
import re
import tempfile
from pathlib import Path
from typing import Final
from urllib.parse import urljoin

import aiohttp
import httpx

from benchmarks import report
from benchmarks.service.load import Ask, hammer
from benchmarks.service.processes import cpu_seconds, resident_bytes
from tests.server.logging_in import COOKIE, new_member
from tests.server.running import RunningServer

_PAGES: Final = ("/", "/docs", "/pricing", "/account", "/dashboard")
_FILES: Final = re.compile(r'(?:src|href)="(/static/[^"]+)"')
_IMPORTS: Final = re.compile(r'from "(\./[^"]+|\.\./[^"]+)"')
_MOST_BYTES: Final = 150_000


def main(arguments: list[str]) -> int:
    """Run the benchmark; see `--help` for the arguments."""
    parser = argparse.ArgumentParser(prog="./run bench service pages", description=__doc__)
    parser.add_argument("--seconds", type=float, default=5, help="of each page (default: 5)")
    parser.add_argument("--connections", type=int, default=8, help="at a time (default: 8)")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="tinyjpg-bench-") as folder:
        quiet = {"TINYJPG_LOG_LEVEL": "warning"}
        with RunningServer(Path(folder) / "data", workers=0, environment=quiet) as server:
            cookies = {COOKIE: new_member(server).session}
            rows = [_row(server, path, cookies, options) for path in _PAGES]
            resident = resident_bytes(server.web_pids()) / 1024**2
    columns = ["", "pages a second", "p50, ms", "p99, ms", "CPU ms a page", "kB with its files"]
    report.publish(
        "service-pages",
        f"./run bench service pages --seconds {options.seconds:g} "
        f"--connections {options.connections}",
        [
            (
                "Pages as the real service sends them to somebody who is logged in, nothing "
                "compressed; with style sheets, scripts and icons, which browsers keep, they may "
                f"weigh {_MOST_BYTES / 1000:g} kB. The web server takes {resident:.0f} MiB "
                "afterwards."
            ),
            report.table(columns, rows),
            report.environment(),
        ],
    )
    return 0


def _row(
    server: RunningServer, path: str, cookies: dict[str, str], options: argparse.Namespace
) -> list[str]:
    weight = _weight(server.url, path, cookies)
    headers = {
        "Accept": "text/html",
        "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
    }
    web = server.web_pids()
    before = cpu_seconds(web)
    load = asyncio.run(
        hammer(_get(server.url + path), options.connections, options.seconds, headers)
    )
    cpu = (cpu_seconds(web) - before) / load.asked * 1000
    return [
        path,
        f"{load.rate:,.0f}",
        f"{load.milliseconds(0.5):.1f}",
        f"{load.milliseconds(0.99):.1f}",
        f"{cpu:.2f}",
        f"{weight / 1000:.1f}",
    ]


def _get(url: str) -> Ask:
    async def ask(session: aiohttp.ClientSession) -> None:
        async with session.get(url, allow_redirects=False) as answer:
            assert answer.status == 200, await answer.text()
            await answer.read()

    return ask


def _weight(base_url: str, path: str, cookies: dict[str, str]) -> int:
    """Bytes of the page, its style sheets, its icons and its scripts with all they import."""
    with httpx.Client(base_url=base_url, cookies=cookies, trust_env=False) as client:
        page = client.get(path, headers={"Accept": "text/html"})
        total, seen = len(page.content), set[str]()
        waiting = _FILES.findall(page.text)
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            file = client.get(name)
            assert file.status_code == 200, name
            total += len(file.content)
            if name.endswith(".js"):
                waiting += [urljoin(name, one) for one in _IMPORTS.findall(file.text)]
    return total
