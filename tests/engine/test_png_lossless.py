"""PNGs packed losslessly: the same samples, the chunks that are needed, and nothing twice."""

from __future__ import annotations

import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import pyvips

from corpus.generators.metadata import display_p3_profile, exif, grey_profile, srgb_profile
from corpus.generators.pictures import grey_photo, logo_rgb, photo, soft_edge, with_alpha
from corpus.generators.png_structure import (
    GREY,
    GREY_ALPHA,
    PALETTE,
    RGB,
    RGBA,
    Chunk,
    encode,
    header,
    join,
    split,
)
from tests.images import quadrants
from tests.shared import corpus, needs_shared
from tests.viewer import view, visible
from tinyjpg import (
    CorruptImageError,
    Keep,
    Limits,
    Options,
    Result,
    optimize,
)
from tinyjpg.backends import oxipng
from tinyjpg.backends.oxipng import Packing, level_for
from tinyjpg.containers.exif import orientation
from tinyjpg.containers.png import PngHeader, parse
from tinyjpg.limits import Deadline
from tinyjpg.optimize import ALREADY_OPTIMAL

LOSSLESS = "packed losslessly"


def samples(data: bytes) -> npt.NDArray[np.uint16]:
    """What the file stores, as 16-bit RGBA, by libvips: colour chunks and orientation aside."""
    image = pyvips.Image.pngload_buffer(data, fail_on="warning")
    if image.bands <= 2:
        image = image[0].bandjoin([image[0], image[0], *([image[1]] if image.bands == 2 else [])])
    scale = 257 if image.format == "uchar" else 1
    array = image.numpy().astype(np.uint16) * np.uint16(scale)
    if image.bands == 3:
        array = np.dstack([array, np.full(array.shape[:2], 65535, np.uint16)])
    found: npt.NDArray[np.uint16] = np.ascontiguousarray(array)
    return found


def lossless(data: bytes, **options: Options) -> tuple[Result, PngHeader]:
    """The result at quality 100, whose samples and repetition are checked."""
    result = optimize(data, 100, **options)
    assert np.array_equal(samples(result.data), samples(data))
    assert optimize(result.data, 100, **options).data == result.data
    return result, parse(result.data)


def names(data: bytes) -> list[str]:
    return [name.decode() for name, _ in split(data)]


def icc(profile: bytes) -> Chunk:
    return b"iCCP", b"any name\0\0" + zlib.compress(profile)


def wide(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint16]:
    """16-bit samples that no 8-bit sample stands for."""
    low = np.random.default_rng(1).integers(0, 256, pixels.shape, np.uint16)
    samples: npt.NDArray[np.uint16] = pixels.astype(np.uint16) << 8 | low
    return samples


def key(*values: int) -> Chunk:
    return b"tRNS", struct.pack(f">{len(values)}H", *values)


