"""The peers by name."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.peers import sharp


def _python(module: str) -> Callable[[], list[str]]:
    return lambda: [sys.executable, "-m", "benchmarks.peers.runner", module]


@dataclass(frozen=True, slots=True)
class Peer:
    """One way to optimise images.

    Attributes:
        label: for reports.
        command: installs what is missing and returns the command of the process. Raises
            PeerMissingError where that cannot be done here.
    """

    label: str
    command: Callable[[], list[str]]


PEERS = {
    "tinyjpg_pool": Peer("tinyjpg.Pool", _python("tinyjpg_pool")),
    "tinyjpg_threads": Peer("tinyjpg.optimize in threads", _python("tinyjpg_threads")),
    "pyvips_mozjpeg": Peer("libvips and mozjpeg alone", _python("pyvips_mozjpeg")),
    "sharp": Peer("sharp, mozjpeg: true", sharp.command),
}
