"""The native SSIMULACRA2 against a literal implementation and the reference program's scores."""

from __future__ import annotations

import csv
import math
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.engine import metric_oracle as oracle
from tests.shared import SHARED, needs_shared
from tinyjpg.errors import InvalidOptionError
from tinyjpg.metric import Reference, compare, ssimulacra2

Pixels = npt.NDArray[np.uint8]


def picture(seed: int, width: int, height: int, bands: int = 3) -> Pixels:
    """Smooth shapes and some texture, the same for the same arguments."""
    random = np.random.default_rng(seed)
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    result = np.empty((height, width, bands), np.uint8)
    for band in range(bands):
        across, down, phase = random.uniform(0.02, 0.4, 3)
        wave = np.sin(across * x + phase * 10) * np.cos(down * y) + np.sign(np.sin(x / 9 + y / 13))
        plane = 128 + 50 * wave + random.normal(0, 6, wave.shape)
        result[..., band] = np.clip(np.rint(plane), 0, 255)
    return result


def noisy(pixels: Pixels, seed: int, strength: float) -> Pixels:
    random = np.random.default_rng(seed)
    changed = pixels + random.normal(0, strength, pixels.shape)
    return np.clip(np.rint(changed), 0, 255).astype(np.uint8)


def blocky(pixels: Pixels, block: int) -> Pixels:
    coarse = pixels[::block, ::block].repeat(block, axis=0).repeat(block, axis=1)
    return np.ascontiguousarray(coarse[: pixels.shape[0], : pixels.shape[1]])


SIZES = [(8, 8), (9, 17), (8, 300), (300, 8), (15, 16), (31, 33), (137, 21), (257, 70), (259, 261)]


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("strength", [0.5, 3.0, 15.0])
def test_equals_the_literal_definition_for_noise(width: int, height: int, strength: float) -> None:
    original = picture(width, width, height)
    distorted = noisy(original, height, strength)
    expected = oracle.score(original, distorted)
    assert Reference(original).score(distorted) == pytest.approx(expected, abs=0.01)
    assert compare(original, distorted) == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_equals_the_literal_definition_for_lost_detail(width: int, height: int) -> None:
    original = picture(7, width, height)
    distorted = blocky(original, 3)
    expected = oracle.score(original, distorted)
    assert Reference(original).score(distorted) == pytest.approx(expected, abs=0.01)
    assert compare(original, distorted) == pytest.approx(expected, abs=0.01)


@settings(max_examples=25, deadline=None)
@given(
    width=st.integers(8, 140),
    height=st.integers(8, 140),
    seed=st.integers(0, 1 << 30),
    strength=st.floats(0.1, 40),
)
def test_equals_the_literal_definition_for_any_size(
    width: int, height: int, seed: int, strength: float
) -> None:
    original = picture(seed, width, height)
    distorted = noisy(original, seed + 1, strength)
    assert compare(original, distorted) == pytest.approx(
        oracle.score(original, distorted), abs=0.01
    )


def test_extreme_pixels_score_as_defined() -> None:
    # Large enough for all six scales; with fewer, pixels like these show the small weights that the
    # native module leaves out.
    black = np.zeros((130, 150, 3), np.uint8)
    checks = black.copy()
    checks[::2, 1::2] = checks[1::2, ::2] = 255
    for original, distorted in [(black, checks), (checks, black), (checks, 255 - checks)]:
        expected = oracle.score(original, distorted)
        assert math.isfinite(expected)
        assert compare(original, distorted) == pytest.approx(expected, rel=1e-4, abs=0.01)


@pytest.mark.parametrize("background", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_alpha_is_blended_in_code_values_without_rounding(background: float) -> None:
    original = picture(1, 60, 50, bands=4)
    distorted = noisy(original, 2, 4)
    expected = oracle.score(
        oracle.blended(original, background), oracle.blended(distorted, background)
    )
    prepared = Reference(original, background=background)
    assert prepared.score(distorted) == pytest.approx(expected, abs=0.01)
    assert compare(original, distorted, background=background) == pytest.approx(expected, abs=0.01)


def test_public_score_of_alpha_is_the_lower_over_two_greys() -> None:
    original = picture(3, 40, 40, bands=4)
    distorted = noisy(original, 4, 6)
    over_dark = compare(original, distorted, background=0.1)
    over_light = compare(original, distorted, background=0.9)
    assert over_dark != pytest.approx(over_light, abs=0.1)
    assert ssimulacra2(original, distorted) == min(over_dark, over_light)


@pytest.mark.parametrize("bands", [1, 2, 3, 4])
def test_identical_images_score_exactly_100(bands: int) -> None:
    original = picture(5, 131, 77, bands=bands)
    assert Reference(original, background=0.3).score(original.copy()) == 100.0
    assert ssimulacra2(original, original.copy()) == 100.0


def test_grey_equals_the_same_grey_as_rgb_and_with_opaque_alpha() -> None:
    grey = picture(6, 50, 41, bands=1)
    opaque = np.full_like(grey, 255)
    rgb = grey.repeat(3, axis=2)
    shown_alike = [grey, rgb, np.dstack([grey, opaque]), np.dstack([rgb, opaque])]
    prepared = Reference(grey, background=1.0)
    assert [prepared.score(pixels) for pixels in shown_alike] == [100.0] * 4
    distorted = noisy(rgb, 1, 5)
    scores = {compare(pixels, distorted) for pixels in shown_alike}
    assert len(scores) == 1
    assert scores.pop() < 95


def test_rows_with_gaps_are_read_as_they_look() -> None:
    wide = picture(8, 90, 40)
    distorted = noisy(wide, 9, 5)
    view, other = wide[::2, ::3], distorted[::2, ::3]
    expected = oracle.score(view, other)
    assert ssimulacra2(view, other) == pytest.approx(expected, abs=0.01)


def test_a_reference_may_be_used_by_many_threads_at_once() -> None:
    original = picture(10, 200, 150)
    prepared = Reference(original)
    distorted = [noisy(original, seed, 1 + seed) for seed in range(8)]
    expected = [prepared.score(pixels) for pixels in distorted]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(prepared.score, distorted * 4)) == expected * 4