class TestSamples:
    @pytest.mark.parametrize("interlaced", [False, True])
    @pytest.mark.parametrize(
        ("kind", "pixels"),
        [
            pytest.param(GREY, grey_photo(37, 23), id="grey"),
            pytest.param(RGB, photo(37, 23), id="rgb"),
            pytest.param(RGBA, with_alpha(photo(37, 23), soft_edge(37, 23)), id="rgba"),
            pytest.param(GREY_ALPHA, with_alpha(grey_photo(37, 23), soft_edge(37, 23)), id="alpha"),
        ],
    )
    def test_sixteen_bits_stay(
        self, kind: int, pixels: npt.NDArray[np.uint8], interlaced: bool
    ) -> None:
        result, found = lossless(encode(wide(pixels), kind, 16, interlaced=interlaced))
        assert (found.colour_type, found.bit_depth) == (kind, 16)
        assert not found.interlaced
        assert result.method == LOSSLESS

    def test_sixteen_bits_become_eight_where_nothing_is_lost(self) -> None:
        _, found = lossless(encode(photo(37, 23).astype(np.uint16) * 257, RGB, 16))
        assert found.bit_depth == 8

    @pytest.mark.parametrize(
        ("kind", "value"),
        [(GREY, (0x1234,)), (RGB, (0x1234, 0x3434, 0x3434)), (RGB, (0x3434,) * 3)],
    )
    def test_key_of_sixteen_bits_makes_nothing_else_transparent(
        self, kind: int, value: tuple[int, ...]
    ) -> None:
        """Samples that fit 8 bits beside a key that does not: its lower half is 0x34 as well."""
        pixels = (photo(37, 23) if kind == RGB else grey_photo(37, 23)).astype(np.uint16) * 257
        pixels[5:9, 5:9] = 0x3434
        data = encode(pixels, kind, 16, behind_palette=[key(*value)])
        opaque = samples(data)[..., 3] == 65535
        assert opaque.all() == (value != (0x3434,) * 3)
        lossless(data)
        assert np.array_equal(samples(optimize(data, 60).data)[..., 3] == 65535, opaque)

    @pytest.mark.parametrize("depth", [1, 2, 4, 8])
    def test_unused_bits_of_a_key_do_not_matter(self, depth: int) -> None:
        levels = 2**depth
        pixels = (grey_photo(37, 23) >> (8 - depth)).astype(np.uint8)
        data = encode(pixels, GREY, depth, behind_palette=[key(0xFF00 * (levels < 256) | 1)])
        _, found = lossless(data)
        assert found.has_alpha

    def test_misplaced_transparency_stays_without_effect(self) -> None:
        data = encode(
            photo(20, 20), RGB, after=[key(*(int(value) for value in photo(20, 20)[3, 3]))]
        )
        assert (samples(data)[..., 3] == 65535).all()
        lossless(data)

    def test_colours_nobody_sees_stay_only_at_quality_100(self) -> None:
        pixels = with_alpha(photo(64, 48), np.full((48, 64), 255, np.uint8))
        pixels[8:40, 8:56, 3] = 0
        data = encode(pixels, RGBA)
        exact, _ = lossless(data)
        assert np.array_equal(samples(exact.data)[..., :3], samples(data)[..., :3])
        free = optimize(data, 99)
        assert free.output_size < exact.output_size
        before, after = view(data).frames[0], view(free.data).frames[0]
        assert np.array_equal(visible(before), visible(after))

    def test_interlacing_is_removed(self) -> None:
        plain, interlaced = (encode(photo(60, 40), RGB, interlaced=on) for on in (False, True))
        result, found = lossless(interlaced)
        assert not found.interlaced
        assert result.output_size <= optimize(plain, 100).output_size

    def test_colours_beyond_the_palette_are_black(self) -> None:
        pixels = (grey_photo(37, 23) >> 4).astype(np.uint8)
        data = encode(pixels, PALETTE, palette=[(255, 0, 0), (0, 255, 0)])
        before = view(data).frames[0]
        assert (before[pixels >= 2][:, :3] == 0).all()
        assert np.array_equal(view(optimize(data, 100).data).frames[0], before)


