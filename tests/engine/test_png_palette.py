"""PNGs in fewer bits or colours: as good as asked, exact where it shows, and only once."""

from __future__ import annotations

import re
import struct
import zlib

import numpy as np
import numpy.typing as npt
import pytest

from corpus.generators.metadata import display_p3_profile, exif, grey_profile
from corpus.generators.pictures import grey_photo, logo_rgb, photo, soft_edge, with_alpha
from corpus.generators.png_structure import GREY, GREY_ALPHA, RGB, RGBA, Chunk, encode
from tests.viewer import view
from tinyjpg import Result, optimize
from tinyjpg.backends import imagequant
from tinyjpg.backends.imagequant import Indexed, Setting
from tinyjpg.codecs import png, png_quantise
from tinyjpg.codecs.png_drawing import palette_png
from tinyjpg.codecs.png_judge import Judge
from tinyjpg.codecs.png_palette import Reduction, smallest
from tinyjpg.codecs.png_quantise import Quantiser
from tinyjpg.containers.png import parse
from tinyjpg.containers.png_chunks import ColourType
from tinyjpg.limits import Deadline
from tinyjpg.source import Request
from tinyjpg.verify import Verifier

Pixels = npt.NDArray[np.uint8]


def drawing(width: int = 128, height: int = 96) -> Pixels:
    """Flat shapes with smooth edges on a plain ground, as logos are; height x width x 3."""
    down, across = np.mgrid[0:height, 0:width].astype(np.float64)
    ground = np.array((74.0, 144.0, 217.0))
    shape = np.array((255.0, 255.0, 255.0))
    accent = np.array((243.0, 64.0, 48.0))
    disc = np.clip(33.5 - np.hypot(across - 55, down - 47), 0, 1)[..., None]
    dot = np.clip(9.5 - np.hypot(across - 100.3, down - 30.7), 0, 1)[..., None]
    edges = ground + (shape - ground) * disc
    pixels: Pixels = (edges + (accent - edges) * dot).round().astype(np.uint8)
    return pixels


def sticker() -> Pixels:
    """The drawing on nothing, softly cut out; height x width x 4."""
    pixels = drawing()
    down, across = np.mgrid[0:96, 0:128].astype(np.float64)
    alpha = np.clip(46 - np.hypot(across - 64, (down - 48) * 1.2), 0, 4) / 4 * 255
    return np.dstack([pixels, alpha.round().astype(np.uint8)])


def score(data: bytes, result: Result) -> float:
    """The score by the pixels that another decoder shows."""
    return Verifier(view(data).frames[0]).score(view(result.data).frames[0])


def icc(profile: bytes) -> Chunk:
    return b"iCCP", b"any name\0\0" + zlib.compress(profile)


