"""The candidates for a GIF: stripped, packed losslessly, and with colours altered."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import groupby
from operator import attrgetter
from typing import Final

import numpy as np

from tinyjpg.calibration import GIF_LOSSY
from tinyjpg.candidates import Candidate
from tinyjpg.codecs.gif_compare import check, worst_score
from tinyjpg.codecs.gif_frames import Decoder
from tinyjpg.codecs.gif_pack import lossy, squeeze
from tinyjpg.containers.gif import GifHeader
from tinyjpg.containers.gif_blocks import COMMENT, Extension, Gif, write
from tinyjpg.containers.gif_marker import is_marker, marked
from tinyjpg.containers.gif_reader import read
from tinyjpg.errors import DeadlineExceededError
from tinyjpg.options import Keep
from tinyjpg.source import Request

# Playing a GIF to verify it takes up to 20 bytes a pixel of its canvas.
_MOST_CANVAS_PIXELS: Final = 1 << 26

_LEVELS: Final = (2, 3, 5, 7, 10, 14, 20, 28, 40, 57, 80, 110, 150, 210, 300, 420, 600)
_PROBES: Final = 4
_TOLERANCE: Final = 0.5
# A score that exceeds the quality by less than this is not worth another probe.
_CLOSE: Final = 1.0
# Where a coarser level saves less than this fraction of the file, the next seldom saves more.
_WORTHWHILE: Final = 0.003


def candidates(data: bytes, header: GifHeader, request: Request) -> Iterator[Candidate]:
    """Ways to store the GIF `data`, each verified to show what it shows.

    Raises:
        CorruptImageError: image data is damaged or cut short.
        DeadlineExceededError: time ran out before the image was decoded once.
        MissingToolError: gifsicle is not installed.
    """
    gif = read(data)
    decoder = Decoder(request.deadline)
    agreed = check(gif, decoder)
    if header.doubts or not agreed:
        return
    stripped = _stripped(gif, request.keep)
    made_at = header.made_at
    yield _candidate(stripped, made_at, "stripped of metadata")
    settled = made_at is not None and made_at <= request.quality
    if settled or header.width * header.height > _MOST_CANVAS_PIXELS:
        return
    packed = squeeze(stripped, decoder)
    yield _candidate(packed, made_at, "packed losslessly by gifsicle")
    if request.lossless:
        return
    try:
        yield from _lossy_candidates(packed, request.quality, decoder)
    except DeadlineExceededError:
        return


def _candidate(gif: Gif, made_at: int | None, method: str, score: float = 100.0) -> Candidate:
    return Candidate(write(gif if made_at is None else marked(gif, made_at)), method, score)


def _stripped(gif: Gif, keep: frozenset[Keep]) -> Gif:
    """`gif` without the extensions nobody asked to keep, stale marks and trailing bytes."""
    return replace(
        gif,
        loops=tuple(next(same) for _, same in groupby(gif.loops, key=attrgetter("repeats"))),
        extensions=tuple(one for one in gif.extensions if _is_kept(one, keep)),
        trailing=0,
    )


def _is_kept(extension: Extension, keep: frozenset[Keep]) -> bool:
    if is_marker(extension):
        return False
    return Keep.ALL in keep or (Keep.COPYRIGHT in keep and extension.label == COMMENT)


def _lossy_candidates(gif: Gif, quality: int, decoder: Decoder) -> Iterator[Candidate]:
    """Candidates that reach `quality`, from at most `_PROBES` attempts to just reach it.

    Raises:
        DeadlineExceededError: time ran out on the way.
    """
    enough = quality - _TOLERANCE
    scores = {-1: 100.0, len(_LEVELS): 0.0}  # by index: untouched, and beyond the coarsest
    size = math.inf
    for probe in range(_PROBES):
        passed = max(index for index, score in scores.items() if score >= enough)
        failed = min(index for index, score in scores.items() if score < enough)
        if passed + 1 == failed or scores[passed] < quality + _CLOSE:
            return
        index = _next(scores, passed, failed, quality, least=2 * probe)
        made = lossy(gif, _LEVELS[index], decoder.deadline)
        score = None if made is None else worst_score(gif, made, enough, decoder)
        if made is None or score is None:
            return
        if score >= enough:
            method = f"colours altered by gifsicle (lossy {_LEVELS[index]})"
            yield _candidate(made, quality, method, score)
            saved, size = size - len(write(made)), len(write(made))
            if saved < size * _WORTHWHILE:
                return
        scores[index] = score


def _next(scores: Mapping[int, float], passed: int, failed: int, quality: int, least: int) -> int:
    """The level to try: between two probes, or the table's, shifted by the error of the only one.

    Args:
        least: steps to shift by at least.
    """
    expected = _position(quality)
    above, below = failed < len(_LEVELS), passed >= 0
    if above and below:
        share = (scores[passed] - quality) / (scores[passed] - scores[failed])
        wanted = passed + share * (failed - passed)
    elif above:
        shift = _position(2 * quality - scores[failed]) - expected
        wanted = failed + min(shift, -least)
    elif below:
        shift = _position(2 * quality - scores[passed]) - expected
        wanted = passed + max(shift, least)
    else:
        wanted = expected
    return min(max(math.floor(wanted), passed + 1), failed - 1)


def _position(quality: float) -> float:
    """Where the table's level for `quality` lies among `_LEVELS`, as a fractional index."""
    return float(np.interp(GIF_LOSSY.at(quality), _LEVELS, range(len(_LEVELS))))
