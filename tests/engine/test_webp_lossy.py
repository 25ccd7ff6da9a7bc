"""Lossy WebP stills: the setting is searched, verified and made once."""

from __future__ import annotations

from dataclasses import replace
from statistics import fmean, pstdev
from typing import Any

import numpy as np
import pytest

from tests.engine.webp_files import decoded, names, transparent
from tests.images import Pixels, encode, photo
from tests.promises import check
from tests.shared import corpus, needs_shared
from tinyjpg import optimize
from tinyjpg.backends import vips
from tinyjpg.calibration import WEBP_LOSSY
from tinyjpg.codecs import webp_lossy
from tinyjpg.codecs.webp_bitstreams import (
    Coding,
    decode,
    encode_colours,
    normalised,
    opaque,
)
from tinyjpg.codecs.webp_content import busyness, coding_for, seed, subsampling_error
from tinyjpg.codecs.webp_lossy import LossyPicture
from tinyjpg.codecs.webp_settled import is_coarser, is_settled
from tinyjpg.containers.webp import parse
from tinyjpg.formats import Format
from tinyjpg.search import MOST_PROBES
from tinyjpg.source import Request
from tinyjpg.verify import Verifier

PHOTO = photo(160, 120)
LOSSLESS = encode(PHOTO, "WEBP", lossless=True, quality=0, method=0)


def grey(pixels: Pixels) -> Pixels:
    return np.repeat(pixels[..., 1:2], 3, axis=2)


def stripes(width: int = 64, height: int = 48) -> Pixels:
    """Red and blue columns one pixel wide: nothing suffers more from halved chroma."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:, ::2, 0] = 255
    pixels[:, 1::2, 2] = 255
    return pixels


def picture_of(pixels: Pixels, quality: int) -> tuple[LossyPicture, Request]:
    request = Request(quality=quality)
    header = parse(encode(pixels, "WEBP", lossless=True, exact=True))
    return LossyPicture(header, pixels, request), request


@pytest.mark.parametrize("quality", [80, 84])
@pytest.mark.parametrize("number", [0, 3])
def test_the_score_is_hit_and_the_bytes_are_what_was_scored(quality: int, number: int) -> None:
    data = encode(photo(256, 192, seed=number), "WEBP", lossless=True)
    result = optimize(data, quality)
    check(data, result, quality)
    assert result.method.startswith("libwebp Q")
    assert quality - 0.5 <= result.score < quality + 1
    assert 2 <= result.probes <= MOST_PROBES
    measured = Verifier(decoded(data)).score(decoded(result.data))
    assert measured == pytest.approx(result.score, abs=0.01)


def test_every_scored_encoding_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    scores: list[float] = []
    measure = Verifier.score

    def counting(self: Verifier, other: Pixels) -> float:
        scores.append(measure(self, other))
        return scores[-1]

    monkeypatch.setattr(Verifier, "score", counting)
    for pixels, quality in ((PHOTO, 80), (transparent(PHOTO), 80), (stripes(), 95)):
        scores.clear()
        result = optimize(encode(pixels, "WEBP", lossless=True, exact=True), quality)
        assert result.probes == len(scores) > 0


def test_what_is_handed_out_has_the_final_effort_or_is_smaller() -> None:
    picture, _ = picture_of(PHOTO, 80)
    found = next(picture.vp8())
    setting = int(found.method.removeprefix("libwebp Q"))
    coding = coding_for(PHOTO, 80)
    final = encode_colours(PHOTO, setting, coding, effort=6)
    quick = encode_colours(PHOTO, setting, coding, effort=4)
    assert found.bitstream.payload in (final.payload, quick.payload)
    if found.bitstream.payload == quick.payload:
        assert quick.size <= final.size or Verifier(PHOTO).score(decode(final)) < 79.5


def test_what_passed_quickly_bounds_the_final_search(monkeypatch: pytest.MonkeyPatch) -> None:
    picture, _ = picture_of(PHOTO, 80)
    made: list[tuple[int, int, float]] = []
    attempt = picture._attempt

    def noting(setting: int, effort: int, alpha: bytes | None) -> Any:
        found = attempt(setting, effort, alpha)
        # Effort 6 that never reaches the quality, and so asks for more and more.
        found = replace(found, score=found.score if effort == 4 else 79.0 - setting / 100)
        made.append((setting, effort, found.score))
        return found

    monkeypatch.setattr(picture, "_attempt", noting)
    monkeypatch.setattr(webp_lossy, "seed", lambda *_: 92.0)
    picture_score = next(picture.vp8()).score
    passed = [setting for setting, effort, score in made if effort == 4 and score >= 79.5]
    final = [setting for setting, effort, _ in made if effort == 6]
    assert passed
    assert final
    assert max(final) <= min(passed) + 2
    assert picture_score >= 79.5
    assert len(made) <= MOST_PROBES


def test_no_setting_is_handed_out_where_the_best_misses() -> None:
    """Chroma at half resolution cannot hold the stripes, so the result is lossless."""
    picture, request = picture_of(stripes(), 95)
    assert list(picture.vp8()) == []
    assert 0 < request.tally.probes <= MOST_PROBES
    data = encode(stripes(), "WEBP", lossless=True, quality=0, method=0)
    result = optimize(data, 95)
    check(data, result, 95)
    assert parse(result.data).lossless


def test_after_the_deadline_the_best_verified_attempt_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time runs out with the first attempt that is good enough."""
    picture, request = picture_of(PHOTO, 80)
    passed = False
    attempt = picture._attempt

    def slow(*arguments: Any) -> Any:
        nonlocal passed
        made = attempt(*arguments)
        passed = passed or made.score >= 79.5
        return made

    monkeypatch.setattr(picture, "_attempt", slow)
    monkeypatch.setattr(type(request.deadline), "passed", property(lambda _: passed))
    found = list(picture.vp8())
    assert len(found) == 1
    assert found[0].score >= 79.5
    assert passed