class TestColour:
    """What a file says about its colours survives, unless it says no more than sRGB."""

    @pytest.mark.parametrize("quality", [60, 100])
    @pytest.mark.parametrize(
        "chunk",
        [
            pytest.param((b"gAMA", struct.pack(">I", 100_000)), id="linear gamma"),
            pytest.param((b"gAMA", struct.pack(">I", 55_556)), id="Macintosh gamma"),
            pytest.param((b"cICP", b"\x0c\x0d\x00\x01"), id="P3 coded"),
            pytest.param((b"cICP", b"\x09\x10\x00\x01"), id="PQ"),
            pytest.param(icc(display_p3_profile()), id="P3 profile"),
        ],
    )
    @pytest.mark.parametrize("picture", ["photo", "drawing", "grey drawing"])
    def test_it_is_kept(self, picture: str, chunk: Chunk, quality: int) -> None:
        pixels = {
            "photo": photo(45, 30),
            "drawing": logo_rgb(45, 30),
            "grey drawing": np.repeat(logo_rgb(45, 30)[..., :1], 3, axis=2),
        }[picture]
        data = encode(pixels, RGB, before=[chunk])
        result = optimize(data, quality)
        assert result.output_size < len(data)
        found, original = parse(result.data), parse(data)
        assert found.colour_space == original.colour_space
        assert optimize(result.data, quality).data == result.data

    def test_hdr_metadata_is_kept_beside_it(self) -> None:
        chunks = [(b"cICP", b"\x09\x10\x00\x01"), (b"mDCV", bytes(24)), (b"cLLI", bytes(8))]
        result, found = lossless(encode(wide(photo(30, 20)), RGB, 16, before=chunks))
        assert names(result.data)[1:4] == ["cICP", "mDCV", "cLLI"]
        assert found.bit_depth == 16

    @pytest.mark.parametrize(
        "chunks",
        [
            pytest.param([(b"sRGB", b"\0"), (b"gAMA", struct.pack(">I", 45_455))], id="sRGB"),
            pytest.param([icc(srgb_profile())], id="profile"),
            pytest.param([(b"cICP", b"\x01\x0d\x00\x01")], id="coded"),
            pytest.param([(b"iCCP", b"broken")], id="broken profile"),
            pytest.param([icc(grey_profile())], id="profile of the wrong kind"),
        ],
    )
    def test_what_says_nothing_is_dropped(self, chunks: list[Chunk]) -> None:
        result, _ = lossless(encode(photo(45, 30), RGB, before=chunks))
        assert names(result.data) == ["IHDR", "IDAT", "IEND"]

    def test_colour_chunks_that_do_not_count_stay_without_effect(self) -> None:
        palette = [(n, n, 255 - n) for n in range(16)]
        linear = (b"gAMA", struct.pack(">I", 100_000))
        pixels = (grey_photo(37, 23) >> 4).astype(np.uint8)
        result, _ = lossless(encode(pixels, PALETTE, palette=palette, behind_palette=[linear]))
        assert "gAMA" not in names(result.data)

    @pytest.mark.parametrize("quality", [60, 100])
    def test_a_profile_fits_the_colour_type_afterwards(self, quality: int) -> None:
        """Grey in colour keeps its RGB profile and grey with alpha its grey one."""
        grey = np.repeat(grey_photo(45, 30)[..., None], 3, axis=2)
        coloured = encode(grey, RGB, before=[icc(display_p3_profile())])
        with_grey = encode(
            with_alpha(grey_photo(45, 30), soft_edge(45, 30)),
            GREY_ALPHA,
            before=[icc(grey_profile())],
        )
        for data in (coloured, with_grey):
            result = optimize(data, quality)
            found = parse(result.data)
            assert result.output_size < len(data)
            assert found.icc_profile == parse(data).icc_profile
            assert found.icc_profile is not None
            expected = b"GRAY" if found.colour_type.is_grey else b"RGB "
            assert found.icc_profile[16:20] == expected


