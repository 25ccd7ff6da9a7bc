"""Peak memory: a 100-megapixel JPEG at quality 80 and a 50-megapixel PNG losslessly."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks import images, report
from benchmarks.large_images import JPEG_NAME, PNG_NAME
from benchmarks.mozjpeg_defaults import MOZJPEG_DEFAULTS
from benchmarks.peers.session import PeerMissingError, Session
from benchmarks.peers.table import PEERS

_MEGABYTE = 1_000_000
_NOTE = (
    "Peak resident memory of a fresh process that reads the file and optimises it once, with all "
    "it loads. The pictures are made from a photograph, enlarged, with tiled detail and noise. "
    "1 MB is 1,000,000 bytes."
)


@dataclass(frozen=True, slots=True)
class Measurement:
    """One picture through one peer.

    Attributes:
        picture: file name in the temporary folder.
        peer: key of `PEERS`.
        quality: as the peer understands it.
        target: most megabytes it should take; None where there is no target.
    """

    picture: str
    peer: str
    quality: int
    target: int | None


def main(arguments: list[str]) -> int:
    """Run the benchmark; it takes no arguments."""
    parser = argparse.ArgumentParser(prog="./run bench memory", description=__doc__)
    parser.parse_args(arguments)
    encoder_quality = round(MOZJPEG_DEFAULTS.at(80))
    measurements = [
        Measurement(JPEG_NAME, "tinyjpg_threads", 80, 250),
        Measurement(JPEG_NAME, "pyvips_mozjpeg", encoder_quality, None),
        Measurement(JPEG_NAME, "sharp", encoder_quality, None),
        Measurement(PNG_NAME, "tinyjpg_threads", 100, 1_200),
    ]
    rows, notes, versions = [], [], []
    with tempfile.TemporaryDirectory(prefix="tinyjpg-bench-") as name:
        folder = Path(name)
        subprocess.run(
            [sys.executable, "-m", "benchmarks.large_images", name], cwd=images.ROOT, check=True
        )
        for measurement in measurements:
            try:
                row, version = _measure(measurement, folder)
            except PeerMissingError as error:
                print(error, file=sys.stderr)
                notes.append(str(error))
                continue
            rows.append(row)
            versions += [version] if measurement.peer == "sharp" else []
    columns = ["", "input MB", "output MB", "seconds", "peak MB", "target MB", "how"]
    report.publish(
        "memory",
        "./run bench memory",
        [
            _NOTE,
            f"JPEG at quality 80 (sharp: mozjpeg quality {encoder_quality}), PNG at quality 100.",
            report.table(columns, rows),
            *notes,
            report.environment(*versions),
        ],
    )
    return 0


def _measure(measurement: Measurement, folder: Path) -> tuple[list[str], str]:
    peer = PEERS[measurement.peer]
    path = folder / measurement.picture
    session = Session(peer.command(), [path], measurement.quality, warm_up=False)
    with session:
        done = session.round()
    return [
        f"{measurement.picture.replace('_', ' ')}, {peer.label}",
        f"{path.stat().st_size / _MEGABYTE:.1f}",
        f"{done.bytes / _MEGABYTE:.1f}",
        f"{done.seconds:.1f}",
        f"{session.peak / _MEGABYTE:.0f}",
        "" if measurement.target is None else f"{measurement.target:,}",
        done.outputs[0].method,
    ], session.version
