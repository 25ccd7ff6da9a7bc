"""The score that decides whether a result may be returned."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from tinyjpg import verify
from tinyjpg.errors import InvalidOptionError
from tinyjpg.metric import compare
from tinyjpg.verify import Verifier

Pixels = npt.NDArray[np.uint8]


def picture(width: int, height: int, bands: int) -> Pixels:
    random = np.random.default_rng(width * 1000 + height)
    y, x = np.mgrid[:height, :width]
    waves = [128 + 80 * np.sin(x / (5 + band) + y / 7) for band in range(bands)]
    noise = random.normal(0, 8, (height, width, bands))
    shown: Pixels = np.clip(np.stack(waves, axis=-1) + noise, 0, 255).astype(np.uint8)
    return shown


def noisy(pixels: Pixels, strength: int) -> Pixels:
    random = np.random.default_rng(strength)
    noise = random.integers(-strength, strength + 1, pixels.shape)
    changed: Pixels = np.clip(pixels + noise, 0, 255).astype(np.uint8)
    return changed


@pytest.mark.parametrize("bands", [1, 2, 3, 4])
@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 30), (30, 1), (7, 7), (8, 8), (50, 33)])
def test_identical_pixels_score_100_at_any_size(width: int, height: int, bands: int) -> None:
    original = picture(width, height, bands)
    assert Verifier(original).score(original.copy()) == 100.0


@pytest.mark.parametrize(("width", "height"), [(1, 1), (2, 40), (40, 2), (7, 7), (64, 48)])
def test_more_damage_scores_lower_at_any_size(width: int, height: int) -> None:
    original = picture(width, height, 3) // 2
    verifier = Verifier(original)
    scores = [verifier.score(original + np.uint8(shift)) for shift in (2, 20, 120)]
    assert 100.0 > scores[0] > scores[1] > scores[2]
    assert scores[0] > 70
    assert scores[2] < 50


def test_tiny_images_are_judged_mirrored_to_the_trusted_size() -> None:
    original = picture(3, 5, 3)
    distorted = noisy(original, 20)
    wider = ((0, 108), (0, 110), (0, 0))
    expected = compare(
        np.pad(original, wider, mode="symmetric"), np.pad(distorted, wider, mode="symmetric")
    )
    assert Verifier(original).score(distorted) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("side", [8, 16, 32, 64, 112, 113, 200])
def test_small_images_get_the_lower_of_two_scores(side: int) -> None:
    original = picture(side, side, 3)
    distorted = noisy(original, 25)
    scores = [compare(original, distorted)]
    if side < 113:
        wider = ((0, 113 - side), (0, 113 - side), (0, 0))
        scores.append(
            compare(
                np.pad(original, wider, mode="symmetric"),
                np.pad(distorted, wider, mode="symmetric"),
            )
        )
    assert Verifier(original).score(distorted) == pytest.approx(min(scores), abs=1e-3)


def test_a_colour_cast_on_an_icon_is_seen() -> None:
    """The plain metric gives this 16 x 16 square 78, as if hardly noticeable."""
    original = np.full((16, 16, 3), 120, np.uint8)
    distorted = original.copy()
    distorted[..., 0] += 100
    assert compare(original, distorted) > 75
    assert Verifier(original).score(distorted) < 50


def test_bands_do_not_matter_where_the_same_is_shown() -> None:
    grey = picture(40, 30, 1)
    opaque = np.full_like(grey, 255)
    rgb = grey.repeat(3, axis=2)
    alike = [grey, rgb, np.dstack([grey, opaque]), np.dstack([rgb, opaque])]
    for original in alike:
        verifier = Verifier(original)
        assert [verifier.score(other) for other in alike] == [100.0] * 4


def test_colours_under_full_transparency_do_not_count() -> None:
    original = picture(48, 40, 4)
    original[:, :24, 3] = 0
    original[:, 24:, 3] = 255
    changed = original.copy()
    changed[:, :24, :3] = 255 - changed[:, :24, :3]
    assert Verifier(original).score(changed) == 100.0
    changed[:, 24:, :3] = noisy(changed[:, 24:, :3], 30)
    assert Verifier(original).score(changed) < 90


def test_the_least_favourable_background_counts() -> None:
    original = picture(160, 130, 4)
    original[..., 3] = 255
    original[40:90, 50:100, 3] = 0
    for colour in (0, 26, 230, 255):
        # A hole filled with one grey cannot be told from the original on that grey alone.
        filled = original.copy()
        filled[40:90, 50:100] = (colour, colour, colour, 255)
        assert Verifier(original).score(filled) < 70
        assert Verifier(filled).score(original) < 70
    overall = Verifier(original).score(filled)
    each = [compare(original, filled, background=grey) for grey in (0.0, 0.1, 0.9, 1.0)]
    assert overall == pytest.approx(min(each), abs=1e-3)


def test_dropped_transparency_is_seen() -> None:
    original = picture(40, 40, 4)
    original[..., 3] //= 2
    assert Verifier(original).score(np.ascontiguousarray(original[..., :3])) < 50


def test_images_too_large_to_cache_score_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    original = picture(60, 50, 4)
    distorted = noisy(original, 12)
    cached = Verifier(original).score(distorted)
    monkeypatch.setattr(verify, "_CACHE_BYTES", 0)
    streamed = Verifier(original)
    assert streamed.score(distorted) == pytest.approx(cached, abs=1e-3)
    assert not streamed._cache


def test_scores_do_not_depend_on_what_was_scored_before() -> None:
    original = picture(60, 50, 3)
    first, second = noisy(original, 5), noisy(original, 40)
    verifier = Verifier(original)
    expected = verifier.score(first)
    verifier.score(second)
    assert verifier.score(first) == expected


def test_other_sizes_and_types_are_refused() -> None:
    verifier = Verifier(picture(20, 10, 3))
    with pytest.raises(InvalidOptionError, match="equal size"):
        verifier.score(picture(10, 20, 3))
    with pytest.raises(InvalidOptionError, match="uint8"):
        verifier.score(np.zeros((10, 20, 3)))  # type: ignore[arg-type]
    with pytest.raises(InvalidOptionError, match="0 x 0"):
        Verifier(np.zeros((0, 0, 3), np.uint8))
    with pytest.raises(InvalidOptionError, match="equal size"):
        Verifier(picture(2, 2, 3)).score(picture(2, 3, 3))