def test_photographs_are_not_tried_losslessly(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a lossless encoding that cannot win was made")

    monkeypatch.setattr("tinyjpg.codecs.webp.encode_lossless", refuse)
    monkeypatch.setattr("tinyjpg.codecs.webp_lossy.encode_near_lossless", refuse)
    assert optimize(LOSSLESS, 80).saved > 0.5


@pytest.mark.parametrize("lossless", [False, True])
def test_a_lower_quality_squeezes_again_and_a_higher_one_does_not(lossless: bool) -> None:
    data = encode(photo(256, 192, seed=5), "WEBP", lossless=lossless, quality=99)
    finer = optimize(data, 88)
    assert finer.score < 90
    coarser = optimize(finer.data, 70)
    assert coarser.output_size < 0.8 * finer.output_size
    assert optimize(coarser.data, 70).data == coarser.data
    assert optimize(coarser.data, 88).data == coarser.data


def test_a_setting_above_the_curve_is_marked_so_that_it_is_made_once() -> None:
    """Blue lines on a photograph need a setting that its quantisers do not explain."""
    pixels = photo(256, 192, seed=6).copy()
    pixels[::8] = (0, 0, 255)
    data = encode(pixels, "WEBP", lossless=True)
    result = optimize(data, 80)
    check(data, result, 80)
    bitstream = parse(result.data).pictures[0].bitstream
    assert bitstream.quality is not None
    assert bitstream.quality > WEBP_LOSSY.at(80) + 2
    assert parse(result.data).marked_quality == 80
    assert names(result.data) == [b"VP8X", b"VP8 ", b"TJPG"]


def test_settled_is_what_the_quantisers_say() -> None:
    at_curve = round(WEBP_LOSSY.at(80))
    for preset in ("default", "photo"):
        made = encode_colours(PHOTO, at_curve, Coding(preset=preset), effort=4)
        assert is_settled(made, 80)
        assert not is_settled(made, 70)
        assert is_coarser(made, at_curve)
        assert not is_coarser(made, at_curve - 5)
    lossless = parse(LOSSLESS).pictures[0].bitstream
    assert not is_settled(lossless, 100)
    assert not is_coarser(lossless, 100)


def test_smart_subsampling_is_for_colours_that_need_it() -> None:
    assert subsampling_error(grey(PHOTO)) == pytest.approx(0, abs=0.05)
    assert subsampling_error(stripes()) > 20
    assert coding_for(stripes(), 80).smart_subsample
    assert not coding_for(grey(PHOTO), 80).smart_subsample
    assert coding_for(PHOTO, 60).preset == "photo"
    assert coding_for(PHOTO, 80).preset == "default"


def test_the_subsampling_error_is_that_of_a_literal_loop() -> None:
    pixels = photo(6, 4, seed=9)
    pixels[1, 2] = (255, 0, 0)

    def lightness(colour: Any) -> float:
        code = np.asarray(colour, np.float64) / 255
        linear = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)
        return float(np.cbrt(linear @ (0.2126, 0.7152, 0.0722) + 0.0038))

    luma = np.array((0.299, 0.587, 0.114))
    changes = []
    for top in range(0, 4, 2):
        for left in range(0, 6, 2):
            quad = pixels[top : top + 2, left : left + 2].reshape(4, 3).astype(np.float64)
            mean = np.rint(quad.mean(axis=0))
            for pixel in quad:
                decoded_pixel = np.clip(np.rint(pixel @ luma + mean - mean @ luma), 0, 255)
                changes.append(lightness(decoded_pixel) - lightness(pixel))
    expected = 1000 * np.mean(np.power(np.array(changes), 4)) ** 0.25
    assert subsampling_error(pixels) == pytest.approx(expected, rel=0.02)


