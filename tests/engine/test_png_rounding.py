"""Truecolour rounding: what palettes cannot show, at the quality asked for, and only once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from corpus.generators.pictures import photo, soft_edge, with_alpha
from corpus.generators.png_structure import RGB, RGBA, encode
from tests.viewer import view
from tinyjpg import optimize
from tinyjpg.codecs import png_palette, png_rounding
from tinyjpg.codecs.png_judge import Judge
from tinyjpg.codecs.png_rounding import coarsest, rounded
from tinyjpg.containers.png import parse
from tinyjpg.containers.png_chunks import ColourType
from tinyjpg.limits import Deadline
from tinyjpg.source import Request
from tinyjpg.verify import Verifier

Pixels = npt.NDArray[np.uint8]


@pytest.fixture
def _no_palettes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(png_palette, "smallest", lambda *_: None)


@pytest.mark.parametrize("step", [1.0, 1.5, 2.0, 5.3, 16.0, 40.0])
def test_levels_are_multiples_and_the_ends_stay(step: float) -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=2)
    found = rounded(levels, (step, 1.0, 1.0))
    assert np.array_equal(found[..., 1:], levels[..., 1:])
    red = found[..., 0].ravel().astype(int)
    assert (red[0], red[255]) == (0, 255)
    assert np.abs(red - np.arange(256)).max() <= step / 2 + 0.5
    assert len(set(red.tolist())) <= 255 / step + 2
    multiples = np.rint(np.arange(256) * step)
    assert set(red.tolist()) <= {*multiples.astype(int).tolist(), 255}


def test_alpha_is_not_rounded() -> None:
    pixels = with_alpha(photo(40, 30), soft_edge(40, 30))
    assert np.array_equal(rounded(pixels, (9.0, 6.0, 9.0))[..., 3], pixels[..., 3])


@pytest.mark.parametrize("quality", [80, 85, 90])
def test_the_step_just_reaches_the_quality(quality: int) -> None:
    # With grain, on which no contours show.
    grain = np.random.default_rng(1).integers(-9, 10, (150, 200, 3))
    pixels = np.clip(photo(200, 150) + grain, 0, 255).astype(np.uint8)
    request = Request(quality)
    found = coarsest(pixels, Judge(pixels, request), request)
    assert found is not None
    assert quality - 0.5 <= found.score <= quality + 1.5
    assert found.score == pytest.approx(Verifier(pixels).score(found.pixels))
    assert 1 <= request.tally.probes <= 7


def test_greys_stay_grey() -> None:
    """With steps of their own per channel a grey gets a tint."""
    pixels = photo(120, 90)
    pixels[:30] = pixels[:30, :, :1]
    request = Request(80)
    found = coarsest(pixels, Judge(pixels, request), request)
    assert found is not None
    assert np.ptp(found.pixels[:30].astype(int), axis=2).max() == 0


@pytest.mark.usefixtures("_no_palettes")
@pytest.mark.parametrize(
    ("kind", "pixels"),
    [
        pytest.param(RGB, photo(160, 120), id="RGB"),
        pytest.param(RGBA, with_alpha(photo(160, 120), soft_edge(160, 120)), id="RGBA"),
    ],
)
def test_the_result_is_smaller_as_promised_and_made_once(kind: int, pixels: Pixels) -> None:
    data = encode(pixels, kind)
    result = optimize(data, 80)
    assert result.method.startswith("rounded to every ")
    assert result.output_size < optimize(data, 100).output_size
    assert parse(result.data).colour_type not in (ColourType.PALETTE, ColourType.GREY)
    assert parse(result.data).quantised_at == 80
    shown = view(result.data).frames[0]
    found = Verifier(view(data).frames[0]).score(shown)
    assert found >= 79.5
    assert result.score == pytest.approx(found, abs=0.01)
    if kind == RGBA:
        assert np.array_equal(shown[..., 3], pixels[..., 3])
    for again in (80, 99):
        assert optimize(result.data, again).data == result.data
    assert optimize(result.data, 20).output_size < result.output_size


def test_photographs_that_256_colours_cannot_show_are_rounded() -> None:
    result = optimize(encode(photo(160, 120), RGB), 95)
    assert result.method.startswith("rounded to every ")
    assert result.score is not None
    assert 94.5 <= result.score < 100


@pytest.mark.usefixtures("_no_palettes")
def test_noise_that_must_be_nearly_exact_stays_lossless() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (120, 160, 3), np.uint8)
    data = encode(noise, RGB)
    result = optimize(data, 99)
    assert result.score == 100
    assert result.method in ("packed losslessly", "already optimal")


@pytest.mark.usefixtures("_no_palettes")
def test_where_nothing_lossy_wins_the_packing_is_as_thorough_as_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is done with little effort first, which often is not needed at all."""
    monkeypatch.setattr(png_rounding, "coarsest", lambda *_: None)
    data = encode(photo(160, 120), RGB)
    assert optimize(data, 80).data == optimize(data, 100).data


def test_a_passed_deadline_ends_it() -> None:
    pixels = photo(80, 60)
    request = Request(80, deadline=Deadline.after(1e-9))
    coarsest(pixels, Judge(pixels, request), request)
    assert request.tally.probes <= 1
