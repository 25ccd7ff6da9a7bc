"""The promises that hold for every result, as one assertion."""

from __future__ import annotations

import numpy as np

from tests.viewer import Shown, View, glance
from tinyjpg import Result, optimize, probe

# Averages over a 36th of the picture move by no more than this, in code values, at the qualities
# people use; a turned or half-grey picture moves them by dozens. Below them anything may, and the
# averages of a tiny picture are single pixels.
_THUMBNAIL_TOLERANCE = 12.0
_JUDGED_FROM = 50
_SMALLEST_JUDGED = 64


def check(source: bytes, result: Result, quality: int) -> tuple[View[Shown], View[Shown]]:
    """Assert the promises, and return what a viewer shows before and after."""
    assert result.output_size <= result.input_size == len(source)
    assert (result.data == source) or result.output_size < len(source)
    header = probe(result.data)
    assert header.format is result.format is probe(source).format
    before, after = glance(source), glance(result.data)
    assert (result.width, result.height) == before.size == after.size == header.upright_size
    assert result.frames == header.frames == max(1, len(after.delays))
    assert after.delays == before.delays
    assert (after.loops, len(after.frames)) == (before.loops, len(before.frames))
    assert quality - 0.5 <= result.score <= 100
    for old, new in zip(before.frames, after.frames, strict=True):
        if quality == 100:
            assert old.digest == new.digest
        elif quality >= _JUDGED_FROM and min(before.size) >= _SMALLEST_JUDGED:
            moved = np.abs(old.thumbnail - new.thumbnail).mean()
            assert moved <= _THUMBNAIL_TOLERANCE
    again = optimize(result.data, quality)
    assert again.data == result.data, f"{result.method}, then {again.method}"
    return before, after
