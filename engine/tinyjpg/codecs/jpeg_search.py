"""The smallest JPEG that reaches a score: which way to store the colours, and how coarsely."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tinyjpg.codecs.jpeg_attempts import Found, Look, look, whole
from tinyjpg.codecs.jpeg_drawing import Drawing
from tinyjpg.codecs.jpeg_picture import Picture
from tinyjpg.codecs.jpeg_sample import Sample
from tinyjpg.codecs.jpeg_scales import Chroma, Manner
from tinyjpg.native import release_memory
from tinyjpg.search import MOST_PROBES
from tinyjpg.source import Request

_MOST_LOOKS: Final = 4
# From this setting on 4:2:0 may cost more than 4:4:4: at a score of 90, 3 % less on average.
_DEAR: Final = 140


def smallest(picture: Picture, request: Request) -> Found | None:
    """The smallest file that reaches the quality asked for; None where none does."""
    sample = Sample(picture, request.effort)
    if not picture.is_held:
        release_memory()
    if sample.is_drawn:
        return Drawing(picture, sample, request).smallest()
    for seen in _looks(sample, request, may_be_full=not picture.is_subsampled):
        most = max(1, MOST_PROBES - request.tally.probes)
        found = whole(picture, sample, seen, request, most)
        if found is not None and not sample.keeps_colours(
            found.manner, found.setting, request.quality
        ):
            return Drawing(picture, sample, request).keeping_colours([found])
        if found is not None or request.deadline.passed:
            return found
    return None


def _looks(sample: Sample, request: Request, *, may_be_full: bool) -> Iterator[Look]:
    """The ways to store the colours, best first; the next where one does not reach the quality."""

    def at(chroma: Chroma) -> Look:
        left = min(_MOST_LOOKS, MOST_PROBES - 2 - request.tally.probes) if sample.is_part else 1
        return look(sample, Manner(chroma), request, max(1, left))

    if sample.is_grey:
        yield at(Chroma.NONE)
        return
    subsampled = at(Chroma.SUBSAMPLED)
    if subsampled.is_hopeless:
        yield at(Chroma.FULL)
        return
    if subsampled.start < _DEAR or not may_be_full:
        yield subsampled
        yield at(Chroma.FULL)
        return
    looks = [subsampled, at(Chroma.FULL)]
    yield from sorted(looks, key=lambda one: sample.size(one.manner, one.nearest))
