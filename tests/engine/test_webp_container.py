"""The WebP container: what is read from hostile bytes, and files written anew."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.webp_files import (
    anim,
    animation,
    chunk,
    chunks,
    exif,
    extended,
    frame,
    names,
    payload,
    picture,
    riff,
    transparent,
)
from tests.images import encode, photo
from tests.shared import corpus, needs_shared
from tinyjpg import CorruptImageError
from tinyjpg.containers.vp8 import parse_vp8, quantisers
from tinyjpg.containers.webp import parse
from tinyjpg.containers.webp_writer import write

PHOTO = photo(50, 34)
LOSSY = encode(PHOTO, "WEBP", quality=80)
LOSSLESS = encode(PHOTO, "WEBP", lossless=True)
LOSSY_ALPHA = encode(transparent(PHOTO), "WEBP", quality=80)
LOSSLESS_ALPHA = encode(transparent(PHOTO), "WEBP", lossless=True)
EVERYTHING = riff(
    extended(0x2C, 50, 34),
    chunk(b"ICCP", b"profile"),
    picture(PHOTO, quality=80),
    chunk(b"EXIF", exif(6)),
    chunk(b"XMP ", b"<x:xmpmeta/>"),
    chunk(b"ABCD", b"odd"),
)
THREE_FRAMES = animation(
    [
        frame(picture(PHOTO, quality=80), (50, 34), duration=0),
        frame(picture(transparent(PHOTO), quality=70), (50, 34), duration=11, blend=False),
        frame(picture(PHOTO[:10, :20], lossless=True), (20, 10), (30, 24), 5, dispose=True),
    ],
    50,
    34,
    loops=7,
)


def test_a_simple_lossy_file() -> None:
    header = parse(LOSSY)
    assert (header.width, header.height, header.frames) == (50, 34, 1)
    assert (header.has_alpha, header.lossless, header.animation) == (False, False, None)
    assert header.describe() == ("lossy", "libwebp quality about 80")


def test_a_simple_lossless_file() -> None:
    header = parse(LOSSLESS)
    assert (header.width, header.height) == (50, 34)
    assert (header.has_alpha, header.lossless) == (False, True)
    assert header.describe() == ("lossless",)


@pytest.mark.parametrize("data", [LOSSY_ALPHA, LOSSLESS_ALPHA], ids=["lossy", "lossless"])
def test_transparency_is_seen(data: bytes) -> None:
    assert parse(data).has_alpha
    assert "alpha channel" in parse(data).describe()


def test_every_kind_of_metadata_is_read() -> None:
    header = parse(EVERYTHING)
    assert header.icc_profile == b"profile"
    assert header.exif == exif(6)
    assert header.xmp == b"<x:xmpmeta/>"
    assert header.other == ((b"ABCD", b"odd"),)
    assert header.orientation == 6
    assert header.upright_size == (34, 50)
    phrases = header.describe()
    assert f"EXIF ({len(exif(6))} bytes)" in phrases
    assert "orientation 6" in phrases
    assert "other chunks: 'ABCD'" in phrases


def test_the_jpeg_prefix_of_an_exif_block_is_dropped() -> None:
    block = chunk(b"EXIF", b"Exif\0\0" + exif(3))
    header = parse(riff(extended(0x08, 50, 34), picture(PHOTO), block))
    assert header.exif == exif(3)
    assert header.orientation == 3


def test_metadata_that_the_flags_do_not_announce_is_ignored_as_viewers_do() -> None:
    block = chunk(b"EXIF", exif(6))
    header = parse(riff(extended(0, 50, 34), chunk(b"ICCP", b"p"), picture(PHOTO), block))
    assert (header.exif, header.icc_profile, header.orientation) == (None, None, 1)


def test_chunks_behind_a_simple_image_are_ignored_as_viewers_do() -> None:
    header = parse(riff(picture(PHOTO), chunk(b"EXIF", exif(6)), b"XXXX\xff\xff\xff\xff"))
    assert (header.exif, header.orientation, header.other) == (None, 1, ())


def test_an_animation_is_read_frame_by_frame() -> None:
    header = parse(THREE_FRAMES)
    assert header.animation is not None
    assert (header.frames, header.animation.loop_count) == (3, 7)
    assert [one.duration for one in header.pictures] == [0, 11, 5]
    assert [one.blend for one in header.pictures] == [True, False, True]
    assert [one.dispose for one in header.pictures] == [False, False, True]
    assert [(one.x, one.y) for one in header.pictures] == [(0, 0), (0, 0), (30, 24)]
    assert [one.bitstream.lossless for one in header.pictures] == [False, False, True]
    phrases = header.describe()
    assert "mixed: 1 of 3 frames lossless" in phrases
    assert any(
        one.startswith("libwebp quality about 7") and one.endswith(" to 80") for one in phrases
    )
    assert "3 frames of 0 to 11 ms" in phrases
    assert "plays 7 times" in phrases


@pytest.mark.parametrize(
    "data",
    [LOSSY, LOSSLESS, LOSSY_ALPHA, LOSSLESS_ALPHA, EVERYTHING, THREE_FRAMES],
    ids=["lossy", "lossless", "lossy alpha", "lossless alpha", "everything", "animation"],
)
def test_what_is_written_reads_the_same(data: bytes) -> None:
    header = parse(data)
    written = write(header)
    chunks(written)
    assert parse(written) == header
    assert write(parse(written)) == written


def test_an_extended_file_becomes_simple_when_nothing_needs_it() -> None:
    header = parse(EVERYTHING)
    bare = replace(header, icc_profile=None, exif=None, xmp=None, other=(), orientation=1)
    assert names(write(bare)) == [b"VP8 "]


def test_a_simple_file_becomes_extended_for_metadata() -> None:
    written = write(replace(parse(LOSSLESS_ALPHA), exif=exif(6)))
    assert names(written) == [b"VP8X", b"VP8L", b"EXIF"]
    assert payload(written, b"VP8X")[0] == 0x18  # EXIF and alpha


def test_lossy_transparency_keeps_the_extended_container() -> None:
    written = write(parse(LOSSY_ALPHA))
    assert names(written) == [b"VP8X", b"ALPH", b"VP8 "]
    assert payload(written, b"VP8X")[0] == 0x10


def test_chunks_of_odd_size_are_padded() -> None:
    written = write(replace(parse(LOSSLESS), xmp=b"odd", other=((b"ABCD", b"x"),)))
    assert chunks(written)[-2:] == [(b"XMP ", b"odd"), (b"ABCD", b"x")]


def test_a_missing_last_padding_byte_is_forgiven() -> None:
    data = riff(extended(0x04, 50, 34), picture(PHOTO), chunk(b"XMP ", b"odd"))
    assert parse(data[:-1]).xmp == b"odd"
    honest = data[:4] + struct.pack("<I", len(data) - 9) + data[8:-1]
    assert parse(honest).xmp == b"odd"


def test_bytes_behind_the_riff_chunk_are_ignored() -> None:
    assert parse(LOSSY + b"anything at all") == parse(LOSSY)


def test_a_marker_counts_while_it_belongs_to_the_picture() -> None:
    marked = write(replace(parse(LOSSLESS), marked_quality=83))
    assert parse(marked).marked_quality == 83
    assert "made by TinyJPG at quality 83" in parse(marked).describe()


@pytest.mark.parametrize(
    "tamper",
    [
        lambda marker, other: (struct.pack("<B", 99) + marker[1:], other),
        lambda marker, other: (marker[:1] + bytes(4), other),
        lambda marker, other: (marker + b"\0", other),
        lambda marker, other: (b"\0" + marker[1:], other),
        lambda marker, _: (marker, picture(photo(50, 34, seed=1), lossless=True)),
    ],
    ids=["quality", "checksum", "length", "no quality", "edited picture"],
)
def test_a_marker_that_was_tampered_with_counts_for_nothing(tamper: object) -> None:
    marked = write(replace(parse(LOSSLESS), marked_quality=83))
    marker, image = tamper(payload(marked, b"TJPG"), picture(PHOTO, lossless=True))  # type: ignore[operator]
    data = riff(extended(0, 50, 34), image, chunk(b"TJPG", marker))
    assert parse(data).marked_quality is None


def test_the_quality_of_a_marker_survives_rewriting_only_with_the_picture() -> None:
    marked = parse(write(replace(parse(THREE_FRAMES), marked_quality=60)))
    assert marked.marked_quality == 60
    assert parse(write(replace(marked, xmp=b"x"))).marked_quality == 60


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (LOSSY[:-2], "truncated"),
        (LOSSY[:11], "RIFF header"),
        (LOSSY[:12], "truncated"),
        (riff(), "no chunks"),
        (riff(chunk(b"EXIF", exif())), "found 'EXIF'"),
        (riff(chunk(b"VP8 ", b"")), "0 bytes"),
        (riff(chunk(b"VP8 ", bytes(40))), "start code|key frame"),
        (riff(chunk(b"VP8L", b"/")), "signature"),
        (riff(chunk(b"VP8L", b"/\0\0\0\xff")), "version"),
        (riff(chunk(b"VP8X", bytes(4))), "VP8X chunk has 4 bytes"),
        (riff(extended(0, 50, 34)), "found none"),
        (riff(extended(0, 51, 34), picture(PHOTO)), "canvas is 51"),
        (riff(extended(0, 50, 34), picture(PHOTO), picture(PHOTO)), "found 'VP8 ', 'VP8 '"),
        (riff(extended(16, 50, 34), chunk(b"ALPH", b""), picture(PHOTO, lossless=True)), "ALPH"),
        (riff(extended(2, 50, 34), frame(picture(PHOTO), (50, 34))), "without an ANIM"),
        (riff(extended(2, 50, 34), anim()), "without frames"),
        (riff(extended(2, 50, 34), anim(), picture(PHOTO)), "outside of its frames"),
        (animation([frame(picture(PHOTO), (50, 34), (2, 0))], 50, 34), "exceeds the canvas"),
        (animation([frame(picture(PHOTO), (48, 34))], 50, 34), "holds a picture of 50 x 34"),
        (animation([chunk(b"ANMF", bytes(15))], 50, 34), "only 15 bytes"),
        (riff(extended(0, 1 << 24, 1 << 24), picture(PHOTO)), "more than the format allows"),
        (riff(extended(4, 50, 34), picture(PHOTO), b"XMP \xff\xff\xff\xffxx"), "truncated"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_broken_container_is_refused(data: bytes, found: str) -> None:
    with pytest.raises(CorruptImageError, match=found):
        parse(data)


@pytest.mark.parametrize(
    "data", [LOSSY, LOSSY_ALPHA, THREE_FRAMES], ids=["simple", "alpha", "anim"]
)
def test_truncation_is_noticed_at_every_offset(data: bytes) -> None:
    for size in range(12, len(data) - 1):
        with pytest.raises(CorruptImageError):
            parse(data[:size])


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([LOSSY, LOSSLESS_ALPHA, EVERYTHING, THREE_FRAMES]),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=6),
    st.integers(0, 40),
)
def test_damaged_bytes_are_read_or_refused(
    data: bytes, changes: list[tuple[int, int]], cut: int
) -> None:
    damaged = bytearray(data[: len(data) - cut])
    for at, value in changes:
        damaged[at % len(damaged)] = value
    try:
        header = parse(bytes(damaged))
    except CorruptImageError:
        return
    assert header.describe()
    assert parse(write(header)).pictures == header.pictures


def quality_read_back(data: bytes) -> float:
    return quantisers(parse_vp8(payload(data, b"VP8 "))).quality


@pytest.mark.parametrize("seed", [0, 3])
def test_the_quality_is_read_back_from_the_quantisers(seed: int) -> None:
    pixels = photo(160, 120, seed)
    qualities = list(range(0, 101, 4))
    found = [quality_read_back(encode(pixels, "WEBP", quality=quality)) for quality in qualities]
    assert found == sorted(found)
    assert all(abs(a - b) <= 1.5 for a, b in zip(found, qualities, strict=True))


def test_an_unsegmented_frame_has_one_quantiser() -> None:
    flat = encode(photo(16, 16) // 255, "WEBP", quality=60)
    found = quantisers(parse_vp8(payload(flat, b"VP8 ")))
    assert len(found.indices) == len(found.weights)
    assert abs(sum(found.weights) - 1) < 0.02


@needs_shared
def test_every_file_of_the_corpus_is_rewritten_without_loss() -> None:
    for path in corpus("webp"):
        header = parse(path.read_bytes())
        assert parse(write(header)) == header, path.name
        assert header.describe(), path.name
