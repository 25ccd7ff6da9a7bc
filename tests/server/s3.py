"""The S3 that store and service are tested with: moto's server, or the one that is named."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx

# http://key:secret@host:port/bucket; the bucket exists.
NAMED: Final = os.environ.get("TINYJPG_TEST_S3")
_PATIENCE: Final = 30.0
_PORT: Final = re.compile(r"Running on http://127\.0\.0\.1:(\d+)")


def why_not() -> str | None:
    """Why there is no S3 to test with, or None if there is."""
    if NAMED or importlib.util.find_spec("moto"):
        return None
    return "no S3: install moto[s3], or name one in TINYJPG_TEST_S3=http://KEY:SECRET@HOST/BUCKET"


@contextmanager
def running_s3(folder: Path) -> Iterator[str]:
    """The URL of a bucket, with the key and the secret in it."""
    if NAMED:
        yield NAMED
        return
    log = folder / "moto.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        port = _port(log, server)
        httpx.put(f"http://127.0.0.1:{port}/images").raise_for_status()
        yield f"http://key:secret@127.0.0.1:{port}/images"
    finally:
        server.kill()
        server.wait()


def environment(url: str, bucket: str | None = None, prefix: str = "") -> dict[str, str]:
    """The environment of a service on the bucket at `url`, or on another one there."""
    parts = urlsplit(url)
    return {
        "TINYJPG_STORAGE_URL": f"s3://{bucket or parts.path.strip('/')}/{prefix}",
        "TINYJPG_STORAGE_ENDPOINT": f"{parts.scheme}://{parts.hostname}:{parts.port}",
        "AWS_ACCESS_KEY_ID": parts.username or "",
        "AWS_SECRET_ACCESS_KEY": parts.password or "",
        "AWS_REGION": "us-east-1",
    }


def _port(log: Path, server: subprocess.Popen[bytes]) -> str:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        found = _PORT.search(log.read_text())
        if found:
            return found[1]
        if server.poll() is not None:
            break
        time.sleep(0.05)
    raise RuntimeError(f"moto's server did not start:\n{log.read_text()}")
