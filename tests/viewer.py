"""What a viewer shows of a file, told by a decoder the engine does not use (Pillow)."""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

Pixels = npt.NDArray[np.uint8]
T = TypeVar("T")

# Pillow tells of oddities that viewers pass over in silence (extra bytes, odd EXIF).
_OVERLOOKED = (UserWarning, Image.DecompressionBombWarning, DeprecationWarning)


@dataclass(frozen=True, slots=True)
class Shown:
    """What is on screen during one frame, boiled down so that long animations fit in memory.

    Attributes:
        digest: of the visible 8-bit RGBA pixels.
        thumbnail: 6 x 6 averages over grey: tells turned, flipped or half-missing pictures apart.
        opaque: whether nothing shines through.
    """

    digest: bytes
    thumbnail: npt.NDArray[np.float64]
    opaque: bool


@dataclass(frozen=True, slots=True)
class View(Generic[T]):
    """A picture as shown.

    Attributes:
        size: width and height in pixels, upright.
        delays: milliseconds of each frame; empty for a still image.
        loops: the loop count stated, 0 for ever, None where there is none.
        frames: what is on screen during each frame.
    """

    size: tuple[int, int]
    delays: tuple[int, ...]
    loops: int | None
    frames: tuple[T, ...]


def view(data: bytes) -> View[Pixels]:
    """Decode `data` in full; frames are height x width x 4, 8-bit RGBA."""
    return _play(data, lambda pixels: pixels)


def glance(data: bytes) -> View[Shown]:
    """Decode `data` in full, however long the animation, and keep the gist of each frame."""
    return _play(data, _boiled_down)


def _play(data: bytes, each: Callable[[Pixels], T]) -> View[T]:
    with warnings.catch_warnings():
        for category in _OVERLOOKED:
            warnings.simplefilter("ignore", category)
        with Image.open(io.BytesIO(data)) as image:
            count = 1 if image.format in ("JPEG", "MPO") else getattr(image, "n_frames", 1)
            # The picture for viewers that cannot animate is no frame of the animation.
            first = 1 if getattr(image, "default_image", False) else 0
            frames, delays = [], []
            for number in range(first, count):
                image.seek(number)
                pixels = _upright(image)
                frames.append(each(pixels))
                delays.append(round(image.info.get("duration", 0)))
            loops = image.info.get("loop")
    height, width = pixels.shape[:2]
    return View((width, height), tuple(delays) if count > 1 else (), loops, tuple(frames))


def visible(frame: Pixels) -> Pixels:
    """A frame with the colour of fully transparent pixels, which nobody sees, set to zero."""
    return np.where(frame[..., 3:] == 0, 0, frame).astype(np.uint8)


def _upright(image: Image.Image) -> Pixels:
    shown = ImageOps.exif_transpose(image)
    if shown.mode.startswith("I"):
        # 16-bit grey: Pillow clips instead of scaling when it converts, and forgets tRNS.
        samples = np.asarray(shown).astype(np.uint32)
        opaque = samples != image.info.get("transparency", -1)
        grey = Image.fromarray((samples >> 8).astype(np.uint8))
        return np.asarray(
            Image.merge("RGBA", (grey, grey, grey, Image.fromarray(opaque * np.uint8(255))))
        )
    return np.asarray(shown.convert("RGBA"))


def _boiled_down(frame: Pixels) -> Shown:
    rgba = Image.fromarray(frame)
    flat = Image.alpha_composite(Image.new("RGBA", rgba.size, (128, 128, 128, 255)), rgba)
    small = flat.convert("RGB").resize((6, 6), Image.Resampling.BOX)
    return Shown(
        hashlib.blake2b(np.ascontiguousarray(visible(frame)).data).digest(),
        np.asarray(small).astype(np.float64),
        bool(frame[..., 3].min() == 255),
    )
