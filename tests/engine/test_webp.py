"""The WebP codec on stills: what becomes lossy, what is only packed, what is refused."""

from __future__ import annotations

import struct
from dataclasses import replace

import numpy as np
import pytest

from tests.engine.webp_files import (
    SRGB,
    chunk,
    decoded,
    exif,
    extended,
    names,
    payload,
    picture,
    riff,
    transparent,
    wide_gamut,
)
from tests.images import Pixels, encode, mean_error, photo, quadrants, shown
from tests.promises import check
from tests.shared import corpus, needs_shared
from tinyjpg import CorruptImageError, Keep, Limits, Options, optimize
from tinyjpg.codecs.webp_bitstreams import (
    decode,
    encode_lossless,
    is_identical,
    normalised,
    with_packed_alpha,
)
from tinyjpg.containers import exif as exif_blocks
from tinyjpg.containers.webp import parse
from tinyjpg.containers.webp_writer import write
from tinyjpg.verify import Verifier

PHOTO = photo(160, 120)
FINE = encode(PHOTO, "WEBP", quality=98)
COARSE = encode(PHOTO, "WEBP", quality=60)
LOSSLESS = encode(PHOTO, "WEBP", lossless=True, quality=0, method=0)


def drawing(width: int = 120, height: int = 90) -> Pixels:
    """Flat colours with sharp thin lines: chroma subsampling ruins it."""
    pixels = np.full((height, width, 3), 255, np.uint8)
    pixels[::4, :] = (255, 0, 0)
    pixels[:, ::6] = (0, 0, 255)
    pixels[10:40, 20:90] = (0, 160, 0)
    return pixels


def with_chunks(picture_chunks: bytes, flags: int, *others: bytes) -> bytes:
    """A 160 x 120 extended file; a profile goes before the picture, all else behind it."""
    before = [one for one in others if one.startswith(b"ICCP")]
    behind = [one for one in others if not one.startswith(b"ICCP")]
    return riff(extended(flags, 160, 120), *before, picture_chunks, *behind)


@pytest.mark.parametrize("data", [FINE, LOSSLESS], ids=["lossy", "lossless"])
def test_a_fine_photo_becomes_lossy_at_the_score_asked_for(data: bytes) -> None:
    result = optimize(data, 80)
    check(data, result, 80)
    assert names(result.data) in ([b"VP8 "], [b"VP8X", b"VP8 ", b"TJPG"])
    assert result.saved > 0.3
    assert "libwebp Q" in result.method
    score = Verifier(decoded(data)).score(decoded(result.data))
    assert score == pytest.approx(result.score, abs=0.01)
    assert 79.5 <= score <= 86


def test_a_lossy_file_at_the_level_is_returned_as_it_is() -> None:
    result = optimize(COARSE, 80)
    assert result.data == COARSE
    assert result.method == "already optimal"


def test_a_lossy_file_keeps_its_pixels_at_quality_100() -> None:
    data = riff(extended(4, 160, 120), picture(PHOTO, quality=98), chunk(b"XMP ", b"x" * 99))
    result = optimize(data, 100)
    check(data, result, 100)
    assert names(result.data) == [b"VP8 "]
    assert payload(result.data, b"VP8 ") == payload(data, b"VP8 ")


def test_a_lossless_file_is_packed_tighter_at_quality_100() -> None:
    result = optimize(LOSSLESS, 100)
    check(LOSSLESS, result, 100)
    assert names(result.data) == [b"VP8L"]
    assert result.saved > 0.05
    assert np.array_equal(decoded(result.data), PHOTO)


def test_colours_of_clear_pixels_survive_at_quality_100_only() -> None:
    pixels = transparent(PHOTO)
    data = encode(pixels, "WEBP", lossless=True, exact=True, quality=0, method=0)
    assert np.array_equal(decoded(optimize(data, 100).data), pixels)
    check(data, optimize(data, 99), 99)


def test_a_drawing_that_lossy_coding_ruins_stays_lossless() -> None:
    data = encode(drawing(), "WEBP", lossless=True, quality=0, method=0)
    result = optimize(data, 95)
    check(data, result, 95)
    assert parse(result.data).lossless


def test_near_lossless_results_are_marked_so_that_they_are_made_once() -> None:
    pixels = photo(160, 120, seed=2)
    pixels[::3] = 255
    data = encode(pixels, "WEBP", lossless=True)
    result = optimize(data, 90)
    check(data, result, 90)
    assert result.method.startswith("near-lossless")
    assert parse(result.data).marked_quality == 90
    stripped = write(replace(parse(result.data), marked_quality=None))
    assert optimize(stripped, 90).data != result.data or len(stripped) < len(result.data)


def test_a_marker_of_another_picture_does_not_stop_anything() -> None:
    foreign = payload(write(replace(parse(COARSE), marked_quality=50)), b"TJPG")
    data = with_chunks(picture(PHOTO, lossless=True), 0, chunk(b"TJPG", foreign))
    result = optimize(data, 80)
    assert result.saved > 0.5
    valid = write(replace(parse(LOSSLESS), marked_quality=50))
    assert optimize(valid, 80).data == valid
    assert optimize(valid, 40).saved > 0.5


