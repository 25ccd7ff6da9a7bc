"""The smallest JPEG that reaches a score: looked for on a sample, then made and verified whole.

First a quick look, without trellis quantisation, tells how much this picture needs, and whether
its colours bear subsampling. Of a large picture the sample is then encoded once as the whole will
be. What is returned has been decoded and scored as a whole, and is the very file.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from tinyjpg import calibration
from tinyjpg.backends import vips
from tinyjpg.backends.vips import Pixels
from tinyjpg.calibration import Curve
from tinyjpg.codecs.jpeg_encoder import (
    SETTINGS,
    Chroma,
    Manner,
    encode,
    encode_plainly,
)
from tinyjpg.codecs.jpeg_picture import Picture
from tinyjpg.formats import Format
from tinyjpg.search import CLOSE, MOST_PROBES, Attempt, Search, cheapest
from tinyjpg.source import Request
from tinyjpg.verify import Verifier

# By how many points squares score higher than the picture they are taken from.
_SAMPLE_BIAS: Final = 0.4
# A first look that is further off than this many points is followed by a second.
_FAR: Final = 3.0
# A first look that is closer than this needs no trial of the real encoder on the sample.
_NEAR: Final = 1.0
_REHEARSALS: Final = 2
# Of a large picture, where another attempt takes long, a score further above the quality will do;
# still further of one that is not held in memory.
_CLOSE_LARGE: Final = 1.5
_CLOSE_HUGE: Final = 3.0
# Above this setting scores hardly rise any more.
_HOPELESS: Final = 98
# The setting from which 4:2:0 may cost more than 4:4:4.
_DEAR: Final = 87
# What a picture needs shows in how its size grows with the setting. Settings, and by how many steps
# the one wanted rises with every doubling of the bits a pixel that the file has there: fitted to 54
# photographs at a score of 80, where it takes the standard deviation from 8.1 steps to 5.4.
_SIZES_TELL: Final = ((38, -10.2), (95, 15.9))
_MEDIAN_TELLS: Final = 29.4
_MOST_STEPS: Final = 15.0


_MANNER: Final = Manner(Chroma.SUBSAMPLED)


@dataclass(frozen=True, slots=True)
class Curves:
    """What settings scores take with one way to store the colours.

    Attributes:
        encoder: with trellis quantisation.
        plain: without.
    """

    encoder: Curve
    plain: Curve


CURVES: Final = {
    Chroma.SUBSAMPLED: Curves(calibration.JPEG_420, calibration.JPEG_420_PLAIN),
    Chroma.FULL: Curves(calibration.JPEG_444, calibration.JPEG_444_PLAIN),
    Chroma.NONE: Curves(calibration.JPEG_420, calibration.JPEG_420_PLAIN),
}


@dataclass(frozen=True, slots=True)
class Found:
    """The file that was found.

    Attributes:
        jpeg: without metadata.
        score: its SSIMULACRA2 against the picture.
    """

    jpeg: bytes
    manner: Manner
    quality: int
    score: float


@dataclass(frozen=True, slots=True)
class _Look:
    """What a quick look at one manner told.

    Attributes:
        start: the setting of the encoder at which the score is expected to be the quality.
        curve: what settings of the encoder other scores are expected to take.
        size: bytes of the sample there, without trellis quantisation.
        setting: what the encoder's would have been for the last look.
        error: points that this was off.
        is_hopeless: whether it is unlikely that any setting gets there.
    """

    manner: Manner
    start: float
    curve: Curve
    size: int
    setting: int
    error: float
    is_hopeless: bool


def smallest(picture: Picture, request: Request) -> Found | None:
    """The smallest file that reaches the quality asked for; None where none does."""
    sample = _Sample(picture)
    for look in _looks(sample, request, tries_full_chroma=not picture.is_subsampled):
        rehearsed = look
        if sample.is_part and abs(look.error) > _NEAR:
            rehearsed = _rehearsed(sample, look, request)
        found = _whole(picture, sample, rehearsed, request)
        if found is not None or request.deadline.passed:
            return found
    return None


class _Sample:
    """Pixels that stand for the picture, and how encoded ones compare with them."""

    def __init__(self, picture: Picture) -> None:
        pixels, self.is_part = picture.sample()
        self._picture = picture
        self.image = vips.from_pixels(pixels)
        self._verifier = Verifier(self._as_shown(self.image))
        self.bias = _SAMPLE_BIAS if self.is_part else 0.0

    @functools.cached_property
    def steps(self) -> float:
        """By how many settings this picture needs more than the median photograph, for 80."""
        if self.image.bands == 1:
            return 0.0
        pixels = self.image.width * self.image.height
        told = sum(
            steps * math.log2(8 * len(encode_plainly(self.image, _MANNER, setting)) / pixels)
            for setting, steps in _SIZES_TELL
        )
        return min(max(told - _MEDIAN_TELLS, -_MOST_STEPS), _MOST_STEPS)

    def score(self, jpeg: bytes) -> float:
        """What the whole picture is expected to score, encoded like the sample in `jpeg`."""
        return self._verifier.score(self._as_shown(vips.load(jpeg, Format.JPEG))) - self.bias

    def _as_shown(self, image: vips.Image) -> Pixels:
        with vips.decoding(Format.JPEG):
            return vips.pixels(self._picture.as_shown(image))


def _looks(sample: _Sample, request: Request, *, tries_full_chroma: bool) -> Iterator[_Look]:
    """The manners worth trying, best first; the next only where one does not reach the quality."""
    if sample.image.bands == 1:
        yield _look(sample, Chroma.NONE, request)
        return
    subsampled = _look(sample, Chroma.SUBSAMPLED, request)
    is_first = subsampled.start < _DEAR or not tries_full_chroma
    if is_first and not subsampled.is_hopeless:
        yield subsampled
    full = _look(sample, Chroma.FULL, request)
    if not is_first and not subsampled.is_hopeless and subsampled.size <= full.size:
        yield subsampled
    yield full


def _look(sample: _Sample, chroma: Chroma, request: Request) -> _Look:
    curves = CURVES[chroma]
    manner = Manner(chroma)
    ease = min(1.0, (100 - request.quality) / 20)
    seed = curves.plain.at(request.quality) + ease * sample.steps
    search = Search(request.quality, curves.plain, SETTINGS, start=seed)
    # Of a part of the picture a rehearsal will tell more.
    for _ in range(1 if sample.is_part else 2):
        setting = search.next()
        if setting is None:
            break
        score = sample.score(encode_plainly(sample.image, manner, setting))
        request.tally.count()
        search.tell(setting, score)
        tried, error = setting, score - request.quality
        if abs(error) <= _FAR:
            break
    wanted = search.estimate()
    # Trellis quantisation costs some points, which take so many steps to make up for.
    steps = curves.encoder.at(request.quality) - curves.plain.at(request.quality)
    start = wanted + steps
    nearest = min(max(round(wanted), SETTINGS[0]), SETTINGS[-1])
    return _Look(
        manner=Manner.near(chroma, start),
        start=start,
        curve=curves.encoder,
        size=len(encode_plainly(sample.image, manner, nearest)),
        setting=round(tried + steps),
        error=error,
        is_hopeless=start > _HOPELESS,
    )


def _rehearsed(sample: _Sample, look: _Look, request: Request) -> _Look:
    """`look` corrected by encoding the sample as the whole will be."""
    search = Search(request.quality, CURVES[look.manner.chroma].encoder, SETTINGS, start=look.start)
    search.tell(look.setting, request.quality + look.error)
    for _ in range(_REHEARSALS):
        setting = search.next()
        if setting is None:
            break
        score = sample.score(encode(sample.image, look.manner, setting, scans=False))
        request.tally.count()
        search.tell(setting, score)
        if abs(score - request.quality) <= _FAR:
            break
    return replace(look, start=search.estimate(), curve=search.curve())


def _whole(picture: Picture, sample: _Sample, look: _Look, request: Request) -> Found | None:
    close = (_CLOSE_LARGE if picture.is_held else _CLOSE_HUGE) if sample.is_part else CLOSE

    def attempt(setting: int) -> Attempt[bytes]:
        # Looking for the best scans takes memory, too.
        jpeg = encode(picture.image(), look.manner, setting, scans=picture.is_held)
        score = picture.score(jpeg) if sample.is_part else sample.score(jpeg)
        return Attempt(setting, score, len(jpeg), jpeg)

    best = cheapest(
        request,
        attempt,
        expected=look.curve,
        settings=SETTINGS,
        start=look.start,
        close=close,
        most=max(1, MOST_PROBES - request.tally.probes),
    ).best
    return None if best is None else Found(best.result, look.manner, best.setting, best.score)
