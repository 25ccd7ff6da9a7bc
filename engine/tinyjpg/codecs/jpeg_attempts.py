"""Attempts at one manner of encoding a JPEG: looks at a sample, then the file, verified whole.

The native encoder shows what decoders will make of a setting without writing a file, so looking is
cheap. What is returned has been decoded and scored as a whole, and is the very file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tinyjpg import calibration
from tinyjpg.calibration import Curve
from tinyjpg.codecs.jpeg_picture import Picture
from tinyjpg.codecs.jpeg_sample import Sample
from tinyjpg.codecs.jpeg_scales import SETTINGS, Chroma, Manner
from tinyjpg.native import release_memory
from tinyjpg.search import REFUSED, Attempt, Search, cheapest
from tinyjpg.source import Request

# How close to the quality, in points, attempts on a sample come before the whole is made.
_NEAR: Final = 1.0
# Points above the least score accepted up to which a search ends: of the whole in one piece, where
# attempts are cheap; of a large picture, where another takes long; of one not held in memory.
_CLOSE: Final = 0.75
_CLOSE_LARGE: Final = 1.25
_CLOSE_HUGE: Final = 2.0
# Scores hardly rise any more above this one.
_HOPELESS: Final = 300

CURVES: Final = {
    Chroma.SUBSAMPLED: calibration.JPEG_420,
    Chroma.FULL: calibration.JPEG_444,
    Chroma.NONE: calibration.JPEG_420,
}
"""What settings scores take with each way to store the colours."""


@dataclass(frozen=True, slots=True)
class Found:
    """The file that was found.

    Attributes:
        jpeg: without metadata.
        setting: one of `SETTINGS`.
        score: its SSIMULACRA2 against the picture.
    """

    jpeg: bytes
    manner: Manner
    setting: int
    score: float


@dataclass(frozen=True, slots=True)
class Look:
    """What attempts on the sample told.

    Attributes:
        start: the setting at which the score is expected to be the quality.
        curve: what settings other scores are expected to take.
        is_hopeless: whether it is unlikely that any setting gets there.
    """

    manner: Manner
    start: float
    curve: Curve
    is_hopeless: bool

    @property
    def nearest(self) -> int:
        """The setting next to `start`."""
        return min(max(round(self.start), SETTINGS[0]), SETTINGS[-1])


def look(sample: Sample, manner: Manner, request: Request, most: int) -> Look:
    """Look for the setting that reaches the quality, `most` times at most."""
    search = Search(request.quality, CURVES[manner.chroma], SETTINGS)
    reached = False
    for _ in range(most):
        setting = search.next()
        if setting is None:
            break
        score = sample.score(manner, setting)
        request.tally.count()
        search.tell(setting, score)
        reached = reached or request.accepts(score)
        if abs(score - request.quality) <= _NEAR or request.deadline.passed:
            break
    start = search.estimate()
    return Look(manner, start, search.curve(), is_hopeless=not reached and start > _HOPELESS)


def whole(
    picture: Picture,
    sample: Sample,
    seen: Look,
    request: Request,
    most: int,
    *,
    keeping_colours: bool = False,
) -> Found | None:
    """The smallest file of `most` attempts that reaches the quality; None where none does.

    Args:
        picture: what is encoded.
        sample: of it.
        seen: where to begin.
        request: whose quality is to be reached.
        most: attempts.
        keeping_colours: whether small coloured things have to keep their colour, too.
    """
    close = _CLOSE if not sample.is_part else _CLOSE_LARGE if picture.is_held else _CLOSE_HUGE

    def attempt(setting: int) -> Attempt[bytes | None]:
        if not sample.is_part:
            # Coarser is smaller; the file is written in the end.
            score, size, jpeg = sample.score(seen.manner, setting), setting, None
        else:
            jpeg = _encoded(picture, sample, seen.manner, setting)
            if not picture.is_held:
                # What decoding and encoding took is not what decoding twice can use.
                release_memory()
            score, size = picture.score(jpeg), len(jpeg)
        if keeping_colours and request.accepts(score):
            made = Found(jpeg or b"", seen.manner, setting, score)
            if not keeps_colours(picture, sample, made, request):
                score = request.quality - REFUSED
        return Attempt(setting, score, size, jpeg if request.accepts(score) else None)

    best = cheapest(
        request,
        attempt,
        expected=seen.curve,
        settings=SETTINGS,
        start=seen.start,
        close=close,
        most=most,
    ).best
    if best is None:
        return None
    if best.result is not None:
        return Found(best.result, seen.manner, best.setting, best.score)
    jpeg = sample.file(seen.manner, best.setting)
    score = sample.score_of(jpeg, best.score, seen.manner, best.setting)
    return Found(jpeg, seen.manner, best.setting, score) if request.accepts(score) else None


def keeps_colours(picture: Picture, sample: Sample, found: Found, request: Request) -> bool:
    """Whether small coloured things keep their colour in what was found."""
    if sample.is_part:
        return picture.keeps_colours(found.jpeg, request.quality)
    return sample.keeps_colours(found.manner, found.setting, request.quality)


def _encoded(picture: Picture, sample: Sample, manner: Manner, setting: int) -> bytes:
    """The whole picture as a file, quantised like the sample.

    Decoders hold all coefficients of a progressive file, 3 bytes a pixel and more: one that is too
    large to hold becomes a sequential file, for 3 to 4 % more bytes.
    """
    if sample.follows_gradient and picture.is_held:
        return sample.whole(picture.whole(), manner, setting)
    stream = sample.planned(manner, setting).stream(
        picture.width, picture.height, progressive=picture.is_held
    )
    for rows in picture.rows():
        stream.push(rows)
    return stream.finish()
