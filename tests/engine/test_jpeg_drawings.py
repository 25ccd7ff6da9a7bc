"""Drawings as JPEG: screenshots and logos, for which several ways to encode compete."""

from __future__ import annotations

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


def drawing(width: int = 480, height: int = 320) -> Pixels:
    """Coloured letters and boxes on plain grounds."""
    image = Image.new("RGB", (width, height), (246, 247, 250))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, width, 40), fill=(24, 92, 200))
    colours = [(20, 20, 20), (190, 30, 40), (20, 120, 60), (110, 40, 160)]
    for row, top in enumerate(range(56, height - 16, 20)):
        text = f"{row:02} The quick brown fox jumps over the lazy dog " * (width // 280)
        draw.text((12 + row % 3 * 7, top), text, fill=colours[row % 4])
    return np.asarray(image)


@pytest.mark.parametrize("size", [(480, 320), (1600, 1000)], ids=str)
def test_a_drawing_gets_what_takes_the_fewest_bytes(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = encode(drawing(*size), "JPEG", quality=98, subsampling=0)
    for quality in (70, 85):
        monkeypatch.undo()
        result = optimize(source, quality)
        assert result.score >= quality - 0.5
        monkeypatch.setattr(jpeg_sample, "_DRAWN", 2)
        assert result.output_size <= optimize(source, quality).output_size


def test_a_drawing_that_is_subsampled_may_still_need_full_chroma() -> None:
    """Nothing subsampled again reaches 95 of red letters."""
    source = encode(drawing(), "JPEG", quality=99, subsampling=2)
    result = optimize(source, 95)
    assert result.score >= 94.5


def test_photographs_are_no_drawings() -> None:
    for pixels, is_drawn in ((photo(160, 120), False), (drawing(), True)):
        data = encode(pixels, "JPEG", quality=98)
        assert Sample(Picture(data, parse(data)), 5).is_drawn is is_drawn
