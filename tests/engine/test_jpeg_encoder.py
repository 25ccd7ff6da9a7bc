"""The native JPEG encoder: its files are valid, and decoders show what it says they will."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from benchmarks.mozjpeg import Manner
from benchmarks.mozjpeg import encode as encode_by_mozjpeg
from tests.engine import jpeg_oracle as oracle
from tests.engine.encoded import (
    EVERY_SUBSAMPLING,
    by_pillow,
    check,
    planned,
    prepared,
    size_at,
    textured,
)
from tests.images import photo
from tinyjpg.backends import vips
from tinyjpg.backends.jpeg import LARGEST_SIDE, SCALES, Coefficients, Subsampling, Tables
from tinyjpg.codecs.jpeg_scales import Chroma
from tinyjpg.errors import InvalidOptionError
from tinyjpg.formats import Format
from tinyjpg.metric import ssimulacra2
from tinyjpg.native import available_instruction_sets, force_instruction_set

Pixels = npt.NDArray[np.uint8]

COLOURED = pytest.mark.parametrize(
    "subsampling",
    [one for one in Subsampling if one is not Subsampling.GREY],
    ids=lambda one: one.name,
)


@pytest.fixture(autouse=True)
def _unforced() -> Iterator[None]:
    yield
    force_instruction_set(None)


def by_libvips(jpeg: bytes) -> Pixels:
    with vips.decoding(Format.JPEG):
        return vips.pixels(vips.load(jpeg, Format.JPEG, fail_on="warning"))


@EVERY_SUBSAMPLING
@pytest.mark.parametrize("width", range(1, 34))
def test_small_sizes_decode_to_the_promised_pixels(width: int, subsampling: Subsampling) -> None:
    for height in (1, 2, 3, 8, 15, 16, 17, 33, 34 - width):
        check(planned(photo(width, height, seed=height), subsampling))


@EVERY_SUBSAMPLING
@pytest.mark.parametrize("size", [(1, 40), (40, 1), (17, 9), (257, 130), (64, 64)], ids=str)
@pytest.mark.parametrize("scale", [SCALES[0], 300, 5000, SCALES[-1]])
def test_libvips_shows_the_same(
    size: tuple[int, int], subsampling: Subsampling, scale: int
) -> None:
    check(planned(photo(*size), subsampling, scale), by_libvips)


@EVERY_SUBSAMPLING
def test_the_widest_and_the_tallest_there_can_be(subsampling: Subsampling) -> None:
    check(planned(photo(LARGEST_SIDE, 3), subsampling, 3000))
    check(planned(photo(3, LARGEST_SIDE), subsampling, 3000))


def extremes() -> dict[str, Pixels]:
    random = np.random.default_rng(5)
    down, across = np.mgrid[0:48, 0:61]
    checks = ((down + across) % 2 * 255).astype(np.uint8)
    return {
        "black": np.zeros((48, 61, 3), np.uint8),
        "white": np.full((48, 61, 3), 255, np.uint8),
        "noise": random.integers(0, 256, (48, 61, 3), np.uint8),
        "black or white": random.integers(0, 2, (48, 61, 3), np.uint8) * np.uint8(255),
        "checks": np.repeat(checks[..., None], 3, axis=2),
        "red and blue": np.stack([checks, 0 * checks, 255 - checks], axis=-1),
        "green and magenta": np.stack([checks, 255 - checks, checks], axis=-1),
        "stripes": np.repeat(((down // 2 % 2) * 255).astype(np.uint8)[..., None], 3, axis=2),
    }


@EVERY_SUBSAMPLING
@pytest.mark.parametrize("name", extremes())
@pytest.mark.parametrize("effort", [1, 5])
def test_extreme_pictures(name: str, subsampling: Subsampling, effort: int) -> None:
    pixels = extremes()[name]
    for scale in (1, 200, 1100, 9000):
        check(planned(pixels, subsampling, scale, effort))


@settings(max_examples=60, deadline=None)
@given(
    width=st.integers(1, 90),
    height=st.integers(1, 90),
    seed=st.integers(0, 1 << 20),
    contrast=st.floats(0, 8),
    scale=st.integers(SCALES[0], 20_000),
    effort=st.integers(1, 9),
    subsampling=st.sampled_from(Subsampling),
    tables=st.sampled_from(Tables),
)
def test_any_picture_decodes_to_the_promised_pixels(
    *,
    width: int,
    height: int,
    seed: int,
    contrast: float,
    scale: int,
    effort: int,
    subsampling: Subsampling,
    tables: Tables,
) -> None:
    smooth = photo(width, height, seed % 50).astype(np.float64)
    noise = np.random.default_rng(seed).normal(0, 9, smooth.shape)
    pixels = np.clip(contrast * (smooth - 128) + 128 + noise, 0, 255).astype(np.uint8)
    check(planned(pixels, subsampling, scale, effort, tables))


# ---- Against the literal reference ----


@EVERY_SUBSAMPLING
@pytest.mark.parametrize("size", [(1, 1), (5, 3), (16, 16), (35, 29), (50, 19)], ids=str)
@pytest.mark.parametrize("scale", [60, 1100])
def test_a_literal_decoder_reads_the_same(
    size: tuple[int, int], subsampling: Subsampling, scale: int
) -> None:
    made = planned(photo(*size), subsampling, scale)
    progressive = oracle.decode(made.write())
    sequential = oracle.decode(made.write(progressive=False))
    for one, other in zip(progressive.components, sequential.components, strict=True):
        assert np.array_equal(one.levels, other.levels)
    assert np.array_equal(oracle.shown(progressive), made.show())


# What a scan may end with, in zigzag order, and how many a component may have besides DC.
SCAN_ENDS = (2, 5, 9, 14, 20, 27, 63)
MOST_SCANS = 4


def every_script() -> list[list[tuple[int, int]]]:
    """All ways to share out coefficients 1 to 63."""
    cuts = itertools.chain.from_iterable(
        itertools.combinations(SCAN_ENDS[:-1], count) for count in range(MOST_SCANS)
    )
    return [list(zip((1, *(end + 1 for end in ends)), (*ends, 63), strict=True)) for ends in cuts]


@pytest.mark.parametrize("scale", [90, 500, 4000])
@pytest.mark.parametrize("noise", [0, 12])
def test_no_other_scans_would_be_smaller(scale: int, noise: int) -> None:
    """Of a dead zone, by which scans are chosen: the levels of a file are those counted."""
    pixels = photo(120, 104).astype(np.float64)
    pixels += np.random.default_rng(1).normal(0, noise, pixels.shape)
    made = planned(pixels.clip(0, 255).astype(np.uint8), Subsampling.CHROMA_420, scale, effort=1)
    decoded = oracle.decode(made.write())
    for index, component in enumerate(decoded.components):
        down, across = decoded.real_blocks(component)
        levels = component.levels[:down, :across].reshape(-1, 64)[:, oracle.ZIGZAG]
        bits = {
            (first, last): oracle.scan_bits(levels[:, first : last + 1])
            for script in every_script()
            for first, last in script
        }
        chosen = [scan[1:] for scan in decoded.scans if scan[0] == (index + 1,)]
        assert [first for first, _ in chosen] == [1, *(last + 1 for _, last in chosen[:-1])]
        least = min(sum(bits[scan] for scan in script) for script in every_script())
        assert sum(bits[scan] for scan in chosen) <= least + 16 * MOST_SCANS


@pytest.mark.parametrize("subsampling", [Subsampling.GREY, Subsampling.CHROMA_420])
def test_a_sequential_file_has_one_scan(subsampling: Subsampling) -> None:
    made = planned(photo(60, 50), subsampling)
    components = (1,) if subsampling is Subsampling.GREY else (1, 2, 3)
    assert oracle.decode(made.write()).scans[0] == (components, 0, 0)
    assert oracle.decode(made.write(progressive=False)).scans == [(components, 0, 63)]


def segments(jpeg: bytes) -> list[tuple[int, int]]:
    """Markers and lengths of the segments; entropy-coded data holds no other marker."""
    found, at = [], 2
    while jpeg[at + 1] != 0xD9:
        length = int.from_bytes(jpeg[at + 2 : at + 4], "big")
        found.append((jpeg[at + 1], length))
        at += 2 + length
        while jpeg[at] != 0xFF or jpeg[at + 1] == 0:
            at += 1
    return found


@EVERY_SUBSAMPLING
@pytest.mark.parametrize("tables", Tables, ids=lambda one: one.name)
def test_tables_take_no_more_room_than_they_must(subsampling: Subsampling, tables: Tables) -> None:
    """Small logos of 2 kB would be 4 % larger."""
    made = planned(textured(), subsampling, 300, tables=tables)
    different = 1 if subsampling is Subsampling.GREY else 2 if tables is Tables.DRAWING else 3
    for progressive in (True, False):
        found = segments(made.write(progressive=progressive))
        assert [length for marker, length in found if marker == 0xDB] == [2 + 65 * different]
        scans = sum(marker == 0xDA for marker, _ in found)
        # The first scan comes with four bands' tables, each later group of four with its own.
        groups = 1 + max(0, -(-(scans - 1 - 4) // 4))
        assert sum(marker == 0xC4 for marker, _ in found) == groups
    assert scans == 1


def expected_planes(pixels: Pixels, subsampling: Subsampling) -> list[npt.NDArray[np.float64]]:
    """Planes of samples; luma without the correction."""
    codes = pixels.astype(np.float64)
    if subsampling is Subsampling.GREY:
        return [codes[..., 0]]
    across, down = {
        Subsampling.CHROMA_444: (1, 1),
        Subsampling.CHROMA_422: (2, 1),
        Subsampling.CHROMA_420: (2, 2),
    }[subsampling]
    height, width, _ = codes.shape
    # Rows are repeated to the end of the MCU, columns as far as there is chroma.
    padded = np.pad(codes, ((0, -height % (8 * down)), (0, -width % across), (0, 0)), mode="edge")
    light = oracle.linear(padded)
    means = light.reshape(len(padded) // down, down, -1, across, 3).mean(axis=(1, 3))
    chroma = oracle.to_ycc(oracle.codes(means))
    return [oracle.to_ycc(codes)[..., 0], chroma[..., 1], chroma[..., 2]]


@EVERY_SUBSAMPLING
@pytest.mark.parametrize("size", [(64, 48), (37, 21), (9, 40)], ids=str)
def test_levels_are_the_transform_of_the_picture(
    size: tuple[int, int], subsampling: Subsampling
) -> None:
    """At the finest scale, where every level is the nearest; nothing is white or black."""
    pixels = photo(*size).clip(1, 254)
    decoded = oracle.decode(planned(pixels, subsampling, SCALES[0]).write())
    planes = expected_planes(pixels, subsampling)
    for index, (component, plane) in enumerate(zip(decoded.components, planes, strict=True)):
        down, across = decoded.real_blocks(component)
        expected = oracle.coefficients(plane)[:down, :across]
        errors = np.abs(component.levels[:down, :across] * component.steps - expected)
        if index == 0 and subsampling in (Subsampling.CHROMA_422, Subsampling.CHROMA_420):
            # The correction moves luma, but hardly where colours do not change much.
            assert errors.mean() < 0.6
        else:
            # The inverse of linear light is a table, and samples have three fractional bits.
            assert (errors < component.steps / 2 + 0.3).all()


@COLOURED
def test_the_correction_keeps_the_luminance_of_coloured_edges(subsampling: Subsampling) -> None:
    """Seen through the decoder's upsampling, against the same file with plain luma."""
    pixels = np.full((64, 64, 3), (250, 30, 30), np.uint8)
    pixels[:, 1::4] = pixels[1::4, :] = (30, 60, 250)
    weights = np.array([0.265, 0.657, 0.078])
    wanted = oracle.linear(pixels.astype(np.float64)) @ weights
    is_ours = prepared(pixels, subsampling)
    is_ours.plan(SCALES[0])
    ours = oracle.linear(is_ours.show().astype(np.float64)) @ weights
    if subsampling is Subsampling.CHROMA_444:
        assert np.abs(ours - wanted).mean() < 0.004
        return
    plain = io.BytesIO()
    name = {Subsampling.CHROMA_422: 1, Subsampling.CHROMA_420: 2}[subsampling]
    Image.fromarray(pixels).save(plain, "JPEG", quality=100, subsampling=name)
    theirs = oracle.linear(by_pillow(plain.getvalue()).astype(np.float64)) @ weights
    assert np.abs(ours - wanted).mean() < 0.4 * np.abs(theirs - wanted).mean()