class TestResult:
    @pytest.mark.parametrize("quality", [40, 60, 80, 90, 95])
    @pytest.mark.parametrize(
        "data",
        [
            pytest.param(encode(drawing(), RGB), id="drawing"),
            pytest.param(encode(sticker(), RGBA), id="sticker"),
            pytest.param(encode(photo(96, 64), RGB), id="photo"),
            pytest.param(
                encode(with_alpha(grey_photo(96, 64), soft_edge(96, 64)), GREY_ALPHA), id="grey"
            ),
        ],
    )
    def test_it_is_as_good_as_promised_and_made_once(self, data: bytes, quality: int) -> None:
        result = optimize(data, quality)
        assert result.output_size < optimize(data, 100).output_size or result.score == 100
        assert score(data, result) >= quality - 0.5
        assert result.score == pytest.approx(score(data, result), abs=0.01)
        for again in (quality, 99) if result.score != 100 else (quality,):
            assert optimize(result.data, again).data == result.data

    def test_less_quality_takes_fewer_colours(self) -> None:
        data = encode(sticker(), RGBA)
        results = [optimize(data, quality) for quality in (30, 80, 95, 100)]
        sizes = [result.output_size for result in results]
        assert sizes == sorted(sizes)
        assert sizes[0] < sizes[1] < sizes[3]
        assert results[1].method.startswith("reduced to ")
        assert parse(results[1].data).colour_type is ColourType.PALETTE

    def test_the_method_says_what_was_done(self) -> None:
        result = optimize(encode(drawing(), RGB), 80)
        colours = len(parse(result.data).palette) // 3
        assert re.fullmatch(
            rf"reduced to {colours} colours(, dithered)?(, smoothed)?", result.method
        )

    def test_probes_are_counted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        scored: list[Pixels] = []
        score = Verifier.score

        def counted(self: Verifier, other: Pixels) -> float:
            scored.append(other)
            return score(self, other)

        monkeypatch.setattr(Verifier, "score", counted)
        assert optimize(encode(drawing(), RGB), 80).probes == len(scored) > 2

    @pytest.mark.parametrize("value", range(1, 9))
    def test_it_is_turned_upright(self, value: int) -> None:
        data = encode(drawing(), RGB, before=[(b"eXIf", exif(value))])
        result = optimize(data, 80)
        assert parse(result.data).exif is None
        assert parse(result.data).colour_type is ColourType.PALETTE
        assert (result.width, result.height) == ((96, 128) if value >= 5 else (128, 96))
        assert score(data, result) >= 79.5

    def test_wide_gamut_profile_stays_with_the_palette(self) -> None:
        data = encode(drawing(), RGB, before=[icc(display_p3_profile())])
        found = parse(optimize(data, 80).data)
        assert found.colour_type is ColourType.PALETTE
        assert found.icc_profile == display_p3_profile()

    @pytest.mark.parametrize(
        ("kind", "pixels", "chunk"),
        [
            pytest.param(RGB, drawing(), (b"gAMA", struct.pack(">I", 100_000)), id="linear"),
            pytest.param(RGB, drawing(), (b"cICP", b"\x09\x10\x00\x01"), id="PQ"),
            pytest.param(RGB, drawing(), (b"cICP", b"\x09\x12\x00\x01"), id="HLG"),
            pytest.param(
                GREY_ALPHA,
                with_alpha(grey_photo(60, 40), soft_edge(60, 40)),
                icc(grey_profile(2.2)),
                id="grey profile",
            ),
        ],
    )
    @pytest.mark.parametrize("depth", [8, 16])
    def test_code_values_with_another_meaning_are_left_alone(
        self, kind: int, pixels: Pixels, chunk: Chunk, depth: int
    ) -> None:
        samples = pixels if depth == 8 else pixels.astype(np.uint16) * 200 + 3
        data = encode(samples, kind, depth, before=[chunk])
        result = optimize(data, 30)
        assert result.method == "packed losslessly"
        assert parse(result.data).bit_depth == depth

    def test_huge_images_are_not_quantised(self, monkeypatch: pytest.MonkeyPatch) -> None:
        data = encode(drawing(), RGB)
        monkeypatch.setattr(png, "_MOST_QUANTISED_PIXELS", 128 * 96 - 1)
        assert optimize(data, 80).score == 100
        monkeypatch.setattr(png, "_MOST_QUANTISED_PIXELS", 128 * 96)
        assert optimize(data, 80).score != 100


class TestSixteenBits:
    @staticmethod
    def wide(pixels: Pixels) -> npt.NDArray[np.uint16]:
        low = np.random.default_rng(1).integers(0, 256, pixels.shape, np.uint16)
        samples: npt.NDArray[np.uint16] = pixels.astype(np.uint16) << 8 | low
        return samples

    @pytest.mark.parametrize(
        ("kind", "pixels"),
        [
            pytest.param(GREY, grey_photo(96, 64), id="grey"),
            pytest.param(RGB, photo(96, 64), id="rgb"),
            pytest.param(RGBA, with_alpha(photo(96, 64), soft_edge(96, 64)), id="rgba"),
        ],
    )
    def test_they_are_rounded_to_eight(self, kind: int, pixels: Pixels) -> None:
        samples = self.wide(pixels)
        result = optimize(encode(samples, kind, 16), 99)
        assert result.method == "reduced to 8 bits"
        expected = np.rint(samples / 257).astype(np.uint8)
        shown = view(result.data).frames[0]
        channels = {GREY: [0], RGB: [0, 1, 2], RGBA: [0, 1, 2, 3]}[kind]
        visible = shown[..., 3] > 0
        assert np.array_equal(shown[visible][:, channels], expected.reshape(64, 96, -1)[visible])
        assert optimize(result.data, 99).data == result.data

    def test_they_are_kept_at_quality_100(self) -> None:
        assert parse(optimize(encode(self.wide(photo(96, 64)), RGB, 16), 100).data).bit_depth == 16

    def test_drawings_get_a_palette(self) -> None:
        """libvips passes a 16-bit image through without quantising it."""
        found = parse(optimize(encode(self.wide(drawing()), RGB, 16), 70).data)
        assert found.colour_type is ColourType.PALETTE
        assert found.bit_depth <= 8


