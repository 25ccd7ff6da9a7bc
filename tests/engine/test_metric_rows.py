"""Scoring a pair whose rows come bit by bit."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tinyjpg.errors import InvalidOptionError
from tinyjpg.metric import Comparison, compare, ssimulacra2

Pixels = npt.NDArray[np.uint8]


def pair(width: int, height: int, bands: int = 3) -> tuple[Pixels, Pixels]:
    random = np.random.default_rng(width)
    original = random.integers(40, 200, (height, width, bands), np.uint8)
    return original, (original + random.integers(0, 12, original.shape)).astype(np.uint8)


@pytest.mark.parametrize("strip", [1, 2, 7, 16, 99])
@pytest.mark.parametrize("height", [8, 9, 64, 99])
def test_any_division_into_strips_scores_like_the_whole(strip: int, height: int) -> None:
    original, distorted = pair(70, height)
    comparison = Comparison(70, height)
    for y in range(0, height, strip):
        comparison.push(original[y : y + strip], distorted[y : y + strip])
    assert comparison.finish() == compare(original, distorted) < 100


def test_the_lowest_score_over_all_backgrounds_counts() -> None:
    original, distorted = pair(50, 60, bands=4)
    backgrounds = (0.1, 0.9, 0.0)
    comparison = Comparison(50, 60, backgrounds=backgrounds)
    comparison.push(original[:21], distorted[:21])
    comparison.push(original[21:], distorted[21:])
    singly = {compare(original, distorted, background=grey) for grey in backgrounds}
    assert len(singly) == 3
    assert comparison.finish() == min(singly)
    comparison = Comparison(50, 60, backgrounds=(0.1, 0.9))
    comparison.push(original, distorted)
    assert comparison.finish() == ssimulacra2(original, distorted)


def test_bands_may_differ_between_the_images_and_between_strips() -> None:
    original, distorted = pair(40, 40, bands=1)
    comparison = Comparison(40, 40)
    comparison.push(original[:20].repeat(3, axis=2), distorted[:20])
    comparison.push(original[20:], distorted[20:].repeat(3, axis=2))
    assert comparison.finish() == compare(original, distorted)


def test_the_score_may_be_asked_again() -> None:
    original, distorted = pair(40, 40)
    comparison = Comparison(40, 40)
    comparison.push(original, distorted)
    assert comparison.finish() == comparison.finish() == compare(original, distorted)


def test_rows_beyond_the_height_are_refused_and_change_nothing() -> None:
    original, distorted = pair(40, 50)
    comparison = Comparison(40, 50)
    comparison.push(original[:30], distorted[:30])
    with pytest.raises(InvalidOptionError, match="21 rows are given, but only 20 of 50"):
        comparison.push(original[29:], distorted[29:])
    comparison.push(original[30:], distorted[30:])
    assert comparison.finish() == compare(original, distorted)
    with pytest.raises(InvalidOptionError, match="only 0 of 50"):
        comparison.push(original[:1], distorted[:1])


def test_a_score_before_the_last_row_is_refused() -> None:
    original, distorted = pair(40, 50)
    comparison = Comparison(40, 50)
    with pytest.raises(InvalidOptionError, match="50 of 50 rows are missing"):
        comparison.finish()
    comparison.push(original[:49], distorted[:49])
    with pytest.raises(InvalidOptionError, match="1 of 50 rows are missing"):
        comparison.finish()
    comparison.push(original[49:], distorted[49:])
    assert comparison.finish() == compare(original, distorted)


ROWS = np.zeros((2, 16, 3), np.uint8)


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        (np.zeros((2, 15, 3), np.uint8), "16 x 2 and 15 x 2"),
        (np.zeros((2, 17, 3), np.uint8), "16 x 2 and 17 x 2"),
        (np.zeros((3, 16, 3), np.uint8), "16 x .* and 16 x"),
        (np.zeros((0, 16, 3), np.uint8), "16 x 0"),
        (np.zeros((2, 16), np.uint8), "shape"),
        (np.zeros((2, 16, 5), np.uint8), "shape"),
        (np.zeros((2, 16, 3), np.uint16), "uint16"),
    ],
)
def test_what_are_no_such_rows_is_refused(rows: Any, complaint: str) -> None:
    comparison = Comparison(16, 16)
    for attempt in (partial(comparison.push, rows, ROWS), partial(comparison.push, ROWS, rows)):
        with pytest.raises(InvalidOptionError, match=complaint):
            attempt()
    comparison.push(np.zeros((16, 16, 3), np.uint8), np.zeros((16, 16, 3), np.uint8))
    assert comparison.finish() == 100.0


@pytest.mark.parametrize(
    ("width", "height", "complaint"),
    [
        (7, 8, "7 x 8"),
        (8, 7, "8 x 7"),
        (-1, 8, "-1 x 8"),
        (1 << 80, 8, "at most"),
        (8, 1 << 80, "at most"),
    ],
)
def test_sizes_out_of_range_are_refused(width: int, height: int, complaint: str) -> None:
    with pytest.raises(InvalidOptionError, match=complaint):
        Comparison(width, height)


@pytest.mark.parametrize("backgrounds", [(), (0.1, 1.5), (-1.0,)])
def test_backgrounds_out_of_range_are_refused(backgrounds: tuple[float, ...]) -> None:
    with pytest.raises(InvalidOptionError, match="background"):
        Comparison(16, 16, backgrounds=backgrounds)


# More than there are addresses, whatever the system promises.
def test_too_wide_for_the_memory_is_a_memory_error() -> None:
    with pytest.raises(MemoryError, match="1073741824 x 8"):
        Comparison(1 << 30, 8, backgrounds=[0.1] * 1000)


def test_threads_take_turns() -> None:
    original, distorted = pair(64, 4000)
    expected = compare(original, distorted)
    comparison = Comparison(64, 4000)
    with ThreadPoolExecutor(4) as threads:
        # All rows are alike, so that their order does not matter.
        row, other = original[:1].repeat(8, axis=0), distorted[:1].repeat(8, axis=0)
        list(threads.map(lambda _: comparison.push(row, other), range(500)))
    whole = [rows[:1].repeat(4000, axis=0) for rows in (original, distorted)]
    assert comparison.finish() == compare(*whole) != expected
