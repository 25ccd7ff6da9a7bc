"""The smallest JPEG that reaches a score: looked for on a sample, then made and verified whole.

The native encoder shows what decoders will make of a setting without writing a file, so looking is
cheap. What is returned has been decoded and scored as a whole, and is the very file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from tinyjpg import calibration
from tinyjpg.backends.jpeg import Tables
from tinyjpg.calibration import Curve
from tinyjpg.codecs.jpeg_picture import Picture
from tinyjpg.codecs.jpeg_sample import Sample
from tinyjpg.codecs.jpeg_scales import SETTINGS, Chroma, Manner
from tinyjpg.native import release_memory
from tinyjpg.search import MOST_PROBES, Attempt, Search, cheapest
from tinyjpg.source import Request

# How close to the quality, in points, attempts on a sample come before the whole is made.
_NEAR: Final = 1.0
_MOST_LOOKS: Final = 4
# Points above the least score accepted up to which a search ends: of the whole in one piece, where
# attempts are cheap; of a large picture, where another takes long; of one not held in memory.
_CLOSE: Final = 0.75
_CLOSE_LARGE: Final = 1.25
_CLOSE_HUGE: Final = 2.0
# Of a drawing, for each of the ways to encode it.
_LOOKS_OF_DRAWN: Final = 2
# How many of the ways are tried on the whole of a large drawing.
_TRIED_OF_DRAWN: Final = 2
# From this setting on 4:2:0 may cost more than 4:4:4: at a score of 90, 3 % less on average.
_DEAR: Final = 140
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
class _Look:
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


def smallest(picture: Picture, request: Request) -> Found | None:
    """The smallest file that reaches the quality asked for; None where none does."""
    sample = Sample(picture, request.effort)
    if not picture.is_held:
        release_memory()
    if sample.is_drawn:
        return _drawn(picture, sample, request)
    for look in _looks(sample, request, may_be_full=not picture.is_subsampled):
        most = max(1, MOST_PROBES - request.tally.probes)
        found = _whole(picture, sample, look, request, most)
        if found is not None or request.deadline.passed:
            return found
    return None


def _drawn(picture: Picture, sample: Sample, request: Request) -> Found | None:
    """The same for a drawing: which tables and chroma suit it, only trying tells."""
    first = Chroma.NONE if sample.is_grey else Chroma.SUBSAMPLED
    full = [] if sample.is_grey else [Manner(Chroma.FULL)]
    manners = [Manner(first, tables) for tables in Tables]
    manners += [] if picture.is_subsampled else full
    count = _LOOKS_OF_DRAWN if sample.is_part else 1
    looks = [_look(sample, manner, request, count) for manner in manners]
    promising = [look for look in looks if not look.is_hopeless]
    promising.sort(key=lambda look: sample.size(look.manner, _nearest(look.start)))
    if sample.is_part:
        del promising[_TRIED_OF_DRAWN if picture.is_held else 1 :]
    most = MOST_PROBES - count
    found: list[Found] = []
    for look in promising:
        found += _made(_whole(picture, sample, look, request, most))
        if request.deadline.passed:
            return _least(found)
    for manner in [] if found else full:
        found += _made(_whole(picture, sample, _look(sample, manner, request, 1), request, most))
    return _least(found)


def _made(found: Found | None) -> list[Found]:
    return [] if found is None else [found]


def _least(found: list[Found]) -> Found | None:
    return min(found, key=lambda one: len(one.jpeg), default=None)


def _looks(sample: Sample, request: Request, *, may_be_full: bool) -> Iterator[_Look]:
    """The ways to store the colours, best first; the next where one does not reach the quality."""

    def look(chroma: Chroma) -> _Look:
        left = min(_MOST_LOOKS, MOST_PROBES - 2 - request.tally.probes) if sample.is_part else 1
        return _look(sample, Manner(chroma), request, max(1, left))

    if sample.is_grey:
        yield look(Chroma.NONE)
        return
    subsampled = look(Chroma.SUBSAMPLED)
    if subsampled.is_hopeless:
        yield look(Chroma.FULL)
        return
    if subsampled.start < _DEAR or not may_be_full:
        yield subsampled
        yield look(Chroma.FULL)
        return
    looks = [subsampled, look(Chroma.FULL)]
    yield from sorted(looks, key=lambda one: sample.size(one.manner, _nearest(one.start)))


def _look(sample: Sample, manner: Manner, request: Request, most: int) -> _Look:
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
    return _Look(manner, start, search.curve(), is_hopeless=not reached and start > _HOPELESS)


def _nearest(setting: float) -> int:
    return min(max(round(setting), SETTINGS[0]), SETTINGS[-1])


def _whole(
    picture: Picture, sample: Sample, look: _Look, request: Request, most: int
) -> Found | None:
    close = _CLOSE if not sample.is_part else _CLOSE_LARGE if picture.is_held else _CLOSE_HUGE

    def attempt(setting: int) -> Attempt[bytes | None]:
        if not sample.is_part:
            # Coarser is smaller; the file is written in the end.
            return Attempt(setting, sample.score(look.manner, setting), setting, None)
        jpeg = _encoded(picture, sample, look.manner, setting)
        if not picture.is_held:
            # What decoding and encoding took is not what decoding twice can use.
            release_memory()
        score = picture.score(jpeg)
        return Attempt(setting, score, len(jpeg), jpeg if request.accepts(score) else None)

    best = cheapest(
        request,
        attempt,
        expected=look.curve,
        settings=SETTINGS,
        start=look.start,
        close=close,
        most=most,
    ).best
    if best is None:
        return None
    if best.result is not None:
        return Found(best.result, look.manner, best.setting, best.score)
    jpeg = sample.file(look.manner, best.setting)
    score = sample.score_of(jpeg, best.score, look.manner, best.setting)
    return Found(jpeg, look.manner, best.setting, score) if request.accepts(score) else None


def _encoded(picture: Picture, sample: Sample, manner: Manner, setting: int) -> bytes:
    """The whole picture as a file, quantised like the sample.

    Decoders hold all coefficients of a progressive file, 3 bytes a pixel and more: one that is too
    large to hold becomes a sequential file, for 3 to 4 % more bytes.
    """
    if sample.follows_gradient and picture.is_held:
        return sample.whole(np.concatenate(list(picture.rows())), manner, setting)
    stream = sample.planned(manner, setting).stream(
        picture.width, picture.height, progressive=picture.is_held
    )
    for rows in picture.rows():
        stream.push(rows)
    return stream.finish()