class TestMetadata:
    TEXT = (
        (b"tEXt", b"Author\0me"),
        (b"iTXt", b"Copyright\0\0\0\0\0all mine"),
        (b"zTXt", b"Creation Time\0\0" + zlib.compress(b"today")),
        (b"tEXt", b"Comment\0nothing"),
        (b"tIME", struct.pack(">HBBBBB", 2020, 1, 1, 0, 0, 0)),
        (b"pHYs", struct.pack(">IIB", 2835, 1000, 1)),
        (b"prVt", b"private, safe to copy".ljust(25, b".")),
        (b"prVT", b"private, unsafe to copy"),
        (b"caBX", b"signed"),
        (b"fcTL", bytes(26)),
    )

    @pytest.mark.parametrize("quality", [60, 100])
    @pytest.mark.parametrize(
        ("keep", "expected"),
        [
            ((), []),
            ((Keep.COPYRIGHT,), ["tEXt", "iTXt"]),
            ((Keep.CREATION,), ["zTXt", "tIME"]),
            ((Keep.COPYRIGHT, Keep.CREATION), ["tEXt", "iTXt", "zTXt", "tIME"]),
            ((Keep.LOCATION,), []),
            ((Keep.ALL,), ["tEXt", "iTXt", "zTXt", "tEXt", "tIME", "pHYs", "prVt"]),
        ],
    )
    def test_only_what_is_named_is_kept(
        self, keep: tuple[Keep, ...], expected: list[str], quality: int
    ) -> None:
        options = Options(keep=frozenset(keep))
        # Behind the image pHYs has no effect, so it is dropped there in any case.
        behind = [name for name in expected if name != "pHYs"]
        for data, wanted in (
            (encode(logo_rgb(60, 40), RGB, before=self.TEXT, pieces=9), expected),
            (encode(logo_rgb(60, 40), RGB, after=self.TEXT, pieces=9), behind),
        ):
            result = optimize(data, quality, options=options)
            kept = [name for name in names(result.data) if name not in {"IHDR", "PLTE", "IDAT"}]
            assert kept == [*wanted, "IEND"]
            assert optimize(result.data, quality, options=options).data == result.data

    def test_exif_keeps_only_the_orientation(self) -> None:
        result, found = lossless(
            encode(photo(45, 30), RGB, before=[(b"eXIf", exif(6, artist=True))])
        )
        assert found.exif is not None
        assert orientation(found.exif) == 6
        assert b"Nonymous" not in result.data
        kept, _ = lossless(
            encode(photo(45, 30), RGB, before=[(b"eXIf", exif(6, artist=True))]),
            options=Options(keep=frozenset({Keep.COPYRIGHT})),
        )
        assert b"Nonymous" in kept.data

    @pytest.mark.parametrize("quality", [60, 100])
    @pytest.mark.parametrize("value", range(1, 9))
    def test_picture_ends_upright(self, value: int, quality: int) -> None:
        pixels = np.repeat(np.repeat(quadrants(), 2, axis=0), 2, axis=1)
        data = encode(pixels, RGB, before=[(b"eXIf", exif(value)), (b"tEXt", bytes(9) * 99)])
        result = optimize(data, quality)
        before, after = view(data), view(result.data)
        assert (result.width, result.height) == before.size == after.size
        assert np.array_equal(before.frames[0], after.frames[0])

    def test_what_follows_the_end_is_dropped(self) -> None:
        data = encode(photo(45, 30), RGB)
        assert lossless(data + b"PK\3\4 hidden")[0].data == lossless(data)[0].data

    def test_samples_facts_go_with_the_samples(self) -> None:
        """sBIT, bKGD and hIST are kept on request, as long as they fit the pixels."""
        palette = [(n, n, 255 - n) for n in range(16)]
        chunks = [(b"bKGD", b"\3"), (b"hIST", bytes(range(32)))]
        pixels = (grey_photo(37, 23) >> 4).astype(np.uint8)
        data = encode(pixels, PALETTE, 4, palette=palette, behind_palette=chunks)
        result, found = lossless(data, options=Options(keep=frozenset({Keep.ALL})))
        if found.palette == parse(data).palette:
            assert {"bKGD", "hIST"} <= set(names(result.data))
        else:
            assert not {"bKGD", "hIST"} & set(names(result.data))


