"""The pair score streams: its memory grows with the width, not with the height."""

from __future__ import annotations

import subprocess
import sys

import pytest

_PROGRAM = """
import resource
import numpy as np
from tinyjpg.metric import compare
compare(np.zeros((8, 512, 3), np.uint8), np.zeros((8, 512, 3), np.uint8))
pixels = np.zeros((16000, 512, 3), np.uint8)
pixels += 1
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
compare(pixels, pixels)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="ru_maxrss is in KiB on Linux only"
)
def test_a_tall_pair_needs_little_memory() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True, timeout=60
    )
    # One of its planes in single precision alone would be 32 MiB.
    assert int(done.stdout) < 4 * 1024