class TestExactness:
    """What the quantiser itself gets slightly wrong."""

    @pytest.mark.parametrize("bit_depth", [2, 4, 8])
    @pytest.mark.parametrize("quality", [1, 20, 60, 100])
    @pytest.mark.parametrize("dithered", [False, True])
    def test_opaque_stays_opaque_and_clear_stays_clear(
        self, quality: int, bit_depth: int, dithered: bool
    ) -> None:
        pixels = with_alpha(photo(96, 64), soft_edge(96, 64))
        alpha = pixels[..., 3]
        pixels[alpha == 0] = 0
        indexed = Quantiser(pixels)(Setting(quality, dithered, bit_depth))
        shown = indexed.colours[indexed.indices]
        assert len(indexed.colours) <= 2**bit_depth
        assert (shown[alpha == 255][:, 3] == 255).all()
        assert (shown[alpha == 0] == 0).all()

    @staticmethod
    def repaired(
        monkeypatch: pytest.MonkeyPatch, alphas: list[int], palette: list[int]
    ) -> list[int]:
        """The alphas of a row of pixels whose colours the quantiser gave the alphas `palette`."""
        monkeypatch.setattr(png_quantise, "_FLAT_SHARE", 2.0)
        pixels = np.zeros((1, len(alphas), 4), np.uint8)
        pixels[0, :, 3] = alphas
        pixels[0, :, :3] = np.arange(len(alphas))[:, None] % 200 + 20
        colours = np.zeros((len(palette), 4), np.uint8)
        colours[:, :3] = np.arange(len(palette))[:, None] % 200 + 20
        colours[:, 3] = palette
        indices = (np.arange(len(alphas), dtype=np.uint16) % len(palette)).astype(np.uint8)[None]
        made = Indexed(indices, colours)
        monkeypatch.setattr(imagequant, "quantise", lambda *_: made)
        indexed = Quantiser(pixels)(Setting(50))
        assert len(indexed.colours) <= 256
        return [int(alpha) for alpha in indexed.colours[indexed.indices][0, :, 3]]

    def test_colours_of_opaque_pixels_only_become_opaque(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert self.repaired(monkeypatch, [255, 255, 128], [254, 250, 130]) == [255, 255, 130]

    def test_shared_colours_are_split(self, monkeypatch: pytest.MonkeyPatch) -> None:
        alphas = [255, 0, 140, 255, 0, 90]
        assert self.repaired(monkeypatch, alphas, [240, 9, 100]) == [255, 0, 100, 255, 0, 100]
        assert self.repaired(monkeypatch, [255, 128, 0], [200]) == [255, 200, 0]

    def test_full_palette_has_no_room_for_more(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """256 colours, one of them shared by opaque, clear and translucent pixels."""
        alphas = [120] * 255 + [255] + [120] * 255 + [0]
        found = self.repaired(monkeypatch, alphas, [120] * 255 + [200])
        assert (found[255], found[511]) == (255, 0)
        alphas = [255] * 255 + [255] + [120] * 255 + [0]
        found = self.repaired(monkeypatch, alphas, [255] * 255 + [200])
        assert found[:256] == [255] * 256
        assert found[511] == 0
        assert self.repaired(monkeypatch, [255, 0, 0, 255], [0, 0]) == [255, 0, 0, 255]

    def test_plain_areas_keep_their_colour_to_the_level(self) -> None:
        pixels = drawing()
        for quality in (1, 10, 80):
            indexed = Quantiser(pixels)(Setting(quality))
            shown = indexed.colours[indexed.indices][..., :3]
            for corner in ((0, 0), (47, 55)):
                assert np.array_equal(shown[corner], pixels[corner])

    def test_depths_below_eight_are_unpacked(self) -> None:
        for bit_depth in (1, 2, 4):
            indexed = imagequant.quantise(logo_rgb(37, 23), Setting(100, bit_depth=bit_depth))
            assert indexed.indices.shape == (23, 37)
            assert indexed.indices.max() < len(indexed.colours) <= 2**bit_depth
        exact = imagequant.quantise(logo_rgb(37, 23), Setting(100, bit_depth=4))
        assert np.array_equal(exact.pixels, logo_rgb(37, 23))


def accepted(pixels: Pixels, other: Pixels, quality: int) -> bool:
    request = Request(quality)
    return request.accepts(Judge(pixels, request).score(other))


def reduced(pixels: Pixels, request: Request) -> Reduction | None:
    return smallest(pixels, Judge(pixels, request), request)


class TestSearch:
    def settings(
        self, pixels: Pixels, quality: int, monkeypatch: pytest.MonkeyPatch
    ) -> list[Setting]:
        """What the quantiser was asked for."""
        seen: list[Setting] = []
        quantise = imagequant.quantise

        def counted(image: Pixels, setting: Setting) -> Indexed:
            seen.append(setting)
            return quantise(image, setting)

        monkeypatch.setattr(imagequant, "quantise", counted)
        found = reduced(pixels, Request(quality))
        assert found is None or found.score >= quality - 0.5
        return seen

    def test_few_settings_are_tried_and_none_twice(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for pixels in (drawing(), photo(80, 60)):
            for quality in (30, 80, 95):
                seen = self.settings(pixels, quality, monkeypatch)
                assert 1 <= len(seen) <= 9
                assert len(set(seen)) == len(seen)

    def test_the_hopeless_is_given_up_soon(self, monkeypatch: pytest.MonkeyPatch) -> None:
        noise = np.random.default_rng(0).integers(0, 256, (120, 160, 3), np.uint8)
        assert len(self.settings(noise, 99, monkeypatch)) <= 2

    def test_a_passed_deadline_ends_it(self) -> None:
        request = Request(80, deadline=Deadline.after(1e-9))
        reduced(drawing(), request)
        assert request.tally.probes <= 2

    def test_fewest_colours_are_found_among_those_that_do(self) -> None:
        pixels = drawing()
        best = reduced(pixels, Request(80))
        quantise = Quantiser(pixels)
        counts = []
        for quality in range(1, 101, 3):
            indexed = quantise(Setting(quality))
            if accepted(pixels, indexed.pixels, 80):
                counts.append(len(indexed.colours))
        assert best is not None
        assert best.colours <= min(counts) + 3

    @pytest.mark.parametrize("quality", [70, 80, 90])
    def test_gradients_are_smoothed_until_the_score_just_holds(self, quality: int) -> None:
        pixels = gradients()
        best = reduced(pixels, Request(quality))
        assert best is not None
        assert best.tolerance is not None
        assert quality - 0.5 <= best.score <= quality + 1.5
        smooth_less = optimize(encode(pixels, RGB), quality)
        assert "smoothed" in smooth_less.method


def gradients() -> Pixels:
    """A panel with a noisy gradient and flat shapes, as screenshots of translucent windows are."""
    down, across = np.mgrid[0:160, 0:200].astype(np.float64)
    noise = np.random.default_rng(5).normal(0, 1.5, (160, 200, 3))
    base = np.dstack([60 + across * 0.4, 80 + down * 0.5, 150 - across * 0.2 + down * 0.1]) + noise
    pixels: Pixels = base.clip(0, 255).round().astype(np.uint8)
    pixels[20:120, 30:110] = drawing()[:96, :80].repeat(2, axis=0)[:100]
    return pixels


def test_a_palette_png_shows_the_indexed_pixels() -> None:
    for pixels in (drawing(), sticker()):
        indexed = Quantiser(pixels)(Setting(60))
        found = view(palette_png(indexed, [(b"gAMA", struct.pack(">I", 45_455))])).frames[0]
        assert np.array_equal(found, indexed.colours[indexed.indices])


def test_quantising_is_deterministic() -> None:
    first, second = (Quantiser(sticker())(Setting(40)) for _ in range(2))
    assert np.array_equal(first.indices, second.indices)
    assert np.array_equal(first.colours, second.colours)