@pytest.mark.parametrize("inverted", [False, True], ids=["on white", "on black"])
def test_letters_on_white_or_black_ring_less_than_what_is_not_clipped(inverted: bool) -> None:
    """The same strokes between code values that decoders clip, and between others."""
    strokes = np.zeros((64, 96), dtype=bool)
    random = np.random.default_rng(5)
    for _ in range(30):
        top, left = random.integers(0, 60), random.integers(0, 90)
        strokes[top : top + 9, left : left + 2] = True
        strokes[top : top + 2, left : left + 7] = True
    errors, sizes = [], []
    for ground, ink in ((255, 35), (240, 20)):
        pixels = np.where(strokes, ink, ground).astype(np.uint8)[..., None].repeat(3, axis=2)
        pixels = 255 - pixels if inverted else pixels
        made = planned(pixels, Subsampling.CHROMA_420, 2000)
        plain = ~strokes
        errors.append(np.abs(made.show()[plain].astype(int) - pixels[plain]).mean())
        sizes.append(len(made.write()))
    assert errors[0] < 0.6 * errors[1]
    assert sizes[0] < 1.03 * sizes[1]


# ---- What it is for ----


def test_smaller_than_mozjpeg_at_the_same_score_and_with_a_trellis_than_without() -> None:
    pixels = textured()
    image = vips.from_pixels(pixels)
    points = []
    for quality in range(50, 96, 5):
        jpeg = encode_by_mozjpeg(image, Manner(Chroma.SUBSAMPLED, 3), quality, scans=True)
        points.append((ssimulacra2(pixels, by_pillow(jpeg)), len(jpeg)))
    scores, sizes = zip(*points, strict=True)
    for score in (70, 80):
        theirs = float(np.interp(score, scores, sizes))
        assert size_at(pixels, score, effort=5) < 0.95 * theirs
        assert size_at(pixels, score, effort=5) < 0.99 * size_at(pixels, score, effort=1)