def test_busy_pictures_start_lower() -> None:
    rng = np.random.default_rng(1)
    noise = rng.integers(0, 256, (64, 64, 3)).astype(np.uint8)
    smooth = np.full((64, 64, 3), 99, np.uint8)
    assert busyness(noise) > busyness(PHOTO) > busyness(smooth)
    assert seed(noise, 80) == pytest.approx(WEBP_LOSSY.at(80) - 4)
    assert seed(smooth, 80) == pytest.approx(WEBP_LOSSY.at(80) + 4)
    for size in ((1, 1), (1, 9), (9, 1)):
        assert seed(photo(*size), 80) == WEBP_LOSSY.at(80)
        assert subsampling_error(photo(*size)) == 0


@pytest.mark.parametrize("size", [(1, 1), (7, 3), (8, 8), (37, 21), (40, 64)])
def test_hidden_colours_are_the_mean_of_what_is_visible_in_their_block(
    size: tuple[int, int],
) -> None:
    rng = np.random.default_rng(2)
    pixels = np.dstack([photo(*size), rng.integers(0, 3, size[::-1]).astype(np.uint8) * 120])
    pixels[:16, :16, 3] = 0
    pixels = normalised(pixels)
    if pixels.shape[2] == 3:
        pixels = np.dstack([pixels, np.full(size[::-1], 255, np.uint8)])
    made = opaque(pixels)
    visible = pixels[..., 3] > 0
    assert made.shape == (*size[::-1], 3)
    assert np.array_equal(made[visible], pixels[..., :3][visible])
    for top in range(0, size[1], 8):
        for left in range(0, size[0], 8):
            area = (slice(top, top + 8), slice(left, left + 8))
            shown = visible[area]
            if shown.any() and not shown.all():
                mean = pixels[area][shown][:, :3].mean(axis=0)
                assert np.abs(made[area][~shown] - np.floor(mean)).max() == 0
            elif not shown.any():
                assert (made[area] == made[top, left]).all()


def test_a_picture_with_nothing_visible_is_coded() -> None:
    clear = np.zeros((20, 20, 4), np.uint8)
    assert not opaque(clear).any()


def test_alpha_is_coded_exactly_or_verified() -> None:
    pixels = transparent(photo(256, 192, seed=4))
    picture, request = picture_of(pixels, 80)
    found = list(picture.vp8())
    assert found
    assert request.tally.probes <= MOST_PROBES + 2
    for one in found:
        made = decode(one.bitstream)
        score = Verifier(picture.pixels).score(made)
        assert score == pytest.approx(one.score, abs=0.01)
        assert score >= 79.5
        if "alpha" not in one.method:
            assert np.array_equal(made[..., 3], pixels[..., 3])


def test_near_lossless_stops_where_it_cannot_win() -> None:
    picture, request = picture_of(stripes(), 90)
    assert list(picture.near_lossless(10)) == []
    assert request.tally.probes == 0
    assert len(list(picture.near_lossless(None))) == 1


@needs_shared
def test_photographs_hit_the_quality_within_few_probes() -> None:
    scores, probes = [], []
    for file in corpus("photo_png")[3::8]:
        pixels = vips.srgb_pixels(vips.load(file.read_bytes(), Format.PNG))
        part = np.ascontiguousarray(pixels[64:384, 64:384])
        data = encode(part, "WEBP", lossless=True, quality=0, method=0)
        result = optimize(data, 80)
        again = replace(parse(result.data), marked_quality=None)
        assert parse(result.data).pictures == again.pictures
        scores.append(result.score)
        probes.append(result.probes)
    assert len(scores) >= 6
    assert min(scores) >= 79.5
    assert pstdev(scores) <= 0.6
    assert fmean(probes) <= 3.5
    assert max(probes) <= MOST_PROBES
