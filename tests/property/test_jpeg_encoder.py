"""The JPEG encoder over any size, content and setting: sound files, however they are made."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.engine import jpeg_oracle as oracle
from tests.images import Pixels
from tests.property.pictures import pixels
from tinyjpg.backends.jpeg import SCALES, Coefficients, Subsampling
from tinyjpg.native import available_instruction_sets, force_instruction_set
from tinyjpg.options import EFFORTS

SUBSAMPLINGS = st.sampled_from(Subsampling)
# Those that people use, and all others.
ANY_SCALE = st.one_of(st.integers(64, 8000), st.integers(SCALES[0], SCALES[-1]))
ANY_EFFORT = st.integers(EFFORTS[0], EFFORTS[-1])


@pytest.fixture(autouse=True)
def _unforced() -> Iterator[None]:
    yield
    force_instruction_set(None)


def rows(picture: Pixels, subsampling: Subsampling) -> Pixels:
    bands = 1 if subsampling is Subsampling.GREY else 3
    return np.ascontiguousarray(picture[..., :bands])


def planned(picture: Pixels, subsampling: Subsampling, scale: int, effort: int) -> Coefficients:
    made = Coefficients(picture.shape[1], picture.shape[0], subsampling)
    made.push(rows(picture, subsampling))
    made.plan(scale, effort=effort)
    return made


@settings(max_examples=80, deadline=None)
@given(pixels(largest=120), SUBSAMPLINGS, ANY_SCALE, ANY_EFFORT, st.booleans())
def test_pillow_shows_what_is_promised(
    picture: Pixels, subsampling: Subsampling, scale: int, effort: int, progressive: bool
) -> None:
    made = planned(picture, subsampling, scale, effort)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        shown = np.asarray(Image.open(io.BytesIO(made.write(progressive=progressive))))
    assert np.array_equal(shown.reshape(made.show().shape), made.show())


@settings(max_examples=25, deadline=None)
@given(pixels(largest=24), SUBSAMPLINGS, ANY_SCALE, ANY_EFFORT)
def test_a_literal_decoder_finds_the_same_levels_in_both_kinds_of_file(
    picture: Pixels, subsampling: Subsampling, scale: int, effort: int
) -> None:
    made = planned(picture, subsampling, scale, effort)
    scans, scan = (oracle.decode(made.write(progressive=one)) for one in (True, False))
    for one, other in zip(scans.components, scan.components, strict=True):
        assert np.array_equal(one.levels, other.levels)
    assert np.array_equal(oracle.shown(scans), made.show())


@settings(max_examples=40, deadline=None)
@given(pixels(largest=90), SUBSAMPLINGS, ANY_SCALE, ANY_EFFORT)
def test_every_instruction_set_makes_the_same(
    picture: Pixels, subsampling: Subsampling, scale: int, effort: int
) -> None:
    files, shown = set(), set()
    for name in available_instruction_sets():
        force_instruction_set(name)
        made = planned(picture, subsampling, scale, effort)
        files.add(made.write())
        shown.add(made.show().tobytes())
    assert len(files) == len(shown) == 1


@settings(max_examples=40, deadline=None)
@given(pixels(largest=70), SUBSAMPLINGS, ANY_SCALE, ANY_EFFORT, st.data())
def test_any_strips_make_the_same_file(
    picture: Pixels,
    subsampling: Subsampling,
    scale: int,
    effort: int,
    data: st.DataObject,
) -> None:
    whole = planned(picture, subsampling, scale, effort)
    progressive = data.draw(st.booleans())
    stream = whole.stream(whole.width, whole.height, progressive=progressive)
    top = 0
    while top < whole.height:
        strip = data.draw(st.integers(1, whole.height - top))
        stream.push(rows(picture[top : top + strip], subsampling))
        top += strip
    assert stream.finish() == whole.write(progressive=progressive)


@settings(max_examples=30, deadline=None)
@given(
    pixels(largest=60),
    st.sampled_from([Subsampling.GREY, Subsampling.CHROMA_444]),
    st.integers(1, 64),
    ANY_EFFORT,
)
def test_at_the_finest_scales_little_is_lost(
    picture: Pixels, subsampling: Subsampling, scale: int, effort: int
) -> None:
    """Levels are the nearest there, so that each coefficient is half a step off at most."""
    made = planned(picture, subsampling, scale, effort)
    steps = max(float((one.steps**2).mean()) for one in oracle.decode(made.write()).components)
    wanted = rows(picture, subsampling).astype(np.float64)
    # Noise of quantisation (a twelfth of the square of a step), thrice for what the colour
    # transform makes of it, and one code value of rounding here and there.
    assert ((made.show() - wanted) ** 2).mean() <= 3 * steps / 12 + 1