@pytest.mark.parametrize("lossless", [False, True])
def test_transparency_is_kept(lossless: bool) -> None:
    pixels = transparent(PHOTO)
    data = encode(pixels, "WEBP", lossless=lossless, quality=98, exact=True)
    result = optimize(data, 80)
    check(data, result, 80)
    assert result.saved > 0.2
    made = decoded(result.data)
    assert made.shape == pixels.shape
    assert not made[..., 3][pixels[..., 3] == 0].any()
    assert (made[..., 3][pixels[..., 3] == 255] == 255).all()


def test_an_opaque_alpha_plane_is_dropped() -> None:
    pixels = np.dstack([PHOTO, np.full(PHOTO.shape[:2], 255, np.uint8)])
    alpha = chunk(b"ALPH", b"\0" + bytes([255]) * (160 * 120))
    data = with_chunks(alpha + picture(PHOTO, quality=50), 0x10)
    assert decoded(data).shape == pixels.shape
    result = optimize(data, 100)
    check(data, result, 100)
    assert names(result.data) == [b"VP8 "]


def test_an_alpha_plane_is_packed_without_loss() -> None:
    pixels = transparent(PHOTO)
    alpha = chunk(b"ALPH", b"\0" + pixels[..., 3].tobytes())
    data = with_chunks(alpha + picture(PHOTO, quality=50), 0x10)
    result = optimize(data, 100)
    check(data, result, 100)
    assert result.method == "alpha repacked losslessly"
    assert np.array_equal(decoded(result.data)[..., 3], pixels[..., 3])
    assert np.array_equal(decoded(result.data), decoded(data))


@pytest.mark.parametrize("lossless", [False, True])
def test_transparency_that_the_container_denies_is_left_alone(lossless: bool) -> None:
    image = picture(transparent(PHOTO), lossless=lossless, quality=98)
    data = with_chunks(image, 0x04, chunk(b"XMP ", b"<x:xmpmeta/>"))
    result = optimize(data, 80)
    assert result.method == "metadata removed"
    assert payload(result.data, b"VP8X")[0] == 0
    assert optimize(result.data, 80).data == result.data


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("quality", [80, 100])
@pytest.mark.parametrize("lossless", [False, True])
def test_orientation_is_upright_on_every_path(
    orientation: int, quality: int, lossless: bool
) -> None:
    noise = photo(160, 120, seed=1) // 12
    pixels = quadrants(160, 120) // 12 * 11 + noise
    block = chunk(b"EXIF", exif(orientation))
    data = with_chunks(picture(pixels, lossless=lossless, quality=98), 0x08, block)
    result = optimize(data, quality)
    check(data, result, quality)
    assert mean_error(np.asarray(shown(result.data)), np.asarray(shown(data))) < 4
    assert parse(result.data).orientation == (orientation if quality == 100 else 1)
    if quality == 100 and orientation != 1:
        assert payload(result.data, b"EXIF") == exif_blocks.select(None, frozenset(), orientation)
    else:
        assert b"EXIF" not in names(result.data)


METADATA = with_chunks(
    picture(PHOTO, quality=50),
    0x0C,
    chunk(b"EXIF", exif(1)),
    chunk(b"XMP ", b"<x:xmpmeta/>"),
    chunk(b"ABCD", b"unknown"),
)


def test_metadata_is_dropped_by_default() -> None:
    assert names(optimize(METADATA).data) == [b"VP8 "]


@pytest.mark.parametrize(
    ("keep", "kept", "dropped"),
    [
        (Keep.COPYRIGHT, b"somebody", b"2026"),
        (Keep.CREATION, b"2026", b"somebody"),
        (Keep.LOCATION, b"N\0", b"somebody"),
    ],
)
def test_chosen_metadata_is_kept(keep: Keep, kept: bytes, dropped: bytes) -> None:
    result = optimize(METADATA, options=Options(keep=frozenset({keep})))
    assert names(result.data) == [b"VP8X", b"VP8 ", b"EXIF"]
    assert kept in payload(result.data, b"EXIF")
    assert dropped not in payload(result.data, b"EXIF")


def test_all_metadata_is_kept_on_request_and_orientation_baked_in() -> None:
    data = with_chunks(
        picture(PHOTO, quality=98),
        0x0C,
        chunk(b"EXIF", exif(6)),
        chunk(b"XMP ", b"<x:xmpmeta/>"),
        chunk(b"ABCD", b"unknown"),
    )
    options = Options(keep=frozenset({Keep.ALL}))
    result = optimize(data, 80, options=options)
    header = parse(result.data)
    assert (header.width, header.height, header.orientation) == (120, 160, 1)
    assert header.exif is not None
    assert b"somebody" in header.exif
    assert header.xmp == b"<x:xmpmeta/>"
    assert header.other == ((b"ABCD", b"unknown"),)
    assert optimize(result.data, 80, options=options).data == result.data


