"""Drawings as JPEG: screenshots and logos, for which several ways to encode compete."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw

from tests.images import encode, photo
from tinyjpg import optimize
from tinyjpg.codecs import jpeg_sample
from tinyjpg.codecs.jpeg_picture import Picture
from tinyjpg.codecs.jpeg_sample import Sample
from tinyjpg.containers.jpeg import parse
from tinyjpg.metric import Pixels


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
    result = optimize(source, 70)
    assert result.score >= 69.5
    assert manner in result.method
    monkeypatch.setattr(jpeg_sample, "_DRAWN", 2)
    assert result.output_size < optimize(source, 70).output_size


def test_a_drawing_that_is_subsampled_may_still_need_full_chroma() -> None:
    source = encode(outlines(), "JPEG", quality=99, subsampling=2)
    result = optimize(source, 90)
    assert "4:4:4" in result.method
    assert result.score >= 89.5


def test_photographs_are_no_drawings() -> None:
    for pixels, is_drawn in ((photo(160, 120), False), (letters(), True)):
        data = encode(pixels, "JPEG", quality=98)
        assert Sample(Picture(data, parse(data)), 5).is_drawn is is_drawn
