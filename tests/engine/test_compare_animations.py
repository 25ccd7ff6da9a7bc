"""Animations under the public metric: which frames meet, and what the scores are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from corpus.generators import gif_structure, png_structure
from tests.engine.gif_samples import PALETTE, scene
from tests.engine.webp_files import animation as webp_animation
from tests.engine.webp_files import frame as webp_frame
from tests.engine.webp_files import picture as webp_picture
from tinyjpg import InvalidOptionError, Reference, Similarity, compare, ssimulacra2
from tinyjpg.moments import Moment, moments


class TestMoments:
    def test_equal_delays_are_taken_one_by_one(self) -> None:
        assert list(moments([20, 30], [20, 30])) == [Moment(0, 0, 20), Moment(1, 1, 30)]

    def test_clocks_may_be_coarse(self) -> None:
        thirds = [100 / 3] * 300
        assert [one[:2] for one in moments(thirds, [30] * 300)] == [(at, at) for at in range(300)]

    def test_merged_frames_are_found_by_time(self) -> None:
        assert list(moments([20, 20, 30, 40], [40, 70])) == [
            Moment(0, 0, 20),
            Moment(1, 0, 20),
            Moment(2, 1, 30),
            Moment(3, 1, 40),
        ]

    def test_equally_many_frames_may_be_others(self) -> None:
        assert list(moments([20, 20, 60], [20, 60, 20])) == [
            Moment(0, 0, 20),
            Moment(1, 1, 20),
            Moment(2, 1, 40),
            Moment(2, 2, 20),
        ]

    def test_changes_that_nearly_coincide_are_one(self) -> None:
        assert [one[:2] for one in moments([33, 33, 34, 100], [67, 133])] == [
            (0, 0),
            (1, 0),
            (2, 1),
            (3, 1),
        ]

    @pytest.mark.parametrize("seed", range(20))
    def test_every_frame_has_its_moment(self, seed: int) -> None:
        random = np.random.default_rng(seed)
        first = random.uniform(10.1, 40, 30).tolist()
        second = [sum(first[at : at + 3]) for at in range(0, 30, 3)]
        second[-1] += random.uniform(-9.9, 9.9)
        for one, other in ((first, second), (second, first)):
            found = list(moments(one, other))
            assert {moment.first for moment in found} == set(range(len(one)))
            assert {moment.second for moment in found} == set(range(len(other)))
            assert min(moment.duration for moment in found) > 0
            assert sum(moment.duration for moment in found) == pytest.approx(sum(one), abs=10)

    @pytest.mark.parametrize(
        ("first", "second", "complaint"),
        [
            ([20, 20], [20, 31], "same time"),
            ([20, 20], [20, 20, 20], "same time"),
            ([0], [20, 20], "still image"),
            ([20, 20], [0], "still image"),
        ],
    )
    def test_what_does_not_match_is_refused(
        self, first: Sequence[float], second: Sequence[float], complaint: str
    ) -> None:
        with pytest.raises(InvalidOptionError, match=complaint):
            moments(first, second)


COLOURS = np.array(PALETTE, np.uint8)
Indices = npt.NDArray[np.uint8]


def pictures(count: int = 4, noise: int = 3) -> list[Indices]:
    return [scene(step, noise=noise) for step in range(count)]


def gif(frames: Sequence[Indices], delays: Sequence[int]) -> bytes:
    parts = [
        gif_structure.Frame(indices=one, delay=delay // 10)
        for one, delay in zip(frames, delays, strict=True)
    ]
    return gif_structure.encode(parts, PALETTE, loops=0)


def apng(frames: Sequence[Indices], delays: Sequence[int]) -> bytes:
    parts = [
        png_structure.Frame(samples=COLOURS[one], delay=(delay, 1000))
        for one, delay in zip(frames, delays, strict=True)
    ]
    return png_structure.animate(parts, png_structure.RGB)


def webp(frames: Sequence[Indices], delays: Sequence[int]) -> bytes:
    size = (frames[0].shape[1], frames[0].shape[0])
    parts = [
        webp_frame(webp_picture(COLOURS[one], lossless=True), size, duration=delay)
        for one, delay in zip(frames, delays, strict=True)
    ]
    return webp_animation(parts, *size)


ANIMATORS = [gif, apng, webp]


class TestAnimations:
    @pytest.mark.parametrize("make", ANIMATORS)
    @pytest.mark.parametrize("other", ANIMATORS)
    def test_frames_are_compared_in_any_mix_of_formats(
        self, make: Callable[..., bytes], other: Callable[..., bytes]
    ) -> None:
        frames, delays = pictures(), (100, 40, 40, 20)
        changed = [*frames[:2], np.roll(frames[2], 1, axis=1), np.minimum(frames[3], 40)]
        found = compare(make(frames, delays), other(changed, delays))
        expected = [
            100.0 if before is after else ssimulacra2(COLOURS[before], COLOURS[after])
            for before, after in zip(frames, changed, strict=True)
        ]
        assert found.frames == pytest.approx(expected, abs=1e-6)
        assert found.frames[:2] == (100.0, 100.0)
        assert max(found.frames[2:]) < 95
        assert found.score == min(expected)
        assert found.worst_frame == expected.index(min(expected))
        assert found.mean == pytest.approx(np.average(expected, weights=delays))

    def test_the_worst_frame_counts(self) -> None:
        frames, delays = pictures(), (100,) * 4
        one, other = gif(frames, delays), gif([*frames[:3], frames[2]], delays)
        assert ssimulacra2(one, other) == compare(one, other).score < 50
        assert Reference(one).score(other) == ssimulacra2(one, other)
        assert Reference(one).compare(other) == compare(one, other)

    def test_merged_frames_do_no_harm(self) -> None:
        first, second = pictures(2)
        apart = gif([first, first, second, second], (50, 50, 30, 30))
        merged = gif([first, second], (100, 60))
        assert compare(apart, merged) == Similarity((100.0,) * 4, 100.0)
        assert compare(merged, apart) == Similarity((100.0,) * 2, 100.0)

    def test_frames_merged_wrongly_show(self) -> None:
        first, second, third = pictures(3)
        found = compare(gif([first, second, third], (50, 50, 100)), gif([first, third], (100, 100)))
        assert found.worst_frame == 1
        assert (found.frames[0], found.frames[2]) == (100.0, 100.0)
        again = compare(gif([first, third], (100, 100)), gif([first, second, third], (50, 50, 100)))
        assert again.worst_frame == 0
        assert again.score == pytest.approx(found.score, abs=5)
        assert again.score < 90

    def test_a_later_frame_is_told_from_the_one_before(self) -> None:
        frames = pictures(6, noise=0)
        shifted = compare(gif(frames, (100,) * 6), gif([frames[0], *frames[:5]], (100,) * 6))
        assert shifted.frames[0] == 100.0
        assert max(shifted.frames[1:]) < 95

    def test_a_single_frame_is_a_still(self) -> None:
        one = pictures(1)
        assert compare(gif(one, (100,)), COLOURS[one[0]]).frames == (100.0,)
        assert ssimulacra2(apng(one, (100,)), webp(one, (40,))) == 100.0

    @pytest.mark.parametrize("prepare", [lambda one: one, Reference])
    def test_what_does_not_match_is_refused(self, prepare: Callable[[bytes], Any]) -> None:
        frames = pictures()
        animated = gif(frames, (100,) * 4)

        def attempt(original: bytes, other: bytes) -> float:
            prepared = prepare(original)
            if isinstance(prepared, Reference):
                return prepared.score(other)
            return ssimulacra2(original, other)

        with pytest.raises(InvalidOptionError, match="still image and an animation"):
            attempt(animated, gif(frames[:1], (100,)))
        with pytest.raises(InvalidOptionError, match="still image and an animation"):
            attempt(gif(frames[:1], (100,)), animated)
        with pytest.raises(InvalidOptionError, match="same time"):
            attempt(animated, gif(frames[:3], (100,) * 3))
        with pytest.raises(InvalidOptionError, match="equal size"):
            attempt(animated, gif([one[:-1] for one in frames], (100,) * 4))
