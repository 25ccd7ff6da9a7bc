"""The lossy ways to store one WebP picture, each scored against it.

VP8 is searched with a quick effort until the score is near, then with the final one; what is handed
out is what was scored.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tinyjpg.backends import webp
from tinyjpg.backends.vips import Pixels
from tinyjpg.calibration import WEBP_LOSSY
from tinyjpg.codecs.webp_bitstreams import (
    EXACT_ALPHA,
    decode,
    encode_alpha,
    encode_colours,
    encode_lossless,
    encode_near_lossless,
    normalised,
    opaque,
    with_packed_alpha,
)
from tinyjpg.codecs.webp_content import coding_for, seed
from tinyjpg.codecs.webp_metadata import upright
from tinyjpg.containers.webp import lossy_bitstream
from tinyjpg.containers.webp_header import Bitstream, WebpHeader
from tinyjpg.search import MOST_PROBES, Attempt, Search, cheapest
from tinyjpg.source import TOLERANCE, Request
from tinyjpg.verify import Verifier

SETTINGS: Final = range(101)
"""libwebp's qualities."""

# Effort 4 at the same quality scores what effort 6 does, +-0.2 at 80 on photographs, at 60 % of
# the cost.
_QUICK_EFFORT: Final = 4
_FINAL_EFFORT: Final = 6
# Points from the quality within which the curve leads to it in one more step, mostly.
_NEAR: Final = 3.0
_MOST_QUICK: Final = 4
# Steps of the setting by which the final effort may need more than the quick one.
_SLACK: Final = 2
# Fewer levels of alpha at this libwebp alpha quality: 17 % fewer bytes for 1 point (measured on
# logos); coarser ones are visible at edges.
_COARSE_ALPHA: Final = 50
# Points that coarse alpha may take which a higher setting makes up for.
_MOST_MADE_UP: Final = 2.0
# What one step of libwebp's quality takes, as a fraction of the bytes.
_STEP_SIZE: Final = 0.02
# What packing near-lossless pixels again leaves of their bytes, at the least.
_REPACKED: Final = 0.8
# Scores of near-lossless levels (measured on logos, UI and photographs): 0: 71 to 92,
# 20: 83 to 96, 40: 89 to 96, 60: 92 to 98, 80: 93 to 98. By quality asked for, what to try.
_NEAR_LOSSLESS_LEVELS: Final = (
    (85, (0, 20, 40)),
    (92, (20, 40, 60)),
    (99, (40, 60, 80)),
)


@dataclass(frozen=True, slots=True)
class Inexact:
    """A picture with visible pixels changed that keeps the promise of the quality.

    Attributes:
        bitstream: the picture.
        method: how it was made, in words.
        score: its SSIMULACRA2 against the original.
    """

    bitstream: Bitstream
    method: str
    score: float