SMALL = np.zeros((16, 16, 3), np.uint8)


@pytest.mark.parametrize(
    ("pixels", "complaint"),
    [
        (np.zeros((7, 16, 3), np.uint8), "16 x 7"),
        (np.zeros((16, 7, 3), np.uint8), "7 x 16"),
        (np.zeros((0, 0, 3), np.uint8), "0 x 0"),
        (np.zeros((16, 16), np.uint8), "shape"),
        (np.zeros((16, 16, 5), np.uint8), "shape"),
        (np.zeros((16, 16, 0), np.uint8), "shape"),
        (np.zeros((16, 16, 3), np.float32), "float32"),
        (np.zeros((16, 16, 3), np.int8), "int8"),
        (b"bytes", "bytes"),
    ],
)
def test_what_is_no_image_is_refused(pixels: Any, complaint: str) -> None:
    for attempt in (
        partial(Reference, pixels),
        partial(Reference(SMALL).score, pixels),
        partial(compare, pixels, SMALL),
        partial(ssimulacra2, SMALL, pixels),
    ):
        with pytest.raises(InvalidOptionError, match=complaint):
            attempt()


def test_different_sizes_are_refused() -> None:
    other = np.zeros((16, 17, 3), np.uint8)
    for attempt in (
        partial(Reference(SMALL).score, other),
        partial(compare, SMALL, other),
        partial(ssimulacra2, other, SMALL),
    ):
        with pytest.raises(InvalidOptionError, match="equal size"):
            attempt()


@pytest.mark.parametrize("background", [-0.1, 1.1, math.nan, math.inf])
def test_backgrounds_out_of_range_are_refused(background: float) -> None:
    with pytest.raises(InvalidOptionError, match="background"):
        Reference(SMALL, background=background)
    with pytest.raises(InvalidOptionError, match="background"):
        compare(SMALL, SMALL, background=background)


def test_a_missing_native_module_says_how_to_build_it() -> None:
    program = """
import sys
sys.modules["tinyjpg._native"] = None
from tinyjpg.errors import MissingToolError
try:
    import tinyjpg.metric
except MissingToolError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert "./run setup" in done.stdout


def test_too_little_memory_is_an_error_and_no_crash() -> None:
    pytest.importorskip("resource")
    program = """
import resource
import numpy as np
from tinyjpg.metric import Reference, compare
pixels = np.zeros((3000, 3000, 3), np.uint8)
with open("/proc/self/statm") as file:
    used = int(file.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 60_000_000,) * 2)
try:
    Reference(pixels)
except MemoryError as error:
    print(error)
print(compare(pixels, pixels))
"""
    if not sys.platform.startswith("linux"):
        pytest.skip("the address space can be limited and measured like this on Linux only")
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines() == [
        "there is not enough memory to score 3000 x 3000 pixels",
        "100.0",
    ]


def _golden() -> list[dict[str, str]]:
    if SHARED is None:
        return []
    with (SHARED / "ssimulacra2" / "scores.tsv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


@needs_shared
def test_golden_scores_of_the_reference_program() -> None:
    assert SHARED is not None
    pairs = SHARED / "ssimulacra2" / "pairs"
    rows = _golden()
    assert len(rows) > 80
    wrong = []
    for row in rows:
        original, distorted = (
            np.asarray(Image.open(pairs / row[side]).convert(row["mode"]))
            for side in ("reference", "distorted")
        )
        score = ssimulacra2(original, distorted)
        if abs(score - float(row["score"])) > 0.35:
            wrong.append((row, score))
    assert not wrong


@needs_shared
def test_the_oracle_has_the_published_weights() -> None:
    assert SHARED is not None
    with (SHARED / "ssimulacra2" / "weights.tsv").open(encoding="utf-8") as file:
        published = [float(row["weight"]) for row in csv.DictReader(file, delimiter="\t")]
    assert list(oracle.WEIGHTS) == published
