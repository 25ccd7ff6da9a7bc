"""Bytes at equal score: what is interpolated, and which settings are tried for it."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from benchmarks.curves import Point, bytes_at, lossless_at, sweep
from benchmarks.peers.encoders.table import ENCODERS, Scale

SCORES = (80.0, 90.0, 70.0)
HUNDRED = Scale(1, 100, 80)


def test_the_logarithm_of_the_bytes_is_interpolated() -> None:
    points = [Point(40, 76.0, 1000), Point(60, 84.0, 4000)]
    assert bytes_at(points, 80) == pytest.approx(2000)
    assert bytes_at(points, 84) == pytest.approx(4000)
    assert bytes_at(points, 84.1) is None


def test_below_the_worst_result_nothing_is_invented() -> None:
    assert bytes_at([Point(0, 85.0, 1000), Point(9, 95.0, 2000)], 70) == 1000


def test_a_lossless_result_counts_where_no_cheaper_lossy_one_reaches() -> None:
    points = [Point(1, 70.0, 1000), Point(50, 85.0, 2000), Point(99, 100.0, 9000)]
    assert bytes_at(points, 86) == 9000
    assert lossless_at(points, 86)
    assert not lossless_at(points, 85)
    # Lossy ones that cost as much are of no use to anybody.
    cheap = [*points, Point(100, 100.0, 1900)]
    assert bytes_at(cheap, 80) == 1900
    assert lossless_at(cheap, 80)


def test_results_that_cost_more_than_a_better_one_do_not_count() -> None:
    points = [Point(1, 70.0, 1000), Point(2, 78.0, 5000), Point(3, 90.0, 4000)]
    assert bytes_at(points, 80) == pytest.approx(math.exp((math.log(1000) + math.log(4000)) / 2))


Curve = Callable[[float], tuple[float, float]]


def _jpeg(quality: float) -> tuple[float, float]:
    return 100 - 60 * (1 - quality / 101) ** 0.6, 3000 * math.exp(quality / 25)


def _steep(quality: float) -> tuple[float, float]:
    return 97 / (1 + math.exp(-(quality - 20) / 8)), 2000 * math.exp(quality / 30)


@pytest.mark.parametrize("curve", [_jpeg, _steep])
@pytest.mark.parametrize("turned", [False, True], ids=["more is better", "more is worse"])
def test_a_swept_curve_is_true_where_it_is_asked_about(curve: Curve, turned: bool) -> None:
    scale = Scale(99, 0, 20) if turned else HUNDRED
    asked = []

    def measure(position: int) -> Point:
        asked.append(scale.setting(position))
        score, size = curve(position + 1)
        return Point(position, score, round(size))

    points = sweep(measure, measure(scale.position(scale.usual)), scale, SCORES)
    assert len(asked) == len(set(asked)) <= 10
    assert all(min(scale.worst, scale.best) <= one <= max(scale.worst, scale.best) for one in asked)
    every = [measure(position) for position in range(scale.last + 1)]
    for score in SCORES:
        truth = bytes_at(every, score)
        assert truth is not None
        assert bytes_at(points, score) == pytest.approx(truth, rel=0.01)


def test_a_scale_of_scores_is_swept_next_to_them() -> None:
    asked = []

    def measure(position: int) -> Point:
        asked.append(HUNDRED.setting(position))
        return Point(position, asked[-1] + 0.4, round(1000 * 1.05 ** asked[-1]))

    scale = Scale(1, 100, 80, promised=True)
    points = sweep(measure, measure(79), scale, SCORES)
    assert asked == [80, 78, 90, 88, 70, 68]
    assert bytes_at(points, 80) == pytest.approx(1000 * 1.05**79.6, rel=0.001)


def test_a_promise_kept_without_loss_is_not_asked_for_again() -> None:
    asked: list[int] = []

    def measure(position: int) -> Point:
        asked.append(position + 1)
        return Point(position, 100.0, 5000)

    sweep(measure, measure(79), Scale(1, 100, 80, promised=True), SCORES)
    assert asked == [80, 90, 70]


def test_a_score_out_of_reach_ends_at_the_best_setting() -> None:
    asked: list[int] = []

    def measure(position: int) -> Point:
        asked.append(position + 1)
        return Point(position, 60 + position / 10, 1000 + position)

    points = sweep(measure, measure(79), HUNDRED, SCORES)
    assert max(asked) == 100
    assert len(asked) <= 6
    assert bytes_at(points, 80) is None


def test_every_usual_setting_is_on_its_scale() -> None:
    for facts in ENCODERS.values():
        for scale in facts.scales.values():
            assert scale.setting(scale.position(scale.usual)) == scale.usual
            assert scale.setting(0) == scale.worst
            assert scale.setting(scale.last) == scale.best