def test_a_coarser_scale_takes_fewer_bytes_and_scores_less() -> None:
    pixels = photo(200, 150)
    made = prepared(pixels, Subsampling.CHROMA_420)
    sizes, scores = [], []
    for scale in (150, 600, 2400):
        made.plan(scale)
        sizes.append(len(made.write()))
        scores.append(ssimulacra2(pixels, made.show()))
    assert sizes == sorted(sizes, reverse=True)
    assert scores == sorted(scores, reverse=True)


# ---- The same bytes, however they are made ----


@EVERY_SUBSAMPLING
@pytest.mark.parametrize("size", [(16, 16), (130, 75), (331, 40)], ids=str)
@pytest.mark.parametrize("effort", [1, 5, 9])
def test_every_instruction_set_writes_the_same_bytes(
    size: tuple[int, int], subsampling: Subsampling, effort: int
) -> None:
    pixels = photo(*size)
    pixels[5:12, 3:14] = np.random.default_rng(1).integers(0, 256, (7, 11, 3), np.uint8)
    files, pictures = set(), set()
    for name in available_instruction_sets():
        force_instruction_set(name)
        made = planned(pixels, subsampling, 700, effort)
        files.add(made.write())
        pictures.add(made.show().tobytes())
    assert len(files) == len(pictures) == 1


