"""The gradient pass of the native JPEG encoder: fewer bytes at the same score."""

from __future__ import annotations

import numpy as np
import pytest

from tests.engine.encoded import EVERY_SUBSAMPLING, check, planned, prepared, size_at, textured
from tests.images import photo
from tinyjpg.backends.jpeg import Subsampling
from tinyjpg.errors import InvalidOptionError
from tinyjpg.metric import ssimulacra2


@pytest.mark.parametrize("score", [70, 80])
def test_it_takes_fewer_bytes_at_the_same_score(score: float) -> None:
    pixels = textured()
    assert size_at(pixels, score, effort=9) < 0.98 * size_at(pixels, score, effort=5)


def test_refining_is_undone_by_the_next_plan_and_done_once() -> None:
    pixels = textured(96, 80)
    plain = planned(pixels, Subsampling.CHROMA_420, 1000)
    refined = planned(pixels, Subsampling.CHROMA_420, 1000, effort=9)
    once = refined.write()
    assert once != plain.write()
    refined.refine(pixels)
    assert refined.write() == once
    refined.plan(1000)
    assert refined.write() == plain.write()


def test_a_tall_picture_is_refined_piece_by_piece() -> None:
    """More than two windows: in each, and where they meet, it looks better than before."""
    pixels = np.tile(textured(64, 400), (90, 1, 1))
    plain, refined = (planned(pixels, Subsampling.CHROMA_420, 1100, effort=one) for one in (5, 9))
    before, after = plain.show(), refined.show()
    for top in range(0, len(pixels), 4000):
        part = slice(top, top + 4000)
        assert ssimulacra2(pixels[part], after[part]) > ssimulacra2(pixels[part], before[part])
    assert len(refined.write()) < 1.03 * len(plain.write())


@EVERY_SUBSAMPLING
@pytest.mark.parametrize("size", [(1, 1), (7, 40), (8, 8), (9, 11), (33, 17), (50, 9)], ids=str)
def test_a_refined_picture_of_any_size_decodes_to_the_promised_pixels(
    size: tuple[int, int], subsampling: Subsampling
) -> None:
    check(planned(photo(*size), subsampling, 900, effort=9))


def test_a_picture_too_small_for_the_metric_and_the_finest_scales_stay_as_they_are() -> None:
    small, fine = photo(7, 40), photo(40, 40)
    for pixels, scale in ((small, 900), (fine, 64)):
        made = [planned(pixels, Subsampling.CHROMA_420, scale, effort=one) for one in (5, 9)]
        assert made[0].write() == made[1].write()


def test_only_what_was_pushed_can_be_refined() -> None:
    made = planned(photo(40, 30), Subsampling.CHROMA_420)
    with pytest.raises(InvalidOptionError, match="40 x 30 and 30 x 40"):
        made.refine(photo(30, 40))
    with pytest.raises(InvalidOptionError, match="give the 3 that were pushed"):
        made.refine(np.ascontiguousarray(photo(40, 30)[..., :1]))
    with pytest.raises(InvalidOptionError, match="call plan first"):
        prepared(photo(40, 30), Subsampling.CHROMA_420).refine(photo(40, 30))
