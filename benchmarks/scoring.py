"""How far a result is from its source, judged outside the engine: decoded by Pillow.

The score is the metric's public definition (`tinyjpg.metric`): transparency over grey 0.1 and 0.9,
the lower counts. Colours are brought to sRGB by the embedded ICC profile, on both sides. Of an
animation the shown frames are compared.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image, ImageCms, ImageOps

from tinyjpg.metric import Pixels, Reference, has_alpha, ssimulacra2

_BACKGROUNDS: Final = (0.1, 0.9)
_MOST_FRAMES: Final = 16
# Viewers show shorter frames for this long.
_SHORTEST_DELAY: Final = 11
_USUAL_DELAY: Final = 100
_SRGB: Final = ImageCms.createProfile("sRGB")


class UnscorableError(Exception):
    """Two images cannot be compared; the message says why."""


@dataclass(frozen=True, slots=True)
class Score:
    """SSIMULACRA2 of a result: of the worst frame, and the mean of all that were compared."""

    worst: float
    mean: float


@dataclass(frozen=True, slots=True)
class _Frame:
    """What is shown from `start` to `end`, in milliseconds."""

    pixels: Pixels
    start: float
    end: float


class Judge:
    """Scores results against one source image.

    Args:
        source: a file that Pillow reads; to be meant, a score needs 113 pixels in each dimension.

    Raises:
        UnscorableError: Pillow does not read it.
    """

    def __init__(self, source: bytes) -> None:
        self._source = source
        with _open(source) as image:
            self.frames: int = getattr(image, "n_frames", 1)
            self.pixels: int = image.width * image.height * self.frames
        self._still = _still(source) if self.frames == 1 else None
        self._references: dict[float, Reference] = {}

    def score(self, result: bytes) -> Score:
        """Score an encoded result.

        Raises:
            UnscorableError: Pillow does not read it, or its size differs.
        """
        if self._still is None:
            return self._score_animation(result)
        pixels = _still(result)
        _check_size(self._still, pixels)
        score = self._score_still(self._still, pixels)
        return Score(score, score)

    def _score_still(self, original: Pixels, pixels: Pixels) -> float:
        translucent = has_alpha(original) or has_alpha(pixels)
        return min(
            self._reference(original, grey).score(pixels)
            for grey in (_BACKGROUNDS if translucent else _BACKGROUNDS[:1])
        )

    def _reference(self, original: Pixels, grey: float) -> Reference:
        if grey not in self._references:
            self._references[grey] = Reference(original, background=grey)
        return self._references[grey]

    def _score_animation(self, result: bytes) -> Score:
        """Frames evenly over the animation, and of the others the one with the largest error."""
        chosen = set(np.linspace(0, self.frames - 1, min(self.frames, _MOST_FRAMES)).round())
        scores: list[float] = []
        largest, worst = -1.0, None
        for index, (original, shown) in enumerate(_pairs(self._source, result, self.frames)):
            _check_size(original, shown)
            if index in chosen:
                scores.append(ssimulacra2(original, shown))
            elif (error := _squared_error(original, shown)) > largest:
                largest, worst = error, (original, shown)
        mean = sum(scores) / len(scores)
        if worst is not None:
            scores.append(ssimulacra2(*worst))
        return Score(min(scores), mean)


def _open(data: bytes) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Image.open(io.BytesIO(data))
    except (OSError, ValueError, SyntaxError) as error:
        raise UnscorableError(f"Pillow does not read it: {error}") from error


def _still(data: bytes) -> Pixels:
    with _open(data) as image:
        try:
            image.load()
        except (OSError, ValueError, SyntaxError) as error:
            raise UnscorableError(f"Pillow does not read it: {error}") from error
        icc = image.info.get("icc_profile")
        return _srgb(ImageOps.exif_transpose(image), icc)


def _srgb(image: Image.Image, icc: bytes | None) -> Pixels:
    if image.mode.startswith("I"):
        return np.asarray(np.rint(np.asarray(image) / 257), dtype=np.uint8)[..., None]
    alpha = image.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info
    if icc:
        image = _convert(image, icc, "RGBA" if alpha else "RGB")
    return np.asarray(image.convert("RGBA" if alpha else "RGB"))


def _convert(image: Image.Image, icc: bytes, mode: str) -> Image.Image:
    """In sRGB; as it is, where the profile is damaged or not of this kind of image."""
    try:
        profile = ImageCms.getOpenProfile(io.BytesIO(icc))
        space = profile.profile.xcolor_space.strip()
        if space == "RGB":
            image = image.convert(mode)
        elif space == "GRAY" and mode == "RGB":
            image = image.convert("L")
        converted = ImageCms.profileToProfile(image, profile, _SRGB, outputMode=mode)
    except (ImageCms.PyCMSError, OSError):
        return image
    return image if converted is None else converted


def _frames(data: bytes) -> Iterator[_Frame]:
    with _open(data) as image:
        icc = image.info.get("icc_profile")
        start = 0.0
        for index in range(getattr(image, "n_frames", 1)):
            try:
                image.seek(index)
                image.load()
            except (OSError, ValueError, SyntaxError, EOFError) as error:
                raise UnscorableError(f"Pillow does not read frame {index}: {error}") from error
            delay = float(image.info.get("duration", 0))
            end = start + (delay if delay >= _SHORTEST_DELAY else _USUAL_DELAY)
            yield _Frame(_srgb(image.convert("RGBA"), icc), start, end)
            start = end


def _pairs(source: bytes, result: bytes, frames: int) -> Iterator[tuple[Pixels, Pixels]]:
    """Each frame of the source, and what the result shows instead of it.

    By the middle of the frame's time, as encoders merge equal frames; by index where the number of
    frames is the same, as they round delays.
    """
    with _open(result) as image:
        same = getattr(image, "n_frames", 1) == frames
    shown = _frames(result)
    current = next(shown)
    for index, original in enumerate(_frames(source)):
        middle = (original.start + original.end) / 2
        while (same and index) or (not same and current.end <= middle):
            following = next(shown, None)
            if following is None:
                break
            current = following
            if same:
                break
        yield original.pixels, current.pixels


def _squared_error(one: Pixels, other: Pixels) -> float:
    difference = one.astype(np.int16) - other.astype(np.int16)
    return float(np.square(difference, dtype=np.int32).mean())


def _check_size(original: Pixels, result: Pixels) -> None:
    if original.shape[:2] != result.shape[:2]:
        height, width = original.shape[:2]
        raise UnscorableError(
            f"it shows {result.shape[1]} x {result.shape[0]} pixels instead of {width} x {height}"
        )
