"""What `calibrate` measures: one entry per encoder, with its images and its grid of settings."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyvips

from benchmarks.mozjpeg import Manner, encode
from tinyjpg.backends import gifsicle, vips
from tinyjpg.backends.jpeg import Coefficients
from tinyjpg.codecs.gif_compare import worst_score
from tinyjpg.codecs.gif_frames import Decoder
from tinyjpg.codecs.gif_redraw import redraw, redrawable
from tinyjpg.codecs.jpeg_scales import SETTINGS, SUBSAMPLINGS, Chroma, scale_of
from tinyjpg.codecs.png_drawing import truecolour_png
from tinyjpg.codecs.png_rounding import GREEN_FINER, rounded, steps_at
from tinyjpg.containers.gif_blocks import write
from tinyjpg.containers.gif_reader import read
from tinyjpg.formats import Format, sniff
from tinyjpg.limits import Deadline
from tinyjpg.metric import Pixels
from tinyjpg.verify import Verifier

Times = npt.NDArray[np.int64]

# Larger images are cut to their middle, and at multiples of 16 so that the blocks of a JPEG source
# stay where they are.
_LARGEST_SIDE: Final = 768
_BLOCK: Final = 16
_LEAST_GIF_PIXELS: Final = 150_000
_MOST_GIF_PIXELS: Final = 64_000_000


@dataclass(frozen=True, slots=True)
class Point:
    """What one setting made of one image: its score, and the size of the file in bytes."""

    setting: float
    score: float
    size: int


@dataclass(frozen=True, slots=True)
class Encoder:
    """A way to encode whose setting is to be calibrated.

    Attributes:
        folders: those of the corpora to measure on.
        settings: the grid, ascending.
        measure_file: scores one file at every setting.
        suitable: which files to measure on.
        quantile: the share of images that may score below the quality.
    """

    folders: tuple[str, ...]
    settings: tuple[float, ...]
    measure_file: Callable[[Path, tuple[float, ...]], list[Point]]
    suitable: Callable[[Path], bool] = lambda _: True
    quantile: float = 0.5

    def files(self, corpora: Path) -> list[Path]:
        """Its images in a fixed order, folder by folder."""
        found = (path for name in self.folders for path in sorted((corpora / name).iterdir()))
        return [path for path in found if path.is_file() and self.suitable(path)]

    def measure(self, file: Path) -> list[Point]:
        """The points of one image, in the order of the settings."""
        return self.measure_file(file, self.settings)


def _loaded(file: Path) -> Pixels:
    data = file.read_bytes()
    return vips.srgb_pixels(vips.load(data, sniff(data)))


def _middle(pixels: Pixels) -> Pixels:
    height, width, _ = pixels.shape
    top, left = (max(0, side - _LARGEST_SIDE) // 2 // _BLOCK * _BLOCK for side in (height, width))
    return np.ascontiguousarray(pixels[top : top + _LARGEST_SIDE, left : left + _LARGEST_SIDE])


def _image(pixels: Pixels) -> vips.Image:
    return pyvips.Image.new_from_array(pixels, interpretation="srgb")


def _still(
    format: Format,
    save: Callable[[Pixels, float], bytes],
    file: Path,
    settings: tuple[float, ...],
) -> list[Point]:
    pixels = _middle(_loaded(file))
    verifier = Verifier(pixels)
    points = []
    for setting in settings:
        data = save(pixels, setting)
        decoded = _alpha_kept(pixels, vips.srgb_pixels(vips.load(data, format)))
        points.append(Point(setting, verifier.score(decoded), len(data)))
    return points


def _alpha_kept(original: Pixels, decoded: Pixels) -> Pixels:
    """`decoded` with alpha 0 and 255 as in the original, which palettes do not keep."""
    if decoded.shape[2] != 4 or original.shape[2] != 4:
        return decoded
    alpha = original[..., 3]
    decoded = decoded.copy()
    decoded[..., 3] = np.where((alpha == 0) | (alpha == 255), alpha, decoded[..., 3])
    return decoded


def _jpeg(chroma: Chroma, pixels: Pixels, setting: float) -> bytes:
    return encode(_image(pixels), Manner.near(chroma, setting), int(setting), scans=False)


def _own_jpeg(chroma: Chroma, file: Path, settings: tuple[float, ...]) -> list[Point]:
    pixels = _middle(_loaded(file))
    if pixels.shape[2] == 1:
        pixels = np.repeat(pixels, 3, axis=2)
    coefficients = Coefficients(pixels.shape[1], pixels.shape[0], SUBSAMPLINGS[chroma])
    coefficients.push(pixels)
    verifier = Verifier(pixels)
    points = []
    for setting in settings:
        coefficients.plan(scale_of(int(setting)))
        score = verifier.score(coefficients.show())
        points.append(Point(setting, score, len(coefficients.write())))
    return points


def _webp(pixels: Pixels, setting: float) -> bytes:
    return vips.save(
        _image(pixels), Format.WEBP, Q=int(setting), smart_subsample=True, effort=4, keep="none"
    )


def _webp_near_lossless(pixels: Pixels, setting: float) -> bytes:
    return vips.save(
        _image(pixels), Format.WEBP, Q=int(setting), near_lossless=True, effort=4, keep="none"
    )


def _palette(pixels: Pixels, setting: float) -> bytes:
    return vips.save(
        _image(pixels), Format.PNG, palette=True, Q=int(setting), effort=7, dither=0, keep="none"
    )


def _rounding(pixels: Pixels, setting: float) -> bytes:
    return truecolour_png(rounded(pixels, steps_at(int(setting), GREEN_FINER)), [])


def _gif(file: Path, settings: tuple[float, ...]) -> list[Point]:
    data = file.read_bytes()
    original, starts = _frames(data)
    verifiers: dict[int, Verifier] = {}
    points = []
    for setting in settings:
        lossy = ["-O3", f"--lossy={int(setting)}", "--no-comments", "--no-extensions"]
        made = gifsicle.run(data, lossy, Deadline())
        frames, made_starts = _frames(made)
        # gifsicle merges frames, so they are compared by the time they are shown at.
        shown = np.searchsorted(made_starts, starts, side="right") - 1
        scores = []
        for index in _telling(original, frames, shown):
            verifier = verifiers.setdefault(index, Verifier(original[index]))
            scores.append(verifier.score(frames[shown[index]]))
        points.append(Point(setting, min(scores), len(made)))
    return points


def _gif_redrawn(file: Path, tolerances: tuple[float, ...]) -> list[Point]:
    gif = read(file.read_bytes())
    decoder = Decoder(Deadline())
    points = []
    for tolerance in tolerances:
        made = redraw(gif, [tolerance] * len(gif.images), decoder)
        score = worst_score(gif, made, -math.inf, decoder)
        if score is not None:
            points.append(Point(tolerance, score, len(write(made))))
    return points


def _redrawable_gif(file: Path) -> bool:
    return _moderate_gif(file) and redrawable(read(file.read_bytes()))


def _telling(original: Pixels, frames: Pixels, shown: Times) -> set[int]:
    """The first, middle and last frames and the one with the largest error: the worst is nearly
    always among them."""
    errors = [
        float(np.square(original[index].astype(np.float32) - frames[at]).mean())
        for index, at in enumerate(shown)
    ]
    return {0, len(original) // 2, len(original) - 1, int(np.argmax(errors))}


def _frames(data: bytes) -> tuple[Pixels, Times]:
    image: Any = vips.load(data, Format.GIF, fail_on="none")
    count = image.get("n-pages")
    delays = image.get("delay") if image.get_typeof("delay") else [100] * count
    pixels = vips.pixels(image.colourspace("srgb"))
    if pixels.shape[2] == 3:
        pixels = np.dstack([pixels, np.full_like(pixels[..., :1], 255)])
    starts = np.concatenate([[0], np.cumsum(np.maximum(delays, 1))[:-1]])
    return pixels.reshape(count, -1, *pixels.shape[1:]), starts


def _moderate_gif(file: Path) -> bool:
    image: Any = vips.load(file.read_bytes(), Format.GIF, fail_on="none")
    return bool(_LEAST_GIF_PIXELS <= image.width * image.height <= _MOST_GIF_PIXELS)


_PHOTOGRAPHS: Final = ("photo_png", "photo_jpeg")
_JPEG_GRID: Final = (
    *(1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 65, 70, 75, 80, 84, 87, 90, 92),
    *(94, 95, 96, 97, 98, 99, 100),
)
_OWN_JPEG_GRID: Final = tuple(range(SETTINGS.start, SETTINGS.stop, 16))
_WEBP_GRID: Final = (0, 2, 5, 10, 20, 40, 60, 75, 80, 84, 88, 92, 96, 100)
_PALETTE_GRID: Final = (1, 5, 10, 20, 30, 40, 50, 60, 70, 80, 85, 90, 93, 96, 98, 100)
_ROUNDING_GRID: Final = tuple(range(0, 64, 3))
_GIF_GRID: Final = (0, 5, 10, 15, 20, 30, 40, 60, 80, 110, 140, 200)
_REDRAW_GRID: Final = (2, 4, 8, 12, 18, 27, 40, 60, 90, 140, 240, 500)

ENCODERS: Final = {
    **{
        f"mozjpeg {chroma}": Encoder(
            _PHOTOGRAPHS, _JPEG_GRID, partial(_still, Format.JPEG, partial(_jpeg, chroma))
        )
        for chroma in (Chroma.SUBSAMPLED, Chroma.FULL)
    },
    **{
        f"jpeg {chroma}": Encoder(_PHOTOGRAPHS, _OWN_JPEG_GRID, partial(_own_jpeg, chroma))
        for chroma in (Chroma.SUBSAMPLED, Chroma.FULL)
    },
    "webp lossy": Encoder(_PHOTOGRAPHS, _WEBP_GRID, partial(_still, Format.WEBP, _webp)),
    "webp near-lossless": Encoder(
        ("ui_png", "logo_png"),
        (0, 20, 40, 60, 80, 100),
        partial(_still, Format.WEBP, _webp_near_lossless),
    ),
    "palette": Encoder(
        ("ui_png", "logo_png"), _PALETTE_GRID, partial(_still, Format.PNG, _palette)
    ),
    "rounding": Encoder(("photo_png",), _ROUNDING_GRID, partial(_still, Format.PNG, _rounding)),
    "gif lossy": Encoder(("gif",), _GIF_GRID, _gif, _moderate_gif, quantile=0.1),
    "gif redraw": Encoder(("gif",), _REDRAW_GRID, _gif_redrawn, _redrawable_gif),
}
