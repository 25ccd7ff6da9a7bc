"""Palette colours given up one by one: the one least missed first."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tinyjpg.backends.imagequant import Indexed
from tinyjpg.codecs.png_merging import merged

Bytes = npt.NDArray[np.uint8]


def image(*colours: tuple[tuple[int, int, int, int], int]) -> Indexed:
    """One row of the colours, each as often as asked."""
    indices = np.repeat(np.arange(len(colours), dtype=np.uint8), [count for _, count in colours])
    return Indexed(indices[np.newaxis], np.array([colour for colour, _ in colours], np.uint8))


def literally(indexed: Indexed) -> list[tuple[int, ...]] | None:
    """What each pixel shows after one colour was given up, by looking at every pair."""
    shown = [tuple(map(int, colour)) for colour in indexed.colours[indexed.indices].reshape(-1, 4)]
    best: tuple[float, tuple[int, ...], tuple[int, ...]] | None = None
    palette = [tuple(map(int, colour)) for colour in indexed.colours]
    for gone in palette:
        for other in palette:
            if gone == other or shown.count(gone) > shown.count(other):
                continue
            if gone[3] in (0, 255) and other[3] != gone[3]:
                continue
            error = 0.0
            for this, that in zip(gone[:3], other[:3], strict=True):
                black = (this * gone[3] - that * other[3]) / 255
                error += max(black**2, (black - gone[3] + other[3]) ** 2)
            cost = error * shown.count(gone)
            if best is None or cost < best[0]:
                best = cost, gone, other
    if best is None:
        return None
    return [best[2] if colour == best[1] else colour for colour in shown]


def test_it_does_what_the_literal_version_does() -> None:
    random = np.random.default_rng(3)
    for _ in range(60):
        count = int(random.integers(3, 9))
        colours = random.permutation(256)[: count * 4].reshape(count, 4)
        colours[:, 3] = random.choice([0, 90, 255], count)
        used = [
            ((int(red), int(green), int(blue), int(alpha)), int(times))
            for (red, green, blue, alpha), times in zip(
                colours, random.permutation(40)[:count] + 1, strict=True
            )
        ]
        indexed = image(*used)
        made = merged(indexed, 1)
        expected = literally(indexed)
        if made is None:
            assert expected is None
        else:
            found = made.colours[made.indices].reshape(-1, 4)
            assert [tuple(map(int, colour)) for colour in found] == expected
            assert len(made.colours) == count - 1


def test_many_at_once_are_the_same_as_one_after_another() -> None:
    indexed = image(*(((level, 9, 200 - level, 255), 1 + level) for level in range(0, 200, 17)))
    at_once, step = merged(indexed, 4), indexed
    for _ in range(4):
        step = merged(step, 1) or step
    assert at_once is not None
    assert np.array_equal(at_once.pixels, step.pixels)
    assert len(at_once.colours) == len(indexed.colours) - 4


def test_the_last_two_colours_stay() -> None:
    assert merged(image(((0, 0, 0, 255), 3), ((1, 1, 1, 255), 5)), 1) is None


def test_clear_and_opaque_stay_what_they_are() -> None:
    """The last of each may not go, however alike it is to a translucent colour."""
    indexed = image(((0, 0, 0, 0), 1), ((0, 0, 0, 1), 9), ((9, 9, 9, 255), 1), ((9, 9, 9, 254), 9))
    made = merged(indexed, 1)
    assert made is not None
    assert {0, 255} < {int(alpha) for alpha in made.colours[:, 3]}
