"""Index smoothing against a literal version of its rule."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyjpg.backends.imagequant import Indexed
from tinyjpg.codecs.png_smoothing import smooth, without_unused

Bytes = npt.NDArray[np.uint8]

FLAT_TOLERANCE = 256


def times_alpha(colour: Bytes) -> tuple[list[int], int]:
    alpha = int(colour[3]) if len(colour) == 4 else 255
    return [(int(channel) * alpha + 127) // 255 for channel in colour[:3]], alpha


def difference(one: Bytes, other: Bytes) -> int:
    (these, alpha), (those, other_alpha) = times_alpha(one), times_alpha(other)
    covered = alpha - other_alpha
    return sum(
        max((this - that) ** 2, (this - that - covered) ** 2)
        for this, that in zip(these, those, strict=True)
    )


def literally(pixels: Bytes, indices: Bytes, colours: Bytes, tolerance: int) -> Bytes:
    """What the kernel does, pixel by pixel, as its description says."""
    made = indices.copy()
    for y, x in np.ndindex(*made.shape):
        places = [(y, x - 1)] * (x > 0) + [(y - 1, x)] * (y > 0)
        own = made[y, x]
        if any(made[place] == own for place in places):
            continue
        original = pixels[y, x]
        already = difference(original, colours[own])
        most = already + tolerance
        alike = [*places, (y, x + 1)] if x + 1 < made.shape[1] else places
        if already == 0 and any((pixels[place] == original).all() for place in alike):
            most = min(most, FLAT_TOLERANCE)
        alpha = original[3] if len(original) == 4 else 255
        for place in places:
            colour = colours[made[place]]
            if alpha in (0, 255) and colour[3] != alpha:
                continue
            if difference(original, colour) <= most:
                made[y, x] = made[place]
                break
    return made


@settings(deadline=None, max_examples=150)
@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    bands=st.sampled_from([3, 4]),
    tolerance=st.sampled_from([0, 3, 60, 255, 256, 900, 20_000, 2**31]),
    spread=st.sampled_from([2, 12, 60, 255]),
)
def test_it_does_what_the_literal_version_does(
    seed: int, size: tuple[int, int], bands: int, tolerance: int, spread: int
) -> None:
    random = np.random.default_rng(seed)
    count = int(random.integers(1, 7))
    pixels = random.integers(0, spread, (*size, bands), np.uint8, endpoint=True)
    colours = random.integers(0, spread, (count, 4), np.uint8, endpoint=True)
    # Some exactly a colour of the palette, opaque or transparent.
    colours[:, 3] = random.choice([0, 100, 255, 255], count)
    indices = random.integers(0, count, size, np.uint8)
    exact = random.random(size) < 0.4
    pixels[exact] = colours[indices[exact], :bands]
    made = smooth(pixels, Indexed(indices, colours), tolerance)
    expected = literally(pixels, indices, colours, tolerance)
    assert np.array_equal(made.colours[made.indices], colours[expected])
    if not np.array_equal(expected, indices):
        assert len(made.colours) == len(np.unique(expected))


def wave(alpha: bool) -> tuple[Bytes, Indexed]:
    """A shaded picture in colours 8 levels apart."""
    down, across = np.mgrid[0:40, 0:60]
    grey = (100 + 50 * np.sin(across / 9) * np.cos(down / 7)).astype(np.uint8)
    pixels = np.dstack([grey] * 3)
    if alpha:
        pixels = np.dstack([pixels, np.where(across < 20, 0, np.where(across > 40, 255, 128))])
    pixels = np.ascontiguousarray(pixels.astype(np.uint8))
    levels = np.arange(0, 256, 8)
    colours = np.array([(v, v, v, a) for a in (0, 128, 255) for v in levels][:96], np.uint8)
    part = pixels[..., 3] // 120 if alpha else np.full(grey.shape, 2)
    return pixels, Indexed((part * len(levels) + (grey + 4) // 8).astype(np.uint8), colours)


@pytest.mark.parametrize("alpha", [False, True])
def test_more_tolerance_leaves_fewer_changes_of_colour(alpha: bool) -> None:
    pixels, indexed = wave(alpha)
    changes = [
        int(np.count_nonzero(np.diff(smooth(pixels, indexed, tolerance).indices.astype(int))))
        for tolerance in (0, 200, 3000)
    ]
    assert changes[0] > changes[1] > changes[2]


@pytest.mark.parametrize("tolerance", [0, 200, 2**31])
def test_alpha_0_and_255_stay_exact(tolerance: int) -> None:
    pixels, indexed = wave(alpha=True)
    shown = smooth(pixels, indexed, tolerance).pixels
    exact = np.isin(pixels[..., 3], (0, 255))
    assert np.array_equal(shown[exact][:, 3], pixels[exact][:, 3])


def test_no_area_of_an_exact_colour_is_flooded() -> None:
    """A lighter shade beside the area must not spread over it, however large the tolerance."""
    pixels = np.full((20, 30, 3), 100, np.uint8)
    pixels[:, :10] = 130
    colours = np.array([(100, 100, 100, 255), (130, 130, 130, 255)], np.uint8)
    indexed = Indexed((pixels[..., 0] == 130).astype(np.uint8), colours)
    assert np.array_equal(smooth(pixels, indexed, 30_000).pixels, pixels)


def test_the_original_is_left_as_it_was() -> None:
    pixels, indexed = wave(alpha=False)
    before = indexed.indices.copy()
    smooth(pixels, indexed, 3000)
    assert np.array_equal(indexed.indices, before)


def test_unused_colours_are_left_out_in_order() -> None:
    colours = np.arange(20, dtype=np.uint8).reshape(5, 4)
    found = without_unused(Indexed(np.array([[3, 1], [3, 3]], np.uint8), colours))
    assert np.array_equal(found.colours, colours[[1, 3]])
    assert np.array_equal(found.indices, [[1, 0], [1, 1]])
