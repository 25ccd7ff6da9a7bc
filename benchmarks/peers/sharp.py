"""sharp (Node.js): installed at first use, beside this file, in the version package.json pins."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.peers.session import PeerMissingError

_FOLDER = Path(__file__).parent


def command() -> list[str]:
    """The command of the process.

    Raises:
        PeerMissingError: Node.js or npm is missing, or npm could not install sharp.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise PeerMissingError(
            f"sharp is left out: {'node' if node is None else 'npm'} was not found; "
            "install Node.js 20 or newer to compare with it"
        )
    wanted = json.loads((_FOLDER / "package.json").read_text("utf-8"))["dependencies"]["sharp"]
    if _installed() != wanted:
        _install(npm)
    return [node, str(_FOLDER / "sharp.mjs")]


def _installed() -> str | None:
    package = _FOLDER / "node_modules" / "sharp" / "package.json"
    if not package.is_file():
        return None
    return str(json.loads(package.read_text("utf-8"))["version"])


def _install(npm: str) -> None:
    print("installing sharp for the comparison (once)", file=sys.stderr, flush=True)
    options = ["--no-save", "--no-package-lock", "--no-audit", "--no-fund"]
    done = subprocess.run(
        [npm, "install", *options],
        cwd=_FOLDER,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        print(done.stderr, file=sys.stderr, flush=True)
        raise PeerMissingError(
            "sharp is left out: npm could not install it; check that npm reaches its registry"
        )
