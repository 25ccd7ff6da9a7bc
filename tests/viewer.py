"""What a viewer shows of a file, told by a decoder the engine does not use (Pillow)."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

Pixels = npt.NDArray[np.uint8]

# Pillow tells of oddities that viewers pass over in silence (extra bytes, odd EXIF).
_OVERLOOKED = (UserWarning, Image.DecompressionBombWarning, DeprecationWarning)


@dataclass(frozen=True, slots=True)
class View:
    """A picture as shown.

    Attributes:
        size: width and height in pixels, upright.
        delays: milliseconds of each frame; empty for a still image.
        loops: the loop count stated, 0 for ever, None where there is none.
        frames: what is on screen during each frame: height x width x 4, 8-bit RGBA.
    """

    size: tuple[int, int]
    delays: tuple[int, ...]
    loops: int | None
    frames: tuple[Pixels, ...]


def view(data: bytes, at_most: int | None = None) -> View:
    """Decode `data` in full (or its first `at_most` frames)."""
    with warnings.catch_warnings():
        for category in _OVERLOOKED:
            warnings.simplefilter("ignore", category)
        with Image.open(io.BytesIO(data)) as image:
            count = 1 if image.format in ("JPEG", "MPO") else getattr(image, "n_frames", 1)
            # The picture for viewers that cannot animate is no frame of the animation.
            first = 1 if getattr(image, "default_image", False) else 0
            frames, delays = [], []
            for number in range(first, count if at_most is None else min(count, at_most)):
                image.seek(number)
                frames.append(_upright(image))
                delays.append(round(image.info.get("duration", 0)))
            loops = image.info.get("loop")
    height, width = frames[0].shape[:2]
    return View((width, height), tuple(delays) if count > 1 else (), loops, tuple(frames))


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


def thumbnail(frame: Pixels) -> npt.NDArray[np.float64]:
    """A frame on grey, in 6 x 6 averages: tells turned, flipped or half-missing pictures apart."""
    rgba = Image.fromarray(frame)
    grey = Image.new("RGBA", rgba.size, (128, 128, 128, 255))
    flat = Image.alpha_composite(grey, rgba).convert("RGB")
    return np.asarray(flat.resize((6, 6), Image.Resampling.BOX)).astype(np.float64)


def visible(frame: Pixels) -> Pixels:
    """A frame with the colour of fully transparent pixels, which nobody sees, set to zero."""
    return np.where(frame[..., 3:] == 0, 0, frame).astype(np.uint8)