class LossyPicture:
    """One picture to be stored with visible pixels changed.

    Attributes:
        base: the header around the results: upright, with the metadata that `request` asks for.
        pixels: what is encoded, upright and `normalised`: height x width x 3 or 4.

    Args:
        base: as `webp_metadata.packed` returns it.
        pixels: of its picture, as stored.
    """

    def __init__(self, base: WebpHeader, pixels: Pixels, request: Request) -> None:
        self.base = upright(base, request)
        self.pixels = webp.upright(normalised(pixels), base.orientation)
        self._request = request
        self._colours = opaque(self.pixels)
        self._coding = coding_for(self._colours, request.quality)
        self._verifier: Verifier | None = None

    def vp8(self) -> Iterator[Inexact]:
        """VP8 at the lowest quality found that reaches the score, with and without all of alpha."""
        alpha = encode_alpha(self.pixels, EXACT_ALPHA, count=self.base.pixels)
        found = self._search(alpha)
        if found is None:
            return
        yield Inexact(found.result, f"libwebp Q{found.setting}", found.score)
        if alpha is not None and not self._request.deadline.passed:
            yield from self._with_coarse_alpha(found, alpha)

    def near_lossless(self, limit: int | None) -> Iterator[Inexact]:
        """VP8L of simplified pixels, at the level that just reaches the score.

        Args:
            limit: bytes from which on it is not worth having; None: any size is.
        """
        levels = next(
            (levels for most, levels in _NEAR_LOSSLESS_LEVELS if self._request.quality <= most), ()
        )
        for level in levels:
            if self._request.deadline.passed:
                return
            bitstream = encode_near_lossless(self.pixels, level)
            # The next levels are larger still.
            if limit is not None and bitstream.size * _REPACKED >= limit:
                return
            pixels = decode(bitstream)
            score = self._score(pixels)
            self._request.tally.count()
            if self._request.accepts(score):
                # Libwebp ties the effort to the level here, so the same pixels may pack better.
                again = encode_lossless(normalised(pixels), exact=False, count=self.base.pixels)
                smaller = min(again, bitstream, key=lambda one: one.size)
                yield Inexact(smaller, f"near-lossless {level}", score)
                return

    def _search(self, alpha: bytes | None) -> Attempt[Bitstream] | None:
        """The smallest attempt that reaches the quality, None where none did."""
        quality = self._request.quality
        search = Search(quality, WEBP_LOSSY, SETTINGS, start=seed(self._colours, quality))
        attempts: list[Attempt[Bitstream]] = []
        for _ in range(_MOST_QUICK):
            setting = search.next()
            if setting is None or (attempts and self._request.deadline.passed):
                break
            attempts.append(self._attempt(setting, _QUICK_EFFORT, alpha))
            self._request.tally.count()
            search.tell(setting, attempts[-1].score)
            if abs(attempts[-1].score - quality) < _NEAR:
                break
        if not self._request.deadline.passed and not self._is_hopeless(attempts):
            final = cheapest(
                self._request,
                lambda setting: self._attempt(setting, _FINAL_EFFORT, alpha),
                expected=WEBP_LOSSY,
                settings=self._worth_the_final_effort(attempts),
                start=search.estimate(),
                most=MOST_PROBES - len(attempts),
            )
            attempts.extend(final.attempts)
        passed = [one for one in attempts if self._request.accepts(one.score)]
        return min(passed, key=lambda one: one.size, default=None)

    def _worth_the_final_effort(self, attempts: list[Attempt[Bitstream]]) -> range:
        """The settings up to the lowest that passed with the quick effort, and a little more."""
        passed = [one.setting for one in attempts if self._request.accepts(one.score)]
        return range(min([*(setting + _SLACK for setting in passed), SETTINGS[-1]]) + 1)

    def _is_hopeless(self, attempts: list[Attempt[Bitstream]]) -> bool:
        """Whether even the highest setting stays clearly below the quality."""
        return any(
            one.setting == SETTINGS[-1] and one.score < self._request.quality - 2 * TOLERANCE
            for one in attempts
        )

    def _with_coarse_alpha(self, found: Attempt[Bitstream], alpha: bytes) -> Iterator[Inexact]:
        """Fewer levels of alpha, at the setting found or the one that makes up for the loss."""
        exact = found.result
        fewer = encode_alpha(self.pixels, _COARSE_ALPHA, count=self.base.pixels)
        if fewer is None or len(fewer) >= len(alpha):
            return
        coarse = lossy_bitstream(exact.payload, fewer)
        pixels = decode(coarse)
        # The levels that are left may pack better without loss than libwebp did.
        coarse = with_packed_alpha(coarse, pixels, count=self.base.pixels)
        score = self._score(pixels)
        self._request.tally.count()
        setting = found.setting
        if not self._request.accepts(score):
            missing = self._request.quality - score
            step = self._step_for(missing)
            setting += step
            worth_it = exact.size - coarse.size > step * _STEP_SIZE * len(exact.payload)
            if missing > _MOST_MADE_UP or setting > SETTINGS[-1] or not worth_it:
                return
            attempt = self._attempt(setting, _FINAL_EFFORT, coarse.alpha)
            self._request.tally.count()
            coarse, score = attempt.result, attempt.score
        if self._request.accepts(score):
            yield Inexact(coarse, f"libwebp Q{setting}, alpha Q{_COARSE_ALPHA}", score)

    def _step_for(self, points: float) -> int:
        """How much higher the setting has to be for so many more points, by the curve."""
        quality = self._request.quality
        return max(1, round(WEBP_LOSSY.at(quality + points) - WEBP_LOSSY.at(quality)))

    def _attempt(self, setting: int, effort: int, alpha: bytes | None) -> Attempt[Bitstream]:
        made = encode_colours(self._colours, setting, self._coding, effort=effort)
        bitstream = lossy_bitstream(made.payload, alpha)
        return Attempt(setting, self._score(decode(bitstream)), bitstream.size, bitstream)

    def _score(self, pixels: Pixels) -> float:
        profile = self.base.icc_profile
        if self._verifier is None:
            self._verifier = Verifier(webp.as_shown(self.pixels, profile))
        return self._verifier.score(webp.as_shown(pixels, profile))
