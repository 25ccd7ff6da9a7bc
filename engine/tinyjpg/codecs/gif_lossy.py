"""Altering the colours of a GIF just as far as the worst of its frames allows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt

from tinyjpg.calibration import GIF_LOSSY, GIF_REDRAW, Curve
from tinyjpg.codecs.gif_compare import frame_scores
from tinyjpg.codecs.gif_frames import Decoder
from tinyjpg.codecs.gif_pack import lossy
from tinyjpg.codecs.gif_redraw import lowest_while_shown, redraw, redrawable
from tinyjpg.containers.gif_blocks import Gif, write
from tinyjpg.errors import DeadlineExceededError
from tinyjpg.search import Attempt, cheapest
from tinyjpg.source import Request

# gifsicle's --lossy, and the square errors that `redraw` allows, from coarse to fine.
_LOSSY_LEVELS: Final = (600, 420, 300, 210, 150, 110, 80, 57, 40, 28, 20, 14, 10, 7, 5, 3, 2)
_TOLERANCES: Final = tuple(2 ** (steps / 4) for steps in range(44, 3, -1))

# How often a file is drawn evenly, then with more loss where frames look better than needed: by the
# pixels of all frames.
_EFFORT: Final = ((64_000_000, (5, 2)), (256_000_000, (4, 1)), (math.inf, (3, 0)))
# How much of what a frame scores too well is given up for bytes: later frames build upon it.
_SHARE: Final = 0.5
# How far a frame that scores this much less than wanted still is of use to the search: below, the
# rest is not looked at.
_HOPELESS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Altered:
    """A file that reaches the quality.

    Attributes:
        gif: the file.
        score: that of its worst frame.
        method: how it was made, for people.
    """

    gif: Gif
    score: float
    method: str


def cheapest_lossy(gif: Gif, request: Request, decoder: Decoder) -> Altered | None:
    """The smallest file found, in time, whose worst frame reaches the quality; None without one.

    Args:
        gif: an animation or a still that has passed `check`, packed.
    """
    if redrawable(gif):
        return _redrawn(gif, request, decoder)
    trials = _Trials(gif, request, decoder)

    def attempt(index: int) -> Attempt[_Trial]:
        level = _LOSSY_LEVELS[index]
        made = lossy(gif, level, decoder)
        return trials.attempt(index, made, f"colours altered by gifsicle (lossy {level})")

    with suppress(_NotMadeError, DeadlineExceededError):
        cheapest(
            request,
            attempt,
            expected=_by_index(GIF_LOSSY, _LOSSY_LEVELS),
            settings=range(len(_LOSSY_LEVELS)),
        )
    return trials.best()


def _redrawn(gif: Gif, request: Request, decoder: Decoder) -> Altered | None:
    trials = _Trials(gif, request, decoder)
    curve = _by_index(GIF_REDRAW, _TOLERANCES)
    count = len(gif.images)
    pixels = math.prod((*gif.canvas, count))
    probes, rounds = next(effort for most, effort in _EFFORT if pixels <= most)

    def attempt(index: int) -> Attempt[_Trial]:
        return trials.attempt(
            index, redraw(gif, [_TOLERANCES[index]] * count, decoder), "colours altered"
        )

    # Whatever ends the search, what has been verified until then counts.
    with suppress(_NotMadeError, DeadlineExceededError):
        found = cheapest(
            request,
            attempt,
            expected=curve,
            settings=range(len(_TOLERANCES)),
            most=probes,
        )
        if found.best is not None:
            _coarsen(trials, found.best.result, found.best.setting, curve, rounds)
    return trials.best()


def _coarsen(trials: _Trials, best: _Trial, setting: int, curve: Curve, rounds: int) -> None:
    """Redraw thoroughly, with more loss in frames that look better than needed while they show.

    Raises:
        DeadlineExceededError: time ran out.
    """
    gif, request, decoder = trials.gif, trials.request, trials.decoder
    scores_by_index = curve.inverse()
    indices = np.full(len(gif.images), float(setting))
    tolerances: list[float] = []
    share = _SHARE
    for _ in range(rounds):
        lowest = np.array(lowest_while_shown(best.gif, best.scores, decoder))
        spare = np.maximum(lowest - request.quality, 0)
        coarser = indices + [
            min(0.0, curve.at(known - share * more) - curve.at(known))
            for known, more in zip(map(scores_by_index.at, indices), spare, strict=True)
        ]
        before, tolerances = tolerances, _tolerances_at(coarser)
        if tolerances == before:
            return
        redrawn = redraw(gif, tolerances, decoder, thorough=True)
        made = trials.attempt(setting, redrawn, "colours altered")
        request.tally.count()
        if request.accepts(made.score):
            best, indices = made.result, coarser
        else:
            share = 0.0


def _tolerances_at(indices: npt.NDArray[np.float64]) -> list[float]:
    levels: list[float] = np.interp(indices, range(len(_TOLERANCES)), _TOLERANCES).tolist()
    return levels


def _by_index(expected: Curve, levels: Sequence[float]) -> Curve:
    """A curve from quality to level as one to an index into `levels`, which descend."""
    last = len(levels) - 1
    index_at = partial(np.interp, xp=levels[::-1], fp=range(last, -1, -1))
    return Curve(tuple((quality, float(index_at(level))) for quality, level in expected.points))


@dataclass(frozen=True, slots=True)
class _Trial:
    """A file and the scores of its frames."""

    gif: Gif
    scores: dict[int, float]
    method: str


class _Trials:
    """Scores files made of one original and remembers those that reach the quality."""

    def __init__(self, gif: Gif, request: Request, decoder: Decoder) -> None:
        self.gif: Final = gif
        self.request: Final = request
        self.decoder: Final = decoder
        self._reached: list[Attempt[_Trial]] = []

    def attempt(self, setting: int, made: Gif | None, method: str) -> Attempt[_Trial]:
        """Score `made`.

        Raises:
            DeadlineExceededError: time ran out.
        """
        if made is None:
            raise _NotMadeError
        least = self.request.quality - _HOPELESS
        scores = frame_scores(self.gif, made, least, self.decoder)
        if scores is None:
            raise _NotMadeError
        score = min(scores.values(), default=100.0)
        one = Attempt(setting, score, len(write(made)), _Trial(made, scores, method))
        if self.request.accepts(score):
            self._reached.append(one)
        return one

    def best(self) -> Altered | None:
        """The smallest that reached the quality."""
        if not self._reached:
            return None
        best = min(self._reached, key=lambda one: one.size)
        return Altered(best.result.gif, best.score, best.result.method)


class _NotMadeError(Exception):
    """A file cannot be made, or does not show the frames of the original."""
