"""The JPEG codec: what is re-encoded, what is only packed, what is left alone or refused."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageCms
from PIL.ExifTags import GPS, IFD, Base

from tests.images import encode, mean_error, photo, quadrants, shown
from tests.shared import corpus, needs_shared
from tinyjpg import (
    CorruptImageError,
    DeadlineExceededError,
    Keep,
    MissingToolError,
    Options,
    optimize,
    probe,
)
from tinyjpg.backends import mozjpeg
from tinyjpg.codecs import jpeg_picture
from tinyjpg.containers.jpeg import JpegHeader, Process, Segment, is_mark, parse
from tinyjpg.containers.jpeg_writer import insert_metadata
from tinyjpg.limits import Deadline
from tinyjpg.metric import ssimulacra2

PHOTO = photo(160, 120)


def fine(**options: object) -> bytes:
    """A photo in a file finer than any quality below 95 asks for."""
    return encode(PHOTO, "JPEG", quality=98, subsampling=0, **options)


def header(data: bytes) -> JpegHeader:
    return parse(data)


def exif(orientation: int = 1) -> Image.Exif:
    tags = Image.Exif()
    tags[Base.Orientation] = orientation
    tags[Base.Copyright] = "(c) somebody"
    tags[Base.DateTime] = "2026:01:02 03:04:05"
    tags.get_ifd(IFD.GPSInfo)[GPS.GPSLatitudeRef] = "N"
    return tags


def p3_like() -> bytes:
    """A wide-gamut profile: Pillow's own Lab and XYZ will not do, so sRGB's red is moved."""
    srgb = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    at = srgb.index(b"rXYZ")
    offset = int.from_bytes(srgb[at + 4 : at + 8], "big") + 8
    # Display P3's red primary, D50-adapted, as s15Fixed16 (ICC.1:2022, 4.2 and 9.2.44).
    for index, value in enumerate((0.51512, 0.2412, -0.00105)):
        fixed = round(value * 65536) & 0xFFFFFFFF
        srgb[offset + 4 * index : offset + 4 * index + 4] = fixed.to_bytes(4, "big")
    # The date, so that two calls agree, and the checksum.
    srgb[24:36] = bytes(12)
    srgb[84:100] = bytes(16)
    return bytes(srgb)


def test_a_fine_photo_is_encoded_anew_in_progressive_scans() -> None:
    pixels = photo(400, 300)
    result = optimize(encode(pixels, "JPEG", quality=98, subsampling=0), 80)
    made = header(result.data)
    assert made.process is Process.PROGRESSIVE
    assert made.subsampling == "4:2:0"
    assert result.method.startswith("encoded at")
    assert result.saved > 0.5
    assert mean_error(np.asarray(shown(result.data)), pixels) < 6


def test_higher_quality_is_closer_and_larger() -> None:
    results = [optimize(fine(), quality) for quality in (40, 60, 80, 90)]
    sizes = [result.output_size for result in results]
    errors = [mean_error(np.asarray(shown(result.data)), PHOTO) for result in results]
    assert sizes == sorted(sizes)
    assert errors == sorted(errors, reverse=True)


@pytest.mark.parametrize("quality", [80, 90, 96])
def test_fine_colours_that_subsampling_would_blur_get_full_chroma(quality: int) -> None:
    stripes = PHOTO.copy()
    stripes[:, ::2] = stripes[:, ::2, ::-1] // 2
    stripes[::3, :, 0] = 250
    source = encode(stripes, "JPEG", quality=99, subsampling=0)
    result = optimize(source, quality)
    assert header(result.data).subsampling == "4:4:4"
    assert result.score >= quality - 0.5


def test_quality_100_keeps_every_pixel() -> None:
    source = fine()
    result = optimize(source, 100)
    assert result.score == 100
    assert result.output_size < len(source)
    assert np.array_equal(np.asarray(shown(result.data)), np.asarray(shown(source)))


def test_a_source_at_the_asked_level_is_only_packed() -> None:
    coarse = encode(PHOTO, "JPEG", quality=60)
    result = optimize(coarse, 80)
    assert result.method == "repacked losslessly"
    assert np.array_equal(np.asarray(shown(result.data)), np.asarray(shown(coarse)))


@pytest.mark.parametrize("quality", [30, 60, 80, 90, 97, 100])
@pytest.mark.parametrize("size", [(160, 120), (1300, 900), (17, 9)], ids=str)
def test_a_second_pass_returns_the_same_bytes(quality: int, size: tuple[int, int]) -> None:
    once = optimize(encode(photo(*size), "JPEG", quality=97), quality)
    again = optimize(once.data, quality)
    assert again.data == once.data
    assert again.method == "already optimal"


@pytest.mark.parametrize("effort", [1, 3, 9])
def test_the_gradient_takes_fewer_bytes_and_a_second_pass_at_any_effort_returns_the_same(
    effort: int,
) -> None:
    source = encode(photo(224, 160), "JPEG", quality=97)
    result = optimize(source, 80, options=Options(effort=effort))
    assert result.score is not None
    assert result.score >= 79.5
    usual = optimize(source, 80)
    if effort == 1:
        # On real photographs 2 % more bytes (`./run bench encoder --effort 1`).
        assert result.data != usual.data
    if effort == 9:
        assert result.output_size < usual.output_size
    for other in (1, effort, 9):
        assert optimize(result.data, 80, options=Options(effort=other)).data == result.data


def test_a_lower_quality_squeezes_an_output_further() -> None:
    once = optimize(fine(), 90)
    assert optimize(once.data, 50).output_size < once.output_size


def test_greyscale_stays_greyscale() -> None:
    source = encode(PHOTO[..., 1], "JPEG", quality=97)
    assert header(optimize(source, 80).data).subsampling == "greyscale"


def test_colour_coded_grey_becomes_greyscale() -> None:
    grey = np.repeat(PHOTO[..., 1:2], 3, axis=2)
    result = optimize(encode(grey, "JPEG", quality=97), 80)
    assert header(result.data).subsampling == "greyscale"
    assert "greyscale" in result.method


def test_one_coloured_spot_keeps_the_colour() -> None:
    grey = np.repeat(photo(400, 300)[..., 1:2], 3, axis=2)
    grey[280:290, 380:390] = (250, 20, 20)
    result = optimize(encode(grey, "JPEG", quality=97), 80)
    assert header(result.data).subsampling == "4:2:0"
    red, _, blue = np.asarray(shown(result.data))[285, 385]
    assert red > 180
    assert blue < 90


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_lossy_result_is_upright_without_a_tag(orientation: int) -> None:
    source = encode(quadrants(), "JPEG", quality=99, subsampling=0, exif=exif(orientation))
    result = optimize(source, 60)
    assert result.method.startswith("encoded at")
    assert header(result.data).orientation == 1
    expected = shown(source)
    assert (result.width, result.height) == expected.size
    assert mean_error(np.asarray(shown(result.data)), np.asarray(expected)) < 12


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_lossless_result_keeps_its_orientation_and_nothing_else(orientation: int) -> None:
    source = encode(quadrants(), "JPEG", quality=90, exif=exif(orientation))
    result = optimize(source, 100)
    assert np.array_equal(np.asarray(shown(result.data)), np.asarray(shown(source)))
    expected = {} if orientation == 1 else {Base.Orientation: orientation}
    assert dict(Image.open(io.BytesIO(result.data)).getexif()) == expected


@pytest.mark.parametrize("quality", [60, 100])
def test_kept_metadata_survives_on_both_paths(quality: int) -> None:
    source = fine(exif=exif(6))
    keep = frozenset({Keep.COPYRIGHT, Keep.CREATION, Keep.LOCATION})
    tags = Image.open(
        io.BytesIO(optimize(source, quality, options=Options(keep=keep)).data)
    ).getexif()
    assert tags[Base.Copyright] == "(c) somebody"
    assert tags[Base.DateTime] == "2026:01:02 03:04:05"
    assert tags.get_ifd(IFD.GPSInfo)[GPS.GPSLatitudeRef] == "N"


@pytest.mark.parametrize("quality", [60, 100])
def test_metadata_goes_by_default(quality: int) -> None:
    source = fine(exif=exif(), comment=b"private note", xmp=b"<x:xmpmeta/>")
    result = optimize(source, quality)
    for secret in (b"somebody", b"private note", b"xmpmeta", b"2026:01:02"):
        assert secret not in result.data


def test_everything_is_kept_on_request() -> None:
    source = fine(exif=exif(), comment=b"private note", xmp=b"<x:xmpmeta/>")
    result = optimize(source, 60, options=Options(keep=frozenset({Keep.ALL})))
    for wanted in (b"somebody", b"private note", b"xmpmeta", b"2026:01:02"):
        assert wanted in result.data


@pytest.mark.parametrize("quality", [60, 100])
def test_an_srgb_profile_is_dropped(quality: int) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert header(optimize(fine(icc_profile=srgb), quality).data).icc_profile is None


@pytest.mark.parametrize("quality", [60, 100])
def test_a_wide_gamut_profile_is_kept(quality: int) -> None:
    pixels = photo(400, 300)
    pixels[50:150, 50:150] = (255, 0, 0)
    source = encode(pixels, "JPEG", quality=98, icc_profile=p3_like())
    assert header(optimize(source, quality).data).icc_profile == p3_like()


def test_a_profile_heavier_than_its_use_is_converted_away() -> None:
    muted = (PHOTO // 4 + 96).astype(np.uint8)
    source = encode(muted, "JPEG", quality=98, icc_profile=p3_like() + bytes(60_000))
    result = optimize(source, 80)
    assert "converted to sRGB" in result.method
    assert header(result.data).icc_profile is None
    expected = ImageCms.profileToProfile(
        Image.open(io.BytesIO(source)),
        io.BytesIO(p3_like()),
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
    )
    assert mean_error(np.asarray(shown(result.data)), np.asarray(expected)) < 3


@pytest.mark.parametrize("quality", [60, 100])
def test_cmyk_keeps_every_pixel(quality: int) -> None:
    inks = np.concatenate([PHOTO, PHOTO[..., :1] // 2], axis=2)
    stream = io.BytesIO()
    Image.fromarray(inks, "CMYK").save(stream, "JPEG", quality=95)
    result = optimize(stream.getvalue(), quality)
    before, after = (Image.open(io.BytesIO(one)) for one in (stream.getvalue(), result.data))
    assert after.mode == "CMYK"
    assert np.array_equal(np.asarray(before), np.asarray(after))


def test_what_follows_the_picture_is_dropped() -> None:
    source = fine()
    assert optimize(source + b"trailing" * 1000, 80).data == optimize(source, 80).data


def test_stray_bytes_between_segments_are_survived() -> None:
    source = fine()
    at = source.index(b"\xff\xc0")
    strayed = source[:at] + b"\x00\x01" + source[at:]
    assert optimize(strayed, 80).data == optimize(source, 80).data


def test_padding_after_the_last_scan_is_survived() -> None:
    source = fine()
    padded = source[:-2] + bytes(7) + source[-2:]
    assert optimize(padded, 80).data == optimize(source, 80).data


@pytest.mark.parametrize("quality", [80, 100])
@pytest.mark.parametrize("progressive", [False, True], ids=["baseline", "progressive"])
def test_a_truncated_file_is_refused_wherever_it_was_cut(quality: int, progressive: bool) -> None:
    source = fine(progressive=progressive)
    for length in range(3, len(source) - 1, len(source) // 23):
        with pytest.raises(CorruptImageError, match=r"truncated|damaged"):
            optimize(source[:length], quality)


@pytest.mark.parametrize("quality", [80, 100])
def test_a_cut_that_was_closed_with_eoi_is_refused(quality: int) -> None:
    source = fine()
    with pytest.raises(CorruptImageError):
        optimize(source[: len(source) // 2] + b"\xff\xd9", quality)


def test_a_frame_of_no_pixels_is_refused() -> None:
    source = bytearray(fine())
    at = source.index(b"\xff\xc0")
    source[at + 5 : at + 9] = bytes(4)
    with pytest.raises(CorruptImageError, match="0 x 0"):
        optimize(bytes(source), 80)


def test_the_header_tells_what_info_prints() -> None:
    facts = header(fine(progressive=True, exif=exif(6)))
    assert facts.upright_size == (120, 160)
    assert facts.describe()[:2] == ("progressive", "4:4:4")
    assert probe(fine()).frames == 1


@pytest.mark.parametrize("subsampling", [0, 1, 2], ids=["444", "422", "420"])
@pytest.mark.parametrize("size", [(1, 1), (1, 33), (33, 1), (7, 7), (8, 8), (15, 17)], ids=str)
def test_odd_sizes_come_out_whole(size: tuple[int, int], subsampling: int) -> None:
    source = encode(photo(*size), "JPEG", quality=97, subsampling=subsampling)
    for quality in (50, 95, 100):
        result = optimize(source, quality)
        assert (result.width, result.height) == size == shown(result.data).size
        assert optimize(result.data, quality).data == result.data


def brighter_than_the_standard_allows() -> bytes:
    """A grey file whose DC differences of +2047 add up, block by block, beyond 16 bits.

    Decoders wrap around without complaint; mozjpeg's transcoder ends its process over it.
    """
    blocks = 24
    # One code a table, a zero bit each: DC category 11; AC end of block.
    bits = ("0" + "1" * 11 + "0") * blocks
    bits += "1" * (-len(bits) % 8)
    scan = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0")
    one_code = bytes([1] + [0] * 15)
    segments = (
        Segment(0xDB, b"\0" + b"\1" * 64),
        Segment(0xC0, b"\x08\0\x08" + (8 * blocks).to_bytes(2, "big") + b"\1\1\x11\0"),
        Segment(0xC4, b"\x00" + one_code + b"\x0b"),
        Segment(0xC4, b"\x10" + one_code + b"\x00"),
        Segment(0xDA, b"\1\1\0\0\x3f\0"),
    )
    return b"".join([b"\xff\xd8", *(one.encode() for one in segments), scan, b"\xff\xd9"])


def test_coefficients_out_of_range_are_refused_and_cost_nobody_their_process() -> None:
    with pytest.raises(CorruptImageError, match="out of range"):
        optimize(brighter_than_the_standard_allows(), 100)


def test_repacking_stops_at_the_deadline() -> None:
    with pytest.raises(DeadlineExceededError):
        mozjpeg.repack(fine(), Deadline.after(0.001))


def test_a_missing_transcoder_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mozjpeg, "_PACKAGE", "a_package_nobody_has")
    with pytest.raises(MissingToolError, match="pip install mozjpeg-lossless-optimization"):
        optimize(fine(), 100)


@needs_shared
@pytest.mark.parametrize("name", ["sample-xyb", "testimgl"])
def test_odd_colour_spaces_and_processes_keep_their_samples(name: str) -> None:
    (path,) = (one for one in corpus("oddities") if name in one.name)
    source = path.read_bytes()
    result = optimize(source, 40)
    assert header(result.data).luma_table == header(source).luma_table
    assert result.output_size <= len(source)


def test_damage_among_harmless_messages_is_damage() -> None:
    def decode(_: str) -> None:
        raise CorruptImageError(
            "VipsJpeg: Corrupt JPEG data: 7 extraneous bytes before marker 0xd9; "
            "VipsJpeg: Corrupt JPEG data: premature end of data segment; export it again"
        )

    with pytest.raises(CorruptImageError, match="premature end"):
        jpeg_picture.strictly(decode)


def seen(source: bytes, result: bytes) -> float:
    """The SSIMULACRA2 of two files as Pillow shows them."""
    return ssimulacra2(np.asarray(shown(source)), np.asarray(shown(result)))


@pytest.mark.parametrize("quality", [30, 60, 80, 90])
@pytest.mark.parametrize("size", [(160, 120), (700, 500), (1700, 1100), (3000, 700)], ids=str)
def test_the_score_is_that_of_the_file_and_near_the_quality(
    quality: int, size: tuple[int, int]
) -> None:
    source = encode(photo(*size), "JPEG", quality=99, subsampling=0)
    result = optimize(source, quality)
    assert result.score >= quality - 0.5
    assert result.method.startswith("encoded at")
    # Decoders differ by a level here and there.
    assert seen(source, result.data) == pytest.approx(result.score, abs=0.2)
    assert 1 <= result.probes <= 7


def test_a_picture_larger_than_memory_allows_is_streamed(monkeypatch: pytest.MonkeyPatch) -> None:
    source = encode(photo(1700, 1100), "JPEG", quality=98, exif=exif(6))
    held = optimize(source, 80)
    monkeypatch.setattr(jpeg_picture, "_MOST_PIXELS_IN_MEMORY", 0)
    streamed = optimize(source, 80)
    assert (streamed.width, streamed.height) == (held.width, held.height)
    assert streamed.score >= 79.5
    assert seen(source, streamed.data) == pytest.approx(streamed.score, abs=0.2)


def test_a_wide_gamut_picture_is_scored_as_it_is_shown() -> None:
    pixels = photo(400, 300)
    pixels[50:150, 50:150] = (255, 0, 0)
    source = encode(pixels, "JPEG", quality=98, subsampling=0, icc_profile=p3_like())
    result = optimize(source, 80)
    before, after = (
        ImageCms.profileToProfile(
            Image.open(io.BytesIO(one)),
            io.BytesIO(p3_like()),
            ImageCms.createProfile("sRGB"),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        )
        for one in (source, result.data)
    )
    score = ssimulacra2(np.asarray(before), np.asarray(after))
    assert result.score == pytest.approx(score, abs=0.3)


def test_what_cannot_reach_the_quality_is_only_packed() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (120, 160, 3), np.uint8)
    result = optimize(encode(noise, "JPEG", quality=100, subsampling=0), 99)
    assert result.score == 100


def test_a_mark_tells_a_second_pass_what_tables_do_not() -> None:
    source = encode(PHOTO, "JPEG", quality=99, subsampling=0)
    once = optimize(source, 60)
    assert header(once.data).marked_quality in (None, 60)
    hard = np.random.default_rng(2).integers(90, 160, PHOTO.shape, np.uint8)
    once = optimize(encode(hard, "JPEG", quality=100, subsampling=0), 50)
    assert once.method.startswith("encoded at")
    assert header(once.data).marked_quality == 50
    for quality in (50, 70, 99):
        assert optimize(once.data, quality).data == once.data
    finer = optimize(once.data, 100)
    assert finer.data == once.data


def test_a_mark_on_other_coefficients_counts_for_nothing() -> None:
    hard = np.random.default_rng(2).integers(90, 160, PHOTO.shape, np.uint8)
    marked = optimize(encode(hard, "JPEG", quality=100, subsampling=0), 50).data
    (mark,) = (one for one in header(marked).segments if is_mark(one))
    forged = insert_metadata(fine(), (mark,))
    assert header(forged).marked_quality is None
    assert optimize(forged, 50).data == optimize(fine(), 50).data


def test_a_lower_quality_replaces_the_mark() -> None:
    hard = np.random.default_rng(2).integers(90, 160, PHOTO.shape, np.uint8)
    marked = optimize(encode(hard, "JPEG", quality=100, subsampling=0), 70).data
    assert header(marked).marked_quality == 70
    lower = optimize(marked, 40)
    assert lower.output_size < len(marked)
    assert header(lower.data).marked_quality in (None, 40)
    assert optimize(lower.data, 40).data == lower.data
