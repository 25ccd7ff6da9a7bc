"""The instruction sets: which there are, that each can be forced, and that all score alike."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest

from tests.engine import metric_oracle as oracle
from tinyjpg.errors import InvalidOptionError
from tinyjpg.metric import Comparison, Reference, compare
from tinyjpg.native import available_instruction_sets, force_instruction_set, instruction_set

Pixels = npt.NDArray[np.uint8]


@pytest.fixture(autouse=True)
def _unforced() -> Iterator[None]:
    yield
    force_instruction_set(None)


def pair(width: int, height: int, bands: int, other_bands: int) -> tuple[Pixels, Pixels]:
    """Waves with some texture, and the same with noise in one half."""
    random = np.random.default_rng(width * height)
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    plane = 120 + 60 * np.sin(x / 5 + y / 17) + random.normal(0, 9, x.shape)
    original = np.clip(plane[..., None] + [0, 20, -30, 90], 0, 255).astype(np.uint8)
    noise = np.where(x[..., None] < width // 2, random.normal(0, 7, original.shape), 0)
    distorted = np.clip(original + noise, 0, 255).astype(np.uint8)
    return original[..., -bands:], distorted[..., -other_bands:]


def test_the_best_one_is_used_unless_another_is_forced() -> None:
    available = available_instruction_sets()
    assert available[0] == "portable"
    usual = instruction_set()
    for name in available:
        force_instruction_set(name)
        assert instruction_set() == name
    force_instruction_set(None)
    assert instruction_set() == usual


@pytest.mark.skipif("TINYJPG_INSTRUCTION_SET" in os.environ, reason="one is wished for")
def test_the_last_one_is_the_usual_one() -> None:
    assert instruction_set() == available_instruction_sets()[-1]


def test_one_that_is_not_there_is_refused_and_changes_nothing() -> None:
    force_instruction_set("portable")
    with pytest.raises(InvalidOptionError, match="portable"):
        force_instruction_set("sse9")
    assert instruction_set() == "portable"


@pytest.mark.parametrize("wish", [*available_instruction_sets(), "sse9", ""])
def test_the_environment_chooses_among_what_there_is(wish: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from tinyjpg.native import *; print(instruction_set())"],
        env={**os.environ, "TINYJPG_INSTRUCTION_SET": wish},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    expected = wish if wish in available_instruction_sets() else available_instruction_sets()[-1]
    assert done.stdout.strip() == expected


# Around the width of vectors and tiles, and with few scales.
@pytest.mark.parametrize(
    ("width", "height"), [(8, 8), (15, 40), (17, 9), (64, 65), (255, 120), (257, 130), (530, 33)]
)
@pytest.mark.parametrize("bands", [(3, 3), (4, 3), (1, 4), (2, 2)])
def test_all_score_alike(width: int, height: int, bands: tuple[int, int]) -> None:
    original, distorted = pair(width, height, *bands)
    shown = [oracle.shown(pixels, 0.3) for pixels in (original, distorted)]
    expected = oracle.score(*shown)
    scores = []
    for name in available_instruction_sets():
        force_instruction_set(name)
        reference = Reference(original, background=0.3)
        assert reference.score(original) == 100.0
        scores += [reference.score(distorted), compare(original, distorted, background=0.3)]
    assert scores == pytest.approx([expected] * len(scores), abs=0.01)
    assert max(scores) - min(scores) < 1e-3


def test_what_was_begun_with_one_is_finished_with_it() -> None:
    """Identical images would not score exactly 100 if half of it were rounded differently."""
    original, _ = pair(300, 200, 3, 3)
    for name in available_instruction_sets():
        force_instruction_set(name)
        reference = Reference(original)
        comparison = Comparison(300, 200)
        comparison.push(original[:50], original[:50])
        for other in available_instruction_sets():
            force_instruction_set(other)
            assert reference.score(original) == 100.0
        comparison.push(original[50:], original[50:])
        assert comparison.finish() == 100.0
