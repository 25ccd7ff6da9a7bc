"""What the quantisation tables of a JPEG tell: the rows kept in the engine are mozjpeg's own."""

from __future__ import annotations

import numpy as np

from benchmarks.mozjpeg import SETTINGS, Manner, encode
from tests import images
from tinyjpg.backends import vips
from tinyjpg.codecs.jpeg_scales import Chroma
from tinyjpg.codecs.jpeg_settled import is_coarser, is_packed
from tinyjpg.containers.jpeg import parse

BLACK = vips.from_pixels(np.zeros((8, 8, 1), np.uint8))


def test_files_of_mozjpeg_are_known_by_their_tables_at_any_setting() -> None:
    for table in (2, 3, 5):
        for setting in SETTINGS:
            made = encode(BLACK, Manner(Chroma.NONE, table), setting, scans=False)
            assert is_packed(parse(made))
    for setting in (25, 50, 75, 90):
        by_libjpeg = images.encode(
            images.photo(160, 120), "JPEG", quality=setting, progressive=True
        )
        assert not is_packed(parse(by_libjpeg))


def test_a_finer_table_is_not_coarser() -> None:
    made = encode(BLACK, Manner(Chroma.NONE), 70, scans=False)
    assert [is_coarser(parse(made), setting) for setting in (60, 70, 71, 90)] == [
        False,
        True,
        True,
        True,
    ]
