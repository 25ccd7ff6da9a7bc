"""Many mixed images from many clients: nothing lost, nothing charged twice, memory flat."""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp

from benchmarks import report
from benchmarks.images import corpora
from benchmarks.service.processes import resident_bytes
from tests.server.running import RunningServer
from tinyjpg import TinyJPGError, probe

_FOLDERS: Final = ("photo_jpeg", "ui_png", "logo_png", "webp", "gif", "pngsuite", "oddities")
# A PNG photograph takes seconds of a core for each megapixel.
_LARGEST: Final = {"photo_jpeg": 4_000_000, "ui_png": 500_000, "webp": 1_000_000, "gif": 3_000_000}
_LARGEST_OTHER: Final = 400_000
_CLIENTS: Final = 16
_SAMPLE: Final = 2.0
_WAIT: Final = 60
_MEBIBYTE: Final = 1024 * 1024
_SEED: Final = 4
# Uploads of a run that counts.
_WHOLE: Final = 2000


@dataclass(slots=True)
class Tally:
    """What became of the uploads."""

    outcomes: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    bytes_in: int = 0
    bytes_out: int = 0
    unexplained: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Memory:
    """Resident bytes of each role, sampled over time."""

    samples: dict[str, list[int]] = field(default_factory=dict)

    def take(self, server: RunningServer) -> None:
        """Look once."""
        roles = {
            "web": server.web_pids(),
            "workers": server.worker_pids(),
            "children": server.child_pids(),
        }
        for role, pids in roles.items():
            self.samples.setdefault(role, []).append(resident_bytes(pids))

    def rows(self) -> list[list[str]]:
        """Per role: the most within each quarter of the time, in MiB."""
        return [
            [role, *(f"{max(part) / _MEBIBYTE:,.0f}" for part in _quarters(samples))]
            for role, samples in self.samples.items()
        ]


