"""Pillow, as its users save: JPEG optimised and progressive, WebP at the default effort."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import PIL
from PIL import Image, ImageOps, features

FAILURES = (OSError, ValueError)


def version() -> str:
    """The versions of Pillow and of its encoders."""
    return f"Pillow {PIL.__version__} (libjpeg-turbo {features.version('libjpeg_turbo')})"


def encode(source: Path, output: Path, setting: int) -> dict[str, Any]:
    """See `benchmarks.peers.encoders.server`; the setting is `quality`."""
    with Image.open(source) as image:
        icc = image.info.get("icc_profile")
        if image.format == "JPEG":
            upright = ImageOps.exif_transpose(image)
            upright.save(
                output, "JPEG", quality=setting, optimize=True, progressive=True, icc_profile=icc
            )
        elif getattr(image, "is_animated", False):
            image.save(output, "WEBP", quality=setting, save_all=True, icc_profile=icc)
        else:
            upright = ImageOps.exif_transpose(image)
            upright.save(output, "WEBP", quality=setting, icc_profile=icc)
    return {}
