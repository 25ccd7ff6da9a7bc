"""jpegli as pyjpegli offers it (RGB, 4:2:0, baseline), packed into progressive scans by mozjpeg.

jpegli itself can write progressive files, pyjpegli cannot; packing makes up for it.
"""

from __future__ import annotations

import importlib.metadata
from pathlib import Path
from typing import Any

import mozjpeg_lossless_optimization
import numpy as np
import pyjpegli
from PIL import Image, ImageOps

# Bytes of an ICC profile in one segment (ICC.1, annex B.4).
_CHUNK = 65519

FAILURES = (OSError, ValueError, RuntimeError)


def version() -> str:
    """The version of pyjpegli."""
    return f"pyjpegli {importlib.metadata.version('pyjpegli')}"


def encode(source: Path, output: Path, setting: int) -> dict[str, Any]:
    """See `benchmarks.peers.encoders.server`; the setting is `quality`."""
    with Image.open(source) as image:
        icc = image.info.get("icc_profile")
        pixels = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    height, width, _ = pixels.shape
    jpeg = pyjpegli.encode(np.ascontiguousarray(pixels), width, height, quality=setting)
    jpeg = mozjpeg_lossless_optimization.optimize(jpeg)
    output.write_bytes(_with_profile(jpeg, icc or b""))
    return {}


def _with_profile(jpeg: bytes, icc: bytes) -> bytes:
    """`jpeg` with the profile behind its JFIF segment."""
    start = 4 + int.from_bytes(jpeg[4:6], "big") if jpeg[2:4] == b"\xff\xe0" else 2
    chunks = [icc[at : at + _CHUNK] for at in range(0, len(icc), _CHUNK)]
    segments = [
        b"\xff\xe2"
        + (16 + len(chunk)).to_bytes(2, "big")
        + b"ICC_PROFILE\0"
        + bytes([number, len(chunks)])
        + chunk
        for number, chunk in enumerate(chunks, 1)
    ]
    return b"".join([jpeg[:start], *segments, jpeg[start:]])
