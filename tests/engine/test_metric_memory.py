"""What the metric needs of memory."""

from __future__ import annotations

import subprocess
import sys

import pytest

_PROLOGUE = """
import numpy as np
from tinyjpg.metric import REFERENCE_BYTES_PER_PIXEL, Comparison, Reference, compare

def high_water():
    # Not ru_maxrss, which begins with that of the process that started this one.
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024

compare(np.zeros((8, 512, 3), np.uint8), np.zeros((8, 512, 3), np.uint8))
"""

_TALL_PAIR = """
pixels = np.zeros((16000, 512, 3), np.uint8)
pixels += 1
before = high_water()
compare(pixels, pixels)
print(high_water() - before)
"""

_REFERENCE = """
pixels = np.zeros((3000, 4000, 3), np.uint8)
pixels += 1
before = high_water()
reference = Reference(pixels)
print((high_water() - before) * 1024 * 1024 / (3000 * 4000) / REFERENCE_BYTES_PER_PIXEL)
"""

_HUNDRED_MEGAPIXELS = """
before = high_water()
comparison = Comparison(12500, 8000)
original = np.full((16, 12500, 3), 99, np.uint8)
distorted = np.full((16, 12500, 3), 100, np.uint8)
for _ in range(500):
    comparison.push(original, distorted)
assert comparison.finish() < 100
print(high_water() - before)
"""

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="/proc/self/status is there on Linux only"
)


def _measured(program: str) -> float:
    done = subprocess.run(
        [sys.executable, "-c", _PROLOGUE + program],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return float(done.stdout)


def test_a_tall_pair_needs_little_memory() -> None:
    # MiB; one of its planes in single precision alone would be 32.
    assert _measured(_TALL_PAIR) < 4


def test_a_reference_needs_no_more_than_it_says() -> None:
    # High-water marks are rounded to pages and include the stream that fills it.
    assert 0.5 < _measured(_REFERENCE) < 1.05


def test_a_pair_of_100_megapixels_that_comes_in_strips_needs_little_memory() -> None:
    # MiB, the strips themselves included.
    assert _measured(_HUNDRED_MEGAPIXELS) < 12
