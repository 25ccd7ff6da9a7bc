"""The gradient of the metric: what moving one code value does to the literal sum of errors."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest

from tests.engine import metric_oracle as oracle
from tests.images import photo
from tinyjpg.errors import InvalidOptionError
from tinyjpg.metric import gradient
from tinyjpg.native import available_instruction_sets, force_instruction_set

Pixels = npt.NDArray[np.uint8]

STEP = 0.25


@pytest.fixture(autouse=True)
def _unforced() -> Iterator[None]:
    yield
    force_instruction_set(None)


def pair(width: int, height: int, bands: int = 3) -> tuple[Pixels, Pixels]:
    """A picture, and what is left of it after coarse rounding and a blur across."""
    original = photo(width, height)[..., :bands]
    blurred = (original[:, :-1].astype(int) + original[:, 1:]) // 2
    distorted = original.copy()
    distorted[:, 1:] = np.clip(blurred // 24 * 24 + 8, 1, 254)
    return np.ascontiguousarray(original), distorted


def numeric(original: Pixels, distorted: Pixels, at: tuple[int, int], band: int) -> float:
    """By moving one code value up and down in the literal metric."""

    def moved(by: float) -> float:
        other = distorted.astype(np.float64)
        other[(*at, band) if original.shape[2] == 3 else at] += by
        both = (image.repeat(4 - image.shape[2], axis=2)[..., :3] for image in (original, other))
        return oracle.weighted_sum(*both)

    return (moved(STEP) - moved(-STEP)) / (2 * STEP)


@pytest.mark.parametrize(("width", "height"), [(128, 96), (97, 65), (40, 131)])
@pytest.mark.parametrize("bands", [1, 3])
def test_it_is_the_numeric_derivative_of_the_literal_metric(
    width: int, height: int, bands: int
) -> None:
    original, distorted = pair(width, height, bands)
    found = gradient(original, distorted)
    assert found.shape == (bands, height, width)
    random = np.random.default_rng(1)
    places = [(0, 0), (height - 1, width - 1), (height - 1, 3), (2, width - 1)]
    places += [(int(random.integers(height)), int(random.integers(width))) for _ in range(20)]
    expected = np.array(
        [[numeric(original, distorted, at, band) for at in places] for band in range(bands)]
    )
    mine = np.array([[found[(band, *at)] for at in places] for band in range(bands)])
    # Small weights are left out, and errors near zero have a kink.
    assert np.abs(mine - expected).max() < 0.02 * np.abs(expected).max()
    assert np.corrcoef(mine.ravel(), expected.ravel())[0, 1] > 0.9995


def test_a_step_against_it_looks_better() -> None:
    original, distorted = pair(160, 128)
    found = np.moveaxis(gradient(original, distorted), 0, -1)
    step = 6 * found / np.abs(found).max()
    before = oracle.weighted_sum(original, distorted)
    assert oracle.weighted_sum(original, distorted - step) < before
    assert oracle.weighted_sum(original, distorted + step) > before


def test_every_instruction_set_finds_the_same_bits() -> None:
    original, distorted = pair(150, 77)
    force_instruction_set("portable")
    expected = gradient(original, distorted)
    for name in available_instruction_sets():
        force_instruction_set(name)
        assert np.array_equal(gradient(original, distorted), expected)


def test_identical_pictures_have_none() -> None:
    original, _ = pair(64, 64)
    assert np.abs(gradient(original, original)).max() < 1e-3


def test_other_shapes_are_refused() -> None:
    original, distorted = pair(64, 64)
    with pytest.raises(InvalidOptionError, match="64 x 64 and 64 x 32"):
        gradient(original, distorted[:32])
    with pytest.raises(InvalidOptionError, match="3 and 1 bands"):
        gradient(original, np.ascontiguousarray(distorted[..., :1]))