@EVERY_SUBSAMPLING
@pytest.mark.parametrize("height", [1, 8, 15, 16, 17, 33, 100])
@pytest.mark.parametrize("strip", [1, 3, 16, 64])
def test_any_division_into_strips_makes_the_same_file(
    height: int, strip: int, subsampling: Subsampling
) -> None:
    pixels = photo(45, height)
    whole = planned(pixels, subsampling)
    rows = pixels[..., :1] if subsampling is Subsampling.GREY else pixels
    for progressive in (True, False):
        stream = whole.stream(45, height, progressive=progressive)
        for top in range(0, height, strip):
            stream.push(np.ascontiguousarray(rows[top : top + strip]))
        assert stream.finish() == whole.write(progressive=progressive)


def test_what_was_planned_before_leaves_no_trace() -> None:
    pixels = photo(90, 70)
    made = planned(pixels, Subsampling.CHROMA_420, 300)
    made.show()
    made.write(progressive=False)
    made.plan(1500)
    assert made.write() == planned(pixels, Subsampling.CHROMA_420, 1500).write()
    assert made.write() == made.write()


# ---- What is refused ----


@pytest.mark.parametrize(
    "size", [(0, 5), (5, 0), (LARGEST_SIDE + 1, 1), (1, LARGEST_SIDE + 1), (-1, 5)], ids=str
)
def test_sizes_that_no_jpeg_has_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(InvalidOptionError, match=f"{size[0]} x {size[1]}"):
        Coefficients(*size, Subsampling.CHROMA_420)
    with pytest.raises(InvalidOptionError, match=f"{size[0]} x {size[1]}"):
        planned(photo(8, 8), Subsampling.GREY).stream(*size)


