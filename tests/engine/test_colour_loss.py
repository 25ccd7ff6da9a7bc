"""What small coloured things lose of their colour."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tests.images import encode, photo
from tests.images import shown as decoded
from tinyjpg.colour_loss import PATCH, keeps_colours, most_lost, sums_of_patches

Pixels = npt.NDArray[np.uint8]

LINK = (51, 102, 204)


def literal(original: Pixels, other: Pixels) -> float:
    """The definition, patch by patch."""
    losses = []
    for top in range(0, original.shape[0], 8):
        for left in range(0, original.shape[1], 8):
            colours = []
            for image in (original, other):
                patch = image[top : top + 8, left : left + 8].astype(np.float64)
                mean = patch.sum(axis=(0, 1)) / 64
                luma = 0.299 * mean[0] + 0.587 * mean[1] + 0.114 * mean[2]
                colours.append(mean - luma)
            strength = max(np.sqrt(colours[0] @ colours[0]), 24.0)
            lost = max((colours[0] - colours[1]) @ colours[0] / strength, 0.0)
            losses.append(lost**2 / strength)
    return float(max(losses))


def strokes(colour: tuple[int, int, int], width: int = 64, height: int = 40) -> Pixels:
    """Upright lines on white, one pixel wide, five apart."""
    pixels = np.full((height, width, 3), 255, np.uint8)
    pixels[4:-4, 3::5] = colour
    return pixels


sizes = st.tuples(st.integers(1, 20), st.integers(1, 20), st.just(3))


@given(st.data())
def test_it_is_what_the_definition_says(data: st.DataObject) -> None:
    shape = data.draw(sizes)
    one, other = (data.draw(arrays.arrays(np.uint8, shape)) for _ in range(2))
    assert most_lost(one, other) == pytest.approx(literal(one, other), rel=1e-3, abs=1e-3)
    wide = most_lost(one.astype(np.int16), other.astype(np.int16))
    assert wide == most_lost(one, other)


@given(arrays.arrays(np.uint8, sizes))
def test_sums_are_those_of_each_patch(pixels: Pixels) -> None:
    sums = sums_of_patches(pixels)
    height, width, _ = pixels.shape
    assert sums.shape == (-(-height // PATCH), -(-width // PATCH), 3)
    for down, row in enumerate(sums):
        for across, expected in enumerate(row):
            patch = pixels[8 * down : 8 * down + 8, 8 * across : 8 * across + 8]
            assert np.array_equal(patch.sum(axis=(0, 1)), expected)


def test_the_largest_sums_fit() -> None:
    assert (sums_of_patches(np.full((8, 8, 3), 255, np.uint8)) == 64 * 255).all()


def test_links_that_turn_grey_are_a_loss() -> None:
    links, grey = strokes(LINK), strokes((98, 98, 98))
    assert not keeps_colours(links, grey, 60)
    half = strokes((75, 100, 151))
    assert not keeps_colours(links, half, 90)
    assert keeps_colours(links, half, 60)
    assert keeps_colours(links, strokes((60, 102, 190)), 90)


def test_grey_that_turns_coloured_is_none() -> None:
    """The score sees that; here only what is gone counts."""
    assert most_lost(strokes((98, 98, 98)), strokes(LINK)) == 0
    assert most_lost(strokes(LINK), strokes((20, 60, 255))) == 0


def test_fringes_of_letters_are_none() -> None:
    """Red and blue beside each other, as displays with stripes want letters, is grey to the eye."""
    fringed = strokes((60, 40, 30))
    fringed[4:-4, 4::5] = (40, 45, 70)
    grey = strokes((44, 44, 44))
    grey[4:-4, 4::5] = (46, 46, 46)
    assert keeps_colours(fringed, grey, 90)


@pytest.mark.parametrize("quality", [60, 75, 90])
def test_a_photograph_saved_at_that_quality_loses_nothing(quality: int) -> None:
    pixels = photo(320, 240)
    other = np.asarray(decoded(encode(pixels, "JPEG", quality=quality)))
    assert keeps_colours(pixels, other, quality)