def main(arguments: list[str]) -> int:
    """Run the benchmark; 1 if anything is lost, unexplained or charged wrongly."""
    parser = argparse.ArgumentParser(prog="./run bench service soak", description=__doc__)
    parser.add_argument("--images", type=int, default=_WHOLE, help="uploads (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=2, help="worker processes (default: 2)")
    parser.add_argument("--hostile", action="store_true", help="malformed files, too")
    options = parser.parse_args(arguments)
    root = corpora()
    if root is None:
        print(
            "no corpora: put images under ../shared/corpora, or set TINYJPG_SHARED", file=sys.stderr
        )
        return 2
    paths = _chosen(root, options.images, hostile=options.hostile)
    with tempfile.TemporaryDirectory(prefix="tinyjpg-soak-") as folder:
        data = Path(folder) / "data"
        settings = {"TINYJPG_LOG_LEVEL": "warning"}
        with RunningServer(data, workers=options.workers, environment=settings) as server:
            began = time.monotonic()
            tally, memory, stats = asyncio.run(_soak(server, paths))
            seconds = time.monotonic() - began
    faults = _faults(tally, stats, len(paths))
    report.publish(
        "service-soak",
        f"./run bench service soak --images {options.images} --workers {options.workers}"
        + (" --hostile" if options.hostile else ""),
        [
            (
                f"{len(paths):,} uploads by {_CLIENTS} clients in {seconds / 60:.1f} minutes, "
                f"{len(paths) / seconds:.1f} a second; {tally.bytes_in / _MEBIBYTE:,.0f} MiB "
                f"became {tally.bytes_out / _MEBIBYTE:,.0f}."
            ),
            report.table(["outcome", "images"], _count_rows(tally)),
            f"Charged: used {stats['used']:,}, pending {stats['pending']:,}.",
            "Most resident memory in each quarter of the time, MiB:",
            report.table(["", "1st", "2nd", "3rd", "4th"], memory.rows()),
            "\n".join(f"- WRONG: {fault}" for fault in faults) or "Nothing lost, nothing wrong.",
            report.environment(),
        ],
        save=options.images >= _WHOLE,
    )
    return bool(faults)


def _chosen(root: Path, count: int, *, hostile: bool) -> list[Path]:
    """`count` files, each as often as any other, in an order that is the same every time."""
    folders = [*_FOLDERS, "hostile"] if hostile else _FOLDERS
    files = [
        path
        for folder in folders
        for path in sorted((root / folder).glob("*"))
        if path.is_file() and (folder == "hostile" or _small_enough(path, folder))
    ]
    order = random.Random(_SEED)
    chosen: list[Path] = []
    while len(chosen) < count:
        order.shuffle(files)
        chosen += files
    return chosen[:count]


def _small_enough(path: Path, folder: str) -> bool:
    try:
        header = probe(path.read_bytes())
    except TinyJPGError:
        # The service must say so itself.
        return True
    return header.pixels * header.frames <= _LARGEST.get(folder, _LARGEST_OTHER)


async def _soak(
    server: RunningServer, paths: Sequence[Path]
) -> tuple[Tally, Memory, dict[str, int]]:
    tally, memory = Tally(), Memory()
    left = iter(paths)
    async with aiohttp.ClientSession(headers={"X-API-Key": server.key}) as session:

        async def client() -> None:
            for path in left:
                await _one(session, server.url, path, tally)

        async def sample() -> None:
            while True:
                memory.take(server)
                await asyncio.sleep(_SAMPLE)

        sampling = asyncio.create_task(sample())
        async with asyncio.TaskGroup() as group:
            for _ in range(_CLIENTS):
                group.create_task(client())
        sampling.cancel()
        with suppress(asyncio.CancelledError):
            await sampling
        async with session.get(f"{server.url}/api/v1/stats") as answer:
            stats: dict[str, int] = (await answer.json())["data"]
    return tally, memory, stats


async def _one(session: aiohttp.ClientSession, url: str, path: Path, tally: Tally) -> None:
    form = aiohttp.FormData()
    form.add_field("image", path.read_bytes(), filename=path.name)
    async with session.post(f"{url}/api/optimize", data=form) as answer:
        body = await answer.json()
    if answer.status >= 500:
        tally.unexplained.append(f"{path.name}: {answer.status} {body}")
    if answer.status != 200:
        tally.refused[f"refused: {answer.status} {body['code']}"] += 1
        return
    data = await _finished(session, url, body["data"]["image_id"])
    outcome = data["status"]
    if outcome == "completed":
        tally.bytes_in += data["original_size"]
        tally.bytes_out += data["optimized_size"]
        await _check_file(session, path, data, tally)
    elif outcome == "failed":
        outcome = f"failed: {data['error']['code']}"
        if data["error"]["code"] in {"internal_error", "worker_failed"}:
            tally.unexplained.append(f"{path.name}: {data['error']}")
    tally.outcomes[outcome] += 1


async def _finished(session: aiohttp.ClientSession, url: str, image_id: int) -> dict[str, Any]:
    for _ in range(10):
        async with session.get(f"{url}/api/status/{image_id}", params={"wait": _WAIT}) as answer:
            data: dict[str, Any] = (await answer.json())["data"]
        if data["status"] != "processing":
            break
    return data


async def _check_file(
    session: aiohttp.ClientSession, path: Path, data: dict[str, Any], tally: Tally
) -> None:
    async with session.get(data["optimized_url"]) as answer:
        content = await answer.read()
    if answer.status != 200 or len(content) != data["optimized_size"]:
        tally.unexplained.append(f"{path.name}: the file is {answer.status}, {len(content)} bytes")
    if len(content) > data["original_size"]:
        tally.unexplained.append(f"{path.name}: larger than the original")


def _faults(tally: Tally, stats: dict[str, int], uploads: int) -> list[str]:
    faults = list(tally.unexplained)
    answered = tally.outcomes.total() + tally.refused.total()
    if answered != uploads:
        faults.append(f"{uploads} uploads, {answered} outcomes")
    if tally.outcomes["processing"]:
        faults.append(f"{tally.outcomes['processing']} images never finished")
    if stats["used"] != tally.outcomes["completed"]:
        faults.append(f"{tally.outcomes['completed']} completed, {stats['used']} charged")
    if stats["pending"]:
        faults.append(f"{stats['pending']} units are still reserved")
    return faults


def _count_rows(tally: Tally) -> list[list[str]]:
    return [
        [name, f"{count:,}"]
        for name, count in [*tally.outcomes.most_common(), *tally.refused.most_common()]
    ]


def _quarters(samples: list[int]) -> list[list[int]]:
    size = max(1, len(samples) // 4)
    return [samples[start * size : (start + 1) * size] or samples[-1:] for start in range(4)]
