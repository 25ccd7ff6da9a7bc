"""Makes the large pictures of the memory benchmark: `python -m benchmarks.large_images FOLDER`.

A process of its own: what it takes must not count as that of the processes measured.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pyvips

from corpus import photographs

JPEG_NAME = "100_megapixels.jpg"
PNG_NAME = "50_megapixels.png"


def _photograph(width: int, height: int, *, strength: float, noise: float) -> pyvips.Image:
    """A photograph blown up, with the detail of tiled copies and noise; 8-bit RGB."""
    source = next(one for one in photographs("jpeg") if one.name == "china.jpg")
    small = pyvips.Image.jpegload_buffer(source.read(), access="random")
    ground = small.resize(width / small.width, vscale=height / small.height, kernel="cubic")
    detail = (small - small.gaussblur(2)) * strength
    tiled = detail.replicate(-(-width // small.width), -(-height // small.height))
    grain = pyvips.Image.gaussnoise(width, height, sigma=noise, mean=0, seed=7)
    picture = ground + tiled.crop(0, 0, width, height) + grain
    return picture.cast("uchar").copy(interpretation="srgb")


def make(folder: Path) -> None:
    """Write both pictures into `folder`."""
    _photograph(12_250, 8_168, strength=0.5, noise=2).jpegsave(
        str(folder / JPEG_NAME), Q=90, subsample_mode="on", keep="none"
    )
    _photograph(8_660, 5_774, strength=0.3, noise=0.5).pngsave(
        str(folder / PNG_NAME), compression=3, filter="all", keep="none"
    )


if __name__ == "__main__":
    make(Path(sys.argv[1]))