@pytest.mark.parametrize("quality", [80, 100])
def test_a_wide_gamut_profile_is_kept(quality: int) -> None:
    data = with_chunks(picture(PHOTO, lossless=True), 0x20, chunk(b"ICCP", wide_gamut()))
    result = optimize(data, quality)
    check(data, result, quality)
    assert payload(result.data, b"ICCP") == wide_gamut()
    assert (b"VP8L" in names(result.data)) == (quality == 100)


@pytest.mark.parametrize("quality", [80, 100])
def test_a_profile_that_is_srgb_is_dropped(quality: int) -> None:
    data = with_chunks(picture(PHOTO, lossless=True), 0x20, chunk(b"ICCP", SRGB))
    result = optimize(data, quality)
    check(data, result, quality)
    assert b"ICCP" not in names(result.data)


def test_a_profile_for_another_colour_space_forbids_lossy_coding() -> None:
    grey = bytearray(wide_gamut())
    grey[16:20] = b"GRAY"
    data = with_chunks(picture(PHOTO, lossless=True), 0x20, chunk(b"ICCP", bytes(grey)))
    result = optimize(data, 80)
    assert parse(result.data).lossless
    assert payload(result.data, b"ICCP") == bytes(grey)
    assert np.array_equal(decoded(result.data), PHOTO)


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (3, 2), (16, 16), (33, 7)])
@pytest.mark.parametrize("lossless", [False, True])
@pytest.mark.parametrize("quality", [60, 90, 100])
def test_tiny_pictures_keep_the_promises(
    size: tuple[int, int], lossless: bool, quality: int
) -> None:
    data = encode(photo(*size), "WEBP", lossless=lossless, quality=97)
    check(data, optimize(data, quality), quality)


def test_damaged_pixels_are_refused_and_never_half_grey() -> None:
    for data in (FINE, LOSSLESS, encode(transparent(PHOTO), "WEBP", quality=90)):
        name, whole = next((n, p) for n, p in parse(data).pictures[0].bitstream.chunks)
        for part in (0.2, 0.6, 0.9):
            short = chunk(name, whole[: int(len(whole) * part)])
            others = [chunk(n, p) for n, p in parse(data).pictures[0].bitstream.chunks if n != name]
            flags = 0x10 if name == b"ALPH" else 0
            damaged = riff(extended(flags, 160, 120), short, *others)
            with pytest.raises(CorruptImageError):
                optimize(damaged, 80)


def test_a_riff_size_beyond_the_file_is_refused() -> None:
    longer = FINE[:4] + struct.pack("<I", len(FINE)) + FINE[8:]
    with pytest.raises(CorruptImageError, match="truncated"):
        optimize(longer)


def test_bytes_behind_the_file_are_dropped() -> None:
    result = optimize(COARSE + b"garbage " * 9, 80)
    assert result.data == COARSE


def test_a_deadline_still_gives_a_valid_result() -> None:
    big = encode(photo(900, 700), "WEBP", lossless=True, quality=0, method=0)
    result = optimize(big, 80, options=Options(limits=Limits(deadline=0.2)))
    assert result.output_size <= len(big)
    assert decoded(result.data).shape == (700, 900, 3)


def test_normalised_pixels_hide_nothing_visible() -> None:
    pixels = transparent(PHOTO)
    made = normalised(pixels)
    clear = pixels[..., 3] == 0
    assert clear.any()
    assert not made[clear].any()
    assert np.array_equal(made[~clear], pixels[~clear])
    opaque = np.dstack([PHOTO, np.full(PHOTO.shape[:2], 255, np.uint8)])
    assert np.array_equal(normalised(opaque), PHOTO)
    assert is_identical(opaque, PHOTO)
    assert not is_identical(pixels, PHOTO)


def test_packing_an_alpha_plane_again_changes_nothing() -> None:
    bitstream = parse(encode(transparent(PHOTO), "WEBP", quality=50)).pictures[0].bitstream
    once = with_packed_alpha(bitstream, transparent(PHOTO), count=160 * 120)
    assert with_packed_alpha(once, transparent(PHOTO), count=160 * 120) is once


@pytest.mark.parametrize("count", [100_000, 10_000_000])
def test_lossless_coding_is_its_own_fixed_point(count: int) -> None:
    once = encode_lossless(normalised(transparent(photo(64, 48))), exact=False, count=count)
    assert encode_lossless(normalised(decode(once)), exact=False, count=count) == once


@needs_shared
@pytest.mark.parametrize("quality", [60, 100])
def test_every_small_file_of_the_corpus_keeps_the_promises(quality: int) -> None:
    for path in corpus("webp"):
        data = path.read_bytes()
        if len(data) < 3_500 and parse(data).animation is None:
            check(data, optimize(data, quality), quality)
