"""What the score cannot see: jagged edges, lost dots, rings in a glow."""

from __future__ import annotations

import numpy as np
import pytest

from corpus.generators.pictures import with_alpha
from tests.engine.test_png_palette import accepted, drawing
from tests.images import photo
from tinyjpg.backends.vips import Pixels
from tinyjpg.codecs.png_judge import Judge
from tinyjpg.source import Request
from tinyjpg.verify import Verifier


class TestJudge:
    def test_jagged_text_is_refused_though_the_score_is_high(self) -> None:
        """Without the shades between shape and ground the mean hardly moves."""
        pixels = np.pad(drawing(), ((100, 100), (100, 100), (0, 0)), mode="edge")
        palette = np.array([pixels[0, 0], (255, 255, 255), (243, 64, 48)], np.int32)
        distance = ((pixels[:, :, None].astype(np.int32) - palette) ** 2).sum(axis=3)
        flat = palette[distance.argmin(axis=2)].astype(np.uint8)
        assert Verifier(pixels).score(flat) >= 80
        assert not accepted(pixels, flat, 80)
        assert accepted(pixels, pixels, 80)

    def test_a_dot_of_another_colour_is_refused_though_the_score_is_high(self) -> None:
        pixels = np.tile(photo(128, 96), (5, 5, 1))
        pixels[200:205, 200:205] = (230, 30, 40)
        other = pixels.copy()
        other[200:205, 200:205] = (120, 120, 120)
        assert Verifier(pixels).score(other) >= 80
        assert not accepted(pixels, other, 80)
        other[200:205, 200:205] = (225, 40, 50)
        assert accepted(pixels, other, 80)

    def test_a_low_score_is_given_as_it_is(self) -> None:
        pixels = photo(40, 30)
        assert Judge(pixels, Request(80)).score(pixels // 2) == Verifier(pixels).score(pixels // 2)

    def test_what_nobody_sees_does_not_count(self) -> None:
        pixels = with_alpha(photo(40, 30), np.zeros((30, 40), np.uint8))
        other = pixels.copy()
        other[..., :3] = 255 - other[..., :3]
        assert accepted(pixels, other, 90)
        other[..., 3] = 128
        assert not accepted(pixels, other, 90)

    def test_alpha_given_up_is_seen(self) -> None:
        pixels = np.dstack([photo(40, 30), np.full((30, 40), 100, np.uint8)])
        assert not accepted(pixels, pixels[..., :3], 60)

    def test_wide_images_are_compared_in_full(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tinyjpg.codecs.png_judge._STRIP_PIXELS", 400)
        monkeypatch.setattr(Verifier, "score", lambda *_: 100.0)
        pixels = photo(40, 50)
        other = pixels.copy()
        other[-1] ^= 255
        assert not accepted(pixels, other, 50)
        assert accepted(pixels, pixels.copy(), 50)

    def test_rings_in_a_glow_are_refused_whatever_the_score(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Verifier, "score", lambda *_: 100.0)
        pixels = glow()
        assert not accepted(pixels, coarse(pixels, 20), 80)
        assert not accepted(pixels, coarse(pixels, 12), 90)
        assert accepted(pixels, coarse(pixels, 8), 80)
        assert accepted(pixels, coarse(pixels, 20), 60)

    def test_the_steps_of_grain_are_no_rings(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Verifier, "score", lambda *_: 100.0)
        grain = np.random.default_rng(1).integers(0, 60, (200, 300, 3), np.uint8) + 90
        assert accepted(grain.astype(np.uint8), coarse(grain.astype(np.uint8), 20), 80)


def glow() -> Pixels:
    """A bar in a soft glow on a light ground."""
    y, x = np.mgrid[:300, :300]
    across, down = np.maximum(np.abs(x - 150) - 60, 0), np.maximum(np.abs(y - 150) - 12, 0)
    light = np.rint(250 - 120 * np.exp(-np.hypot(across, down) / 30))
    light[(across == 0) & (down == 0)] = 0
    return np.repeat(light.astype(np.uint8)[..., np.newaxis], 3, axis=2)


def coarse(pixels: Pixels, step: int) -> Pixels:
    rounded: Pixels = np.clip(np.rint(pixels / step) * step, 0, 255).astype(np.uint8)
    return rounded