@pytest.mark.parametrize("scale", [0, -5, SCALES[-1] + 1])
def test_scales_out_of_range_are_refused(scale: int) -> None:
    with pytest.raises(InvalidOptionError, match="scale"):
        planned(photo(8, 8), Subsampling.GREY, scale)


@pytest.mark.parametrize("effort", [0, 10])
def test_efforts_out_of_range_are_refused(effort: int) -> None:
    with pytest.raises(InvalidOptionError, match="effort"):
        planned(photo(8, 8), Subsampling.GREY, effort=effort)


def test_rows_of_another_kind_are_refused() -> None:
    made = Coefficients(8, 8, Subsampling.CHROMA_420)
    with pytest.raises(InvalidOptionError, match="1 bands; give 3"):
        made.push(np.zeros((8, 8, 1), np.uint8))
    with pytest.raises(InvalidOptionError, match="8 x 2 and 9 x 2"):
        made.push(np.zeros((2, 9, 3), np.uint8))
    with pytest.raises(InvalidOptionError, match="9 rows are given, but only 8 of 8"):
        made.push(np.zeros((9, 8, 3), np.uint8))
    made.push(np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(InvalidOptionError, match="only 0 of 8"):
        made.push(np.zeros((1, 8, 3), np.uint8))


def test_nothing_is_made_before_all_rows_are_in_and_a_scale_is_planned() -> None:
    made = Coefficients(8, 8, Subsampling.GREY)
    made.push(np.zeros((5, 8, 1), np.uint8))
    with pytest.raises(InvalidOptionError, match="3 of 8 rows are missing"):
        made.plan(500)
    made.push(np.zeros((3, 8, 1), np.uint8))
    for attempt in (made.show, made.write, lambda: made.stream(8, 8)):
        with pytest.raises(InvalidOptionError, match="call plan first"):
            attempt()
    made.plan(500)
    stream = made.stream(9, 9)
    stream.push(np.zeros((8, 9, 1), np.uint8))
    with pytest.raises(InvalidOptionError, match="1 of 9 rows are missing"):
        stream.finish()