class TestDamage:
    """Every file is decoded in full, also when nothing is gained or time has run out."""

    def damaged(self, compressed: bytes, kind: int = RGB, depth: int = 8) -> bytes:
        return join([header(30, 20, depth, kind), (b"IDAT", compressed), (b"IEND", b"")])

    RAW = b"\0".join([b""] + [bytes(photo(30, 1, row).ravel()) for row in range(20)])

    def test_the_undamaged_file_is_fine(self) -> None:
        lossless(self.damaged(zlib.compress(self.RAW)))

    @pytest.mark.parametrize("options", [Options(), Options(limits=Limits(deadline=1e-9))])
    @pytest.mark.parametrize("quality", [60, 100])
    @pytest.mark.parametrize(
        "compressed",
        [
            pytest.param(zlib.compress(RAW)[:-1], id="end missing"),
            pytest.param(zlib.compress(RAW)[: len(RAW) // 2], id="half missing"),
            pytest.param(zlib.compress(RAW[:-1]), id="a byte short"),
            pytest.param(zlib.compress(RAW + b"\0"), id="a byte long"),
            pytest.param(zlib.compress(RAW)[:-4] + bytes(4), id="wrong Adler-32"),
            pytest.param(zlib.compress(b"\5" + RAW[1:]), id="unknown filter"),
            pytest.param(zlib.compress(bytes(50_000_000)), id="bomb"),
            pytest.param(b"\x78\x9c" + bytes(500), id="no DEFLATE"),
        ],
    )
    def test_pixels_are_decoded_strictly(
        self, compressed: bytes, quality: int, options: Options
    ) -> None:
        with pytest.raises(CorruptImageError, match="image data"):
            optimize(self.damaged(compressed), quality, options=options)


class TestEffort:
    def test_it_depends_on_the_number_of_pixels(self) -> None:
        never = Deadline()
        assert [level_for(n, never) for n in (1, 250_000, 250_001, 16_000_000, 50_000_000)] == [
            4, 4, 2, 2, 1
        ]  # fmt: skip

    def test_it_falls_with_the_time_left(self) -> None:
        levels = [level_for(10_000_000, Deadline.after(left)) for left in (1000, 20, 5, 0.001)]
        assert levels == [2, 1, 0, 0]

    def test_without_time_the_result_is_still_honest(self) -> None:
        data = encode(photo(300, 200), RGB, before=[(b"tEXt", b"Comment\0" + bytes(2000))])
        result = optimize(data, 80, options=Options(limits=Limits(deadline=1e-9)))
        assert result.output_size < len(data)
        assert np.array_equal(samples(result.data), samples(data))

    def test_packing_again_gains_nothing(self) -> None:
        for seed in range(8):
            data = optimize(encode(photo(64 + seed, 50, seed), RGB), 100).data
            again = oxipng.pack(data, Packing(level=4), Deadline())
            assert again == data

    def test_already_packed_is_returned_as_it_is(self) -> None:
        data = optimize(encode(photo(45, 30), RGB), 100).data
        result = optimize(data, 100)
        assert (result.data, result.method, result.saved) == (data, ALREADY_OPTIMAL, 0)

    def test_a_missing_package_is_named(self) -> None:
        code = "import sys; sys.modules['oxipng'] = None; import tinyjpg.backends.oxipng"
        ended = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
        assert b"MissingToolError" in ended.stderr
        assert b"pip install oxipng-pybind" in ended.stderr


class TestMark:
    """A result says at which quality its colours were reduced; a palette alone does not."""

    @staticmethod
    def palette() -> bytes:
        """Many colours, none of them reduced by anybody."""
        colours = [(n, 255 - n, n // 2) for n in range(256)]
        return encode(grey_photo(160, 120), PALETTE, palette=colours)

    def test_grey_is_reduced_like_other_pictures(self) -> None:
        data = encode(grey_photo(160, 120), GREY)
        result = optimize(data, 80)
        assert result.output_size < optimize(data, 100).output_size
        assert 79.5 <= result.score < 100
        assert optimize(result.data, 80).data == result.data

    def test_a_palette_of_many_colours_is_reduced_like_other_pictures(self) -> None:
        result = optimize(self.palette(), 80)
        assert result.output_size < optimize(self.palette(), 100).output_size
        assert 79.5 <= result.score < 100
        assert parse(result.data).quantised_at == 80

    def test_what_was_made_for_a_quality_is_left_alone_at_that_or_above(self) -> None:
        result = optimize(self.palette(), 80)
        for quality in (80, 90, 99, 100):
            assert optimize(result.data, quality).data == result.data
        lower = optimize(result.data, 30)
        assert lower.output_size < result.output_size
        assert parse(lower.data).quantised_at == 30
        assert optimize(lower.data, 30).data == lower.data

    def test_without_the_mark_it_would_be_reduced_again(self) -> None:
        made = optimize(self.palette(), 80).data
        bare = join([one for one in split(made) if one[0] != b"tjPQ"])
        assert parse(bare).quantised_at is None
        assert optimize(bare, 80).score < 100

    def test_a_forged_mark_counts_for_nothing(self) -> None:
        chunks = split(optimize(self.palette(), 50).data)
        mark = next(one for one in chunks if one[0] == b"tjPQ")
        forged = encode(photo(60, 40), RGB, after=[mark])
        assert optimize(forged, 50).data == optimize(encode(photo(60, 40), RGB), 50).data

    def test_a_lossless_result_needs_none(self) -> None:
        _, found = lossless(self.palette())
        assert found.quantised_at is None


@needs_shared
@pytest.mark.parametrize("path", corpus("pngsuite"), ids=lambda path: str(path.stem))
def test_the_png_suite_comes_out_sample_for_sample(path: Path) -> None:
    data = path.read_bytes()
    if path.stem.startswith("pngsuite__x"):
        pytest.skip("broken on purpose")
    before = parse(data)
    _, after = lossless(data)
    assert after.upright_size == before.upright_size
    gammas = {before.colour_space.gamma, after.colour_space.gamma}
    assert len(gammas) == 1 or gammas == {None, 45_455}
