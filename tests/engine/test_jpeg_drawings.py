"""Drawings as JPEG: screenshots and logos, for which several ways to encode compete."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw

from tests.images import encode, photo, shown
from tinyjpg import colour_loss, optimize
from tinyjpg.calibration import Curve
from tinyjpg.codecs import jpeg_picture, jpeg_sample
from tinyjpg.codecs.jpeg_picture import Picture
from tinyjpg.codecs.jpeg_sample import Sample
from tinyjpg.colour_loss import keeps_colours, most_lost
from tinyjpg.containers.jpeg import parse
from tinyjpg.metric import Pixels, ssimulacra2


def letters(width: int = 480, height: int = 320) -> Pixels:
    """Light ones on a dark ground."""
    image = Image.new("RGB", (width, height), (24, 24, 28))
    draw = ImageDraw.Draw(image)
    for top in range(10, height - 16, 24):
        draw.text((12, top), "Settings  Profiles  Actions  Rendering " * 2, fill=(200, 200, 210))
    return np.asarray(image)


def outlines(width: int = 480, height: int = 320) -> Pixels:
    """Boxes with coloured edges, one or two pixels wide."""
    image = Image.new("RGB", (width, height), (30, 32, 40))
    draw = ImageDraw.Draw(image)
    random = np.random.default_rng(3)
    for _ in range(width * height // 4000):
        left, top = random.integers(0, (width - 60, height - 40)).tolist()
        across, down = random.integers((20, 10), (60, 40)).tolist()
        red, green, blue = random.integers(40, 255, 3).tolist()
        box = (left, top, left + across, top + down)
        draw.rounded_rectangle(box, 6, outline=(red, green, blue), width=1 + (width > 1000))
    return np.asarray(image)


@pytest.mark.parametrize("size", [(480, 320), (1600, 1000)], ids=str)
@pytest.mark.parametrize(
    ("draw", "manner"),
    [
        pytest.param(letters, "tables for drawings", id="letters"),
        pytest.param(outlines, "4:4:4", id="outlines"),
    ],
)
def test_a_drawing_gets_what_takes_the_fewest_bytes(
    draw: Callable[[int, int], Pixels],
    manner: str,
    size: tuple[int, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = encode(draw(*size), "JPEG", quality=98, subsampling=0)
    result = optimize(source, 88)
    assert result.score >= 87.5
    assert manner in result.method
    monkeypatch.setattr(jpeg_sample, "_DRAWN", 2)
    assert result.output_size < optimize(source, 88).output_size


def test_a_drawing_that_is_subsampled_may_still_need_full_chroma() -> None:
    source = encode(outlines(), "JPEG", quality=99, subsampling=2)
    result = optimize(source, 90)
    assert "4:4:4" in result.method
    assert result.score >= 89.5


LINK = (51, 102, 204)


def links(width: int = 640, height: int = 400) -> Pixels:
    """Lines of text, some of it blue."""
    image = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(image)
    for row, top in enumerate(range(10, height - 16, 16)):
        for column, left in enumerate(range(12, width - 60, 90)):
            is_link = (row * 3 + column) % 5 == 0
            draw.text((left, top), "lorem ipsum", fill=LINK if is_link else (32, 33, 34))
    return np.asarray(image)


def photo_with_links() -> Pixels:
    pixels = photo(900, 600)
    pixels[200:400, 300:700] = links(400, 200)
    return pixels


@pytest.mark.parametrize("quality", [70, 80])
@pytest.mark.parametrize(
    "pixels",
    [
        pytest.param(links(), id="drawing"),
        pytest.param(links(1600, 1000), id="large drawing"),
        pytest.param(photo_with_links(), id="photograph"),
    ],
)
def test_links_stay_blue(pixels: Pixels, quality: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though the score would let them turn grey, at next to no cost."""
    source = encode(pixels, "JPEG", quality=98, subsampling=0)
    original = np.asarray(shown(source))
    result = optimize(source, quality)
    assert result.score >= quality - 0.5
    assert "colours as shown" in result.method
    assert most_lost(original, np.asarray(shown(result.data))) < 5
    for module in (jpeg_sample, jpeg_picture):
        monkeypatch.setattr(module, "keeps_colours", lambda *_: True)
    careless = optimize(source, quality)
    assert not keeps_colours(original, np.asarray(shown(careless.data)), quality)
    assert result.output_size < 1.05 * careless.output_size


def test_colours_that_only_full_chroma_keeps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(colour_loss, "_MOST_LOST", Curve(((1, 1.0), (99, 1.0))))
    result = optimize(encode(links(), "JPEG", quality=98, subsampling=0), 80)
    assert "4:4:4" in result.method


def test_colours_that_nothing_keeps_are_only_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jpeg_sample, "keeps_colours", lambda *_: False)
    result = optimize(encode(links(), "JPEG", quality=98, subsampling=0), 80)
    assert result.method == "repacked losslessly"


def test_drawings_are_searched_whole_where_photographs_are_in_part() -> None:
    for pixels, is_part in ((photo(1600, 1000), True), (links(1600, 1000), False)):
        data = encode(pixels, "JPEG", quality=98)
        assert Sample(Picture(data, parse(data)), 5).is_part is is_part


def test_a_drawing_too_large_for_that_is_searched_in_part_and_verified_whole() -> None:
    source = encode(links(2200, 1900), "JPEG", quality=98, subsampling=0)
    assert Sample(Picture(source, parse(source)), 5).is_part
    result = optimize(source, 80)
    original, other = np.asarray(shown(source)), np.asarray(shown(result.data))
    assert result.score == pytest.approx(ssimulacra2(original, other), abs=0.01)
    assert result.score >= 79.5
    assert keeps_colours(original, other, 80)


def test_photographs_are_no_drawings() -> None:
    for pixels, is_drawn in ((photo(160, 120), False), (letters(), True)):
        data = encode(pixels, "JPEG", quality=98)
        assert Sample(Picture(data, parse(data)), 5).is_drawn is is_drawn
