"""The tables from quality to encoder settings: well formed, and true of real photographs."""

from __future__ import annotations

from statistics import median

import numpy as np
import pytest
import pyvips

from tests.shared import corpus, needs_shared
from tinyjpg import calibration
from tinyjpg.backends import vips
from tinyjpg.calibration import Curve
from tinyjpg.formats import Format
from tinyjpg.metric import Pixels
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
    direction = -1 if name == "GIF_LOSSY" else 1
    settings = [direction * CURVES[name].at(quality) for quality in range(1, 101)]
    assert settings == sorted(settings)
    least, most = (0, 200) if name == "GIF_LOSSY" else (0, 100)
    assert all(least <= abs(setting) <= most for setting in settings)


def test_full_chroma_takes_over_where_subsampling_no_longer_reaches() -> None:
    ceiling = calibration.JPEG_420_MAX_QUALITY
    assert 80 < ceiling < 95
    assert calibration.JPEG_420.at(ceiling) < 100


def _encoded(pixels: Pixels, format: Format, options: dict[str, object]) -> Pixels:
    image = pyvips.Image.new_from_array(pixels, interpretation="srgb")
    data = vips.save(image, format, keep="none", **options)
    return vips.srgb_pixels(vips.load(data, format))


def _jpeg(quality: int, curve: Curve, subsampling: str) -> dict[str, object]:
    return {
        "Q": round(curve.at(quality)),
        "subsample_mode": subsampling,
        "interlace": True,
        "optimize_coding": True,
        "trellis_quant": True,
        "overshoot_deringing": True,
        "quant_table": 3,
    }


def _webp(quality: int) -> dict[str, object]:
    setting = round(calibration.WEBP_LOSSY.at(quality))
    return {"Q": setting, "smart_subsample": True, "effort": 4}


CASES = [
    *((Format.JPEG, q, _jpeg(q, calibration.JPEG_420, "on")) for q in (40, 80)),
    *((Format.JPEG, q, _jpeg(q, calibration.JPEG_444, "off")) for q in (80, 90)),
    *((Format.WEBP, q, _webp(q)) for q in (80,)),
]


@needs_shared
@pytest.mark.parametrize(("format", "quality", "options"), CASES)
def test_photographs_score_near_the_quality(
    format: Format, quality: int, options: dict[str, object]
) -> None:
    scores = []
    for file in corpus("photo_png")[1::6]:
        pixels = vips.srgb_pixels(vips.load(file.read_bytes(), Format.PNG))
        part = np.ascontiguousarray(pixels[64:448, 64:448])
        scores.append(Verifier(part).score(_encoded(part, format, options)))
    assert len(scores) > 5
    assert median(scores) == pytest.approx(quality, abs=3)
