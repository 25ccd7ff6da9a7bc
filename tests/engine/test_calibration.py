"""The tables from quality to encoder settings: well formed, and true of real photographs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from statistics import median

import numpy as np
import pytest

from benchmarks import mozjpeg
from benchmarks.mozjpeg import Manner
from tests.shared import corpus, needs_shared
from tinyjpg import calibration
from tinyjpg.backends import vips
from tinyjpg.backends.jpeg import Coefficients
from tinyjpg.calibration import Curve
from tinyjpg.codecs.jpeg_attempts import CURVES as CURVES_OF_JPEG
from tinyjpg.codecs.jpeg_scales import SETTINGS, SUBSAMPLINGS, Chroma, scale_of
from tinyjpg.formats import Format
from tinyjpg.verify import Verifier

CURVES = {name: value for name, value in vars(calibration).items() if isinstance(value, Curve)}


def test_a_curve_is_linear_between_its_points_and_flat_outside() -> None:
    curve = Curve(((10, 4), (20, 8), (40, 8), (50, 0)))
    expected = {1: 4, 10: 4, 15: 6, 20: 8, 30: 8, 45: 4, 50: 0, 99: 0}
    assert {quality: curve.at(quality) for quality in expected} == expected


def test_all_the_tables_are_there() -> None:
    assert {"JPEG_420", "JPEG_444", "WEBP_LOSSY", "PALETTE_Q", "GIF_LOSSY"} <= set(CURVES)


@pytest.mark.parametrize("name", CURVES)
def test_points_are_in_order_of_quality(name: str) -> None:
    qualities = [quality for quality, _ in CURVES[name].points]
    assert qualities == sorted(set(qualities))
    assert all(1 <= quality <= 100 for quality in qualities)


@pytest.mark.parametrize("name", CURVES)
def test_more_quality_never_asks_for_a_worse_setting(name: str) -> None:
    direction = -1 if name.startswith("GIF_") else 1
    settings = [direction * CURVES[name].at(quality) for quality in range(1, 101)]
    assert settings == sorted(settings)
    ranges = {
        "GIF_LOSSY": (0, 200),
        "GIF_REDRAW": (0, 2048),
        "JPEG_420": (SETTINGS[0], SETTINGS[-1]),
        "JPEG_444": (SETTINGS[0], SETTINGS[-1]),
    }
    least, most = ranges.get(name, (0, 100))
    assert all(least <= abs(setting) <= most for setting in settings)


def _jpeg(chroma: Chroma, quality: int, image: vips.Image) -> bytes:
    pixels = vips.pixels(image)
    coefficients = Coefficients(image.width, image.height, SUBSAMPLINGS[chroma])
    coefficients.push(pixels)
    coefficients.plan(scale_of(round(CURVES_OF_JPEG[chroma].at(quality))))
    return coefficients.write()


def _mozjpeg(chroma: Chroma, quality: int, image: vips.Image) -> bytes:
    curve = calibration.MOZJPEG_444 if chroma is Chroma.FULL else calibration.MOZJPEG_420
    setting = round(curve.at(quality))
    return mozjpeg.encode(image, Manner.near(chroma, setting), setting, scans=False)


def _webp(quality: int, image: vips.Image) -> bytes:
    setting = round(calibration.WEBP_LOSSY.at(quality))
    return vips.save(image, Format.WEBP, Q=setting, smart_subsample=True, effort=4, keep="none")


CASES = [
    *((Format.JPEG, q, partial(_jpeg, Chroma.SUBSAMPLED, q)) for q in (40, 80)),
    *((Format.JPEG, q, partial(_jpeg, Chroma.FULL, q)) for q in (80, 90)),
    *((Format.JPEG, q, partial(_mozjpeg, Chroma.SUBSAMPLED, q)) for q in (40, 80)),
    *((Format.JPEG, q, partial(_mozjpeg, Chroma.FULL, q)) for q in (80, 90)),
    *((Format.WEBP, q, partial(_webp, q)) for q in (80,)),
]


@needs_shared
@pytest.mark.parametrize(("format", "quality", "encode"), CASES)
def test_photographs_score_near_the_quality(
    format: Format, quality: int, encode: Callable[[vips.Image], bytes]
) -> None:
    scores = []
    for file in corpus("photo_png")[1::6]:
        pixels = vips.srgb_pixels(vips.load(file.read_bytes(), Format.PNG))
        part = np.ascontiguousarray(pixels[64:448, 64:448])
        made = vips.load(encode(vips.from_pixels(part)), format)
        scores.append(Verifier(part).score(vips.pixels(made)))
    assert len(scores) > 5
    assert median(scores) == pytest.approx(quality, abs=3)
