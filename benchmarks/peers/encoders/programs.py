"""Programs outside Python that are peers: finding them, running them, asking their version."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.peers.session import PeerMissingError

FAILURES = (OSError, RuntimeError)
"""What `run` raises, and writing or reading a file."""


def find(name: str) -> str | None:
    """The program in the environment's own folder of scripts, else on the path."""
    beside = Path(sys.executable).with_name(name)
    return str(beside) if beside.is_file() else shutil.which(name)


def required(name: str, how: str) -> str:
    """The program, which must exist.

    Raises:
        PeerMissingError: it does not; the message ends with `how` to get it.
    """
    found = find(name)
    if found is None:
        raise PeerMissingError(f"{name} is left out: it was not found; {how}")
    return found


def run(command: Sequence[str]) -> str:
    """Run a program to its end and return what it printed.

    Raises:
        RuntimeError: it failed; the message has the last line of what it said.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().rpartition("\n")[2]
        raise RuntimeError(f"{Path(command[0]).name} ended with status {done.returncode}: {said}")
    return (done.stdout or done.stderr).strip()
