"""The search for the cheapest setting, over made-up encoders."""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import mean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyjpg.calibration import MOZJPEG_420, WEBP_LOSSY, Curve
from tinyjpg.limits import Deadline
from tinyjpg.search import CLOSE, MOST_PROBES, Attempt, Found, Search, cheapest
from tinyjpg.source import Request

SCALE = range(1, 101)


class Encoder:
    """Scores by a function of the setting; remembers what it was asked for."""

    def __init__(self, score: Callable[[int], float]) -> None:
        self.score = score
        self.asked: list[int] = []

    def __call__(self, setting: int) -> Attempt[str]:
        self.asked.append(setting)
        return Attempt(setting, self.score(setting), 1000 + 10 * setting, f"at {setting}")


def run(
    encoder: Encoder, quality: int = 80, *, expected: Curve = MOZJPEG_420, scale: range = SCALE
) -> Found[str]:
    return cheapest(Request(quality), encoder, expected=expected, settings=scale)


def photograph(offset: float, stretch: float = 1.0) -> Callable[[int], float]:
    """A picture that scores as the curve says, but for `offset` points and a slope of its own."""
    scores = MOZJPEG_420.inverse()
    return lambda setting: 80 + offset + stretch * (scores.at(setting) - 80)


def test_a_picture_as_expected_takes_one_probe() -> None:
    encoder = Encoder(photograph(0))
    found = run(encoder)
    assert encoder.asked == [round(MOZJPEG_420.at(80))]
    assert found.best is not None
    assert found.best.result == f"at {encoder.asked[0]}"


@pytest.mark.parametrize("offset", [-8, -4, -1.5, 1.5, 4, 8])
@pytest.mark.parametrize("stretch", [0.7, 1.0, 1.4])
def test_other_photographs_take_three_at_most(offset: float, stretch: float) -> None:
    encoder = Encoder(photograph(offset, stretch))
    found = run(encoder)
    assert len(encoder.asked) <= 4
    best = found.best
    assert best is not None
    assert best.score >= 79.5
    # Either hardly above the quality, or one step less would have missed it.
    assert best.score < 79.5 + CLOSE or encoder.score(best.setting - 1) < 79.5


def test_three_probes_on_average_are_enough_for_photographs() -> None:
    counts = []
    for offset in range(-9, 10):
        for stretch in (0.75, 0.9, 1.0, 1.1, 1.25):
            encoder = Encoder(photograph(offset, stretch))
            run(encoder)
            counts.append(len(encoder.asked))
    assert mean(counts) <= 3


def test_nothing_is_found_where_even_the_best_setting_misses() -> None:
    encoder = Encoder(lambda setting: setting / 2)
    found = run(encoder)
    assert found.best is None
    assert max(encoder.asked) == SCALE[-1]


def test_the_cheapest_setting_is_found_where_all_reach_the_score() -> None:
    encoder = Encoder(lambda setting: 95 + setting / 100)
    found = run(encoder)
    assert found.best is not None
    assert found.best.setting == SCALE[0]


def test_a_score_that_jumps_over_the_window_ends_near_the_step_that_passes() -> None:
    encoder = Encoder(lambda setting: 90.0 if setting >= 37 else 60.0)
    found = run(encoder)
    assert found.best is not None
    assert 37 <= found.best.setting <= 40
    assert len(encoder.asked) <= MOST_PROBES


def test_the_smallest_result_wins_even_where_a_higher_setting_made_it() -> None:
    def attempt(setting: int) -> Attempt[int]:
        return Attempt(setting, 70.0 + setting, 100 - setting, setting)

    found = cheapest(
        Request(80), attempt, expected=Curve(((70, 0), (90, 20))), settings=range(21), start=20
    )
    assert found.best is not None
    assert found.best.size == min(one.size for one in found.attempts if one.score >= 79.5)


def test_the_deadline_ends_the_search_after_the_first_probe() -> None:
    encoder = Encoder(photograph(-8))
    request = Request(80, deadline=Deadline.after(1e-9))
    cheapest(request, encoder, expected=MOZJPEG_420, settings=SCALE)
    assert len(encoder.asked) == 1


def test_every_probe_is_counted() -> None:
    encoder = Encoder(photograph(5, 1.3))
    request = Request(80)
    found = cheapest(request, encoder, expected=MOZJPEG_420, settings=SCALE)
    assert request.tally.probes == len(encoder.asked) == len(found.attempts) > 1


def test_the_estimate_lies_between_the_steps_around_the_score() -> None:
    search = Search(80, Curve(((60, 0), (100, 40))), range(41))
    search.tell(10, 71.0)
    search.tell(30, 91.0)
    assert search.estimate() == pytest.approx(19.0)


def unsteady(steepness: float, middle: float, noise: float, seed: int) -> Encoder:
    """An encoder whose scores rise with the setting, more or less."""

    def score(setting: int) -> float:
        wobble = noise * math.sin(seed + 12.9898 * setting)
        return 100 / (1 + math.exp(steepness * (middle - setting))) + wobble

    return Encoder(score)


@settings(max_examples=300, deadline=None)
@given(
    encoder=st.builds(
        unsteady,
        steepness=st.floats(0.02, 2.0),
        middle=st.floats(-50, 150),
        noise=st.floats(0, 3),
        seed=st.integers(0, 1000),
    ),
    quality=st.integers(1, 99),
    curve=st.sampled_from([MOZJPEG_420, WEBP_LOSSY]),
    scale=st.sampled_from([range(1, 101), range(101), range(5), range(1)]),
)
def test_any_encoder_ends_the_search(
    encoder: Encoder, quality: int, curve: Curve, scale: range
) -> None:
    found = run(encoder, quality, expected=curve, scale=scale)
    assert 1 <= len(encoder.asked) <= MOST_PROBES
    assert len(set(encoder.asked)) == len(encoder.asked)
    assert set(encoder.asked) <= set(scale)
    passing = [one for one in found.attempts if one.score >= quality - 0.5]
    assert (found.best is None) == (not passing)
    if found.best is not None:
        assert found.best.size == min(one.size for one in passing)


def test_a_curve_bent_by_attempts_passes_through_them_and_keeps_rising() -> None:
    search = Search(80, MOZJPEG_420, SCALE)
    search.tell(80, 70.0)
    search.tell(88, 86.0)
    search.tell(84, 69.0)
    bent = search.curve()
    assert bent.at(70.0) == 80
    assert bent.at(86.0) == 88
    settings_wanted = [bent.at(quality) for quality in range(1, 101)]
    assert settings_wanted == sorted(settings_wanted)
    assert bent.at(5) < 20
    assert bent.at(99) == 100


def test_one_attempt_does_not_bend_the_curve() -> None:
    search = Search(80, MOZJPEG_420, SCALE)
    search.tell(80, 70.0)
    assert search.curve() is MOZJPEG_420
