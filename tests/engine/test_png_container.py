"""Reading the chunks of a PNG: facts, what counts and what does not, and hostile bytes."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from corpus.generators.metadata import display_p3_profile, exif, grey_profile, srgb_profile
from corpus.generators.pictures import photo
from corpus.generators.png_structure import (
    CHANNELS,
    GREY,
    GREY_ALPHA,
    PALETTE,
    RGB,
    RGBA,
    SIGNATURE,
    Chunk,
    Frame,
    animate,
    encode,
    header,
    join,
    split,
)
from tests.shared import corpus, needs_shared
from tinyjpg import CorruptImageError, LimitExceededError, UnsupportedFormatError
from tinyjpg.backends import vips
from tinyjpg.containers.png import PngHeader, parse
from tinyjpg.containers.png_chunks import ColourType
from tinyjpg.containers.png_marker import marked
from tinyjpg.containers.png_writer import still

COLOURS = [(10, 20, 30), (200, 100, 50), (7, 8, 9), (250, 250, 250)]
KINDS = [
    (kind, depth, interlaced)
    for kind, depths in {
        GREY: (1, 2, 4, 8, 16),
        RGB: (8, 16),
        PALETTE: (1, 2, 4, 8),
        GREY_ALPHA: (8, 16),
        RGBA: (8, 16),
    }.items()
    for depth in depths
    for interlaced in (False, True)
]


def rgb(*before: Chunk, behind: tuple[Chunk, ...] = (), after: tuple[Chunk, ...] = ()) -> bytes:
    return encode(photo(9, 7), RGB, before=before, behind_palette=behind, after=after)


def indexed(
    *behind: Chunk, depth: int = 8, colours: int = 4, before: tuple[Chunk, ...] = ()
) -> bytes:
    samples = np.zeros((5, 6), np.uint8)
    return encode(
        samples,
        PALETTE,
        depth,
        before=before,
        behind_palette=behind,
        palette=[(n, n, n) for n in range(colours)],
    )


def gamma(value: int) -> Chunk:
    return b"gAMA", struct.pack(">I", value)


def icc(profile: bytes) -> Chunk:
    return b"iCCP", b"any name\0\0" + zlib.compress(profile)


@pytest.mark.parametrize(("kind", "depth", "interlaced"), KINDS)
@pytest.mark.parametrize("size", [(1, 1), (5, 3), (17, 9)])
def test_pixel_format_is_read(
    kind: int, depth: int, interlaced: bool, size: tuple[int, int]
) -> None:
    width, height = size
    samples = np.zeros((height, width, CHANNELS[kind]), np.uint16)
    data = encode(samples, kind, depth, interlaced=interlaced, palette=COLOURS[:2])
    found = parse(data)
    assert (found.width, found.height, found.frames) == (width, height, 1)
    assert (found.colour_type, found.bit_depth) == (kind, depth)
    assert found.interlaced is interlaced
    assert found.has_alpha is (kind in (GREY_ALPHA, RGBA))
    compressed = b"".join(body for name, body in split(data) if name == b"IDAT")
    assert found.decoded_size == len(zlib.decompress(compressed))


def test_description_names_what_is_particular() -> None:
    data = rgb(gamma(100_000), (b"sRGB", b"\x04"), (b"tEXt", b"Author\0me")) + b"junk"
    phrases = parse(data).describe()
    assert phrases == (
        "RGB",
        "gamma 1",
        "text: Author",
        "4 bytes after the end",
    )
    assert "palette, 4 colours" in parse(indexed()).describe()
    moving = animate([Frame(samples=photo(5, 5), delay=(1, 4))] * 3, RGB, loops=2)
    assert "APNG of 0.75 s, plays 2 times" in parse(moving).describe()


def without(name: bytes, data: bytes) -> bytes:
    return join([one for one in split(data) if one[0] != name])


def replaced(name: bytes, body: bytes) -> bytes:
    return join([(kind, body if kind == name else old) for kind, old in split(rgb())])


def corrupted(position: Callable[[bytes], int]) -> bytes:
    data = bytearray(rgb())
    data[position(bytes(data))] ^= 1
    return bytes(data)


def ihdr(*values: int) -> bytes:
    return replaced(b"IHDR", struct.pack(">IIBBBBB", *values))


INTERRUPTED = join(
    [header(1, 1, 8, RGB), (b"IDAT", b""), (b"tEXt", b"a\0b"), (b"IDAT", b""), (b"IEND", b"")]
)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(SIGNATURE, "without an IEND", id="nothing"),
        pytest.param(rgb()[:-12], "without an IEND", id="no end"),
        pytest.param(rgb()[:-1], "has 3 left|has 0 left|truncated", id="last byte missing"),
        pytest.param(rgb()[:60], "IDAT chunk at byte 33 claims", id="cut in the image"),
        pytest.param(corrupted(lambda d: d.index(b"IDAT") + 9), "IDAT.*checksum", id="image crc"),
        pytest.param(corrupted(lambda d: d.index(b"IHDR") + 4), "IHDR.*checksum", id="header crc"),
        pytest.param(corrupted(lambda d: d.index(b"IEND")), "checksum", id="name changed"),
        pytest.param(join([(b"ID\0T", b"")]), "not four letters", id="not a name"),
        pytest.param(without(b"IHDR", rgb()), "where IHDR must be", id="no header"),
        pytest.param(join([split(rgb())[0], *split(rgb())]), "second IHDR", id="two headers"),
        pytest.param(without(b"IDAT", rgb()), "no image data", id="no image"),
        pytest.param(INTERRUPTED, "interrupted by tEXt", id="interrupted"),
        pytest.param(replaced(b"IEND", b"x"), "IEND chunk is not empty", id="end with content"),
        pytest.param(replaced(b"IHDR", bytes(12)), "12 bytes instead of 13", id="short header"),
        pytest.param(ihdr(0, 7, 8, 2, 0, 0, 0), "0 x 7 pixels", id="no width"),
        pytest.param(ihdr(9, 2**31, 8, 2, 0, 0, 0), "pixels", id="endless height"),
        pytest.param(ihdr(9, 7, 4, 2, 0, 0, 0), "colour type 2 with 4 bits", id="depth"),
        pytest.param(ihdr(9, 7, 8, 5, 0, 0, 0), "colour type 5", id="colour type"),
        pytest.param(ihdr(9, 7, 8, 2, 1, 0, 0), "compression 1", id="compression"),
        pytest.param(ihdr(9, 7, 8, 2, 0, 0, 2), "interlacing 2|do not all exist", id="interlacing"),
        pytest.param(without(b"PLTE", indexed()), "no palette", id="no palette"),
        pytest.param(
            join([one if one[0] != b"PLTE" else (b"PLTE", b"ab") for one in split(indexed())]),
            "palette of 2 bytes",
            id="part of a colour",
        ),
        pytest.param(ihdr(60_000, 10_000, 8, 2, 0, 0, 0), "cannot hold", id="far too little data"),
    ],
)  # fmt: skip
def test_damage_is_told(data: bytes, message: str) -> None:
    with pytest.raises(CorruptImageError, match=message):
        parse(data)


def test_apples_variant_is_refused_with_a_way_out() -> None:
    data = join([(b"CgBI", b"\x50\0\x20\2"), *split(rgb())])
    with pytest.raises(UnsupportedFormatError, match="pngcrush"):
        parse(data)


def test_unknown_critical_chunk_is_refused() -> None:
    with pytest.raises(UnsupportedFormatError, match="ABCD"):
        parse(rgb((b"ABCD", b"")))


def test_endless_chunks_are_refused() -> None:
    data = join([split(rgb())[0]]) + join([(b"teXt", b"")])[8:] * 300_000
    with pytest.raises(LimitExceededError, match="chunks"):
        parse(data)


class TestChunksThatDoNotCount:
    """What libpng, and so every browser, leaves out of account."""

    def test_first_of_two_counts(self) -> None:
        found = parse(rgb(gamma(100_000), gamma(50_000)))
        assert found.colour_space.gamma == 100_000
        assert found.ignored == ("gAMA",)

    def test_gamma_behind_the_palette(self) -> None:
        assert parse(indexed(gamma(100_000))).colour_space.gamma is None

    def test_gamma_behind_the_image(self) -> None:
        assert parse(rgb(after=(gamma(100_000),))).colour_space.gamma is None

    @pytest.mark.parametrize("body", [b"", b"\0\0\0", bytes(4), bytes(5)])
    def test_invalid_gamma(self, body: bytes) -> None:
        assert parse(rgb((b"gAMA", body))).colour_space.gamma is None

    def test_transparency_before_the_palette(self) -> None:
        assert parse(indexed(before=((b"tRNS", b"\0"),))).transparency is None

    def test_transparency_behind_the_image(self) -> None:
        found = parse(rgb(after=((b"tRNS", bytes(6)),)))
        assert found.transparency is None
        assert not found.has_alpha

    def test_transparency_beside_alpha(self) -> None:
        data = encode(np.zeros((3, 3, 4), np.uint8), RGBA, behind_palette=[(b"tRNS", bytes(6))])
        assert parse(data).transparency is None

    def test_transparency_of_more_colours_than_there_are(self) -> None:
        assert parse(indexed((b"tRNS", bytes(5)))).transparency is None
        assert parse(indexed((b"tRNS", bytes(4)))).transparency == bytes(4)

    def test_palette_of_a_grey_image(self) -> None:
        data = encode(np.zeros((3, 3), np.uint8), GREY, palette=COLOURS)
        assert parse(data).palette == b""

    def test_animation_behind_the_image(self) -> None:
        assert parse(rgb(after=((b"acTL", bytes(8)),))).animation is None

    def test_damaged_exif(self) -> None:
        found = parse(rgb((b"eXIf", b"Exif\0\0" + exif(6))))
        assert (found.exif, found.orientation) == (None, 1)


def test_colours_beyond_the_depth_are_cut_off() -> None:
    assert len(parse(indexed(depth=2, colours=16)).palette) == 3 * 4


def test_unused_bits_of_the_transparent_colour_are_cleared() -> None:
    found = parse(rgb(behind=((b"tRNS", b"\x01\x02\xff\x03\x00\x04"),)))
    assert found.transparency == b"\x00\x02\x00\x03\x00\x04"


def test_orientation_is_read_before_and_behind_the_image() -> None:
    assert parse(rgb((b"eXIf", exif(6)))).orientation == 6
    assert parse(rgb(after=((b"eXIf", exif(8)),))).upright_size == (7, 9)


class TestColourSpace:
    def colour(self, *before: Chunk) -> PngHeader:
        return parse(rgb(*before))

    PRIMARIES = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)

    @pytest.mark.parametrize(
        ("chunks", "expected"),
        [
            pytest.param([], True, id="nothing"),
            pytest.param([(b"sRGB", b"\0")], True, id="sRGB"),
            pytest.param([gamma(45_455)], True, id="gamma of sRGB"),
            pytest.param([gamma(45_000)], False, id="gamma nearly of sRGB"),
            pytest.param([gamma(100_000)], False, id="linear"),
            pytest.param([(b"sRGB", b"\0"), gamma(100_000)], False, id="contradiction"),
            pytest.param([(b"cHRM", struct.pack(">8I", *PRIMARIES))], True, id="primaries"),
            pytest.param(
                [(b"cHRM", struct.pack(">8I", *PRIMARIES[:2], 68000, *PRIMARIES[3:]))],
                False,
                id="wider primaries",
            ),
            pytest.param([icc(srgb_profile())], True, id="sRGB profile"),
            pytest.param([icc(display_p3_profile())], False, id="P3 profile"),
            pytest.param([(b"cICP", b"\x01\x0d\x00\x01")], True, id="sRGB coded"),
            pytest.param([(b"cICP", b"\x0c\x0d\x00\x01")], False, id="P3 coded"),
        ],
    )
    def test_srgb_is_told_from_what_must_be_kept(self, chunks: list[Chunk], expected: bool) -> None:
        assert self.colour(*chunks).colour_space.is_srgb(vips.is_srgb) is expected

    @pytest.mark.parametrize(
        ("chunk", "expected"),
        [
            (gamma(45_455), True),
            (gamma(55_556), True),
            (gamma(100_000), False),
            (gamma(20_000), False),
            (icc(display_p3_profile()), True),
            ((b"cICP", b"\x0c\x0d\x00\x01"), True),
            ((b"cICP", b"\x09\x10\x00\x01"), False),
            ((b"cICP", b"\x09\x12\x00\x01"), False),
            ((b"cICP", b"\x09\x08\x00\x01"), False),
        ],
    )
    def test_code_values_that_are_not_evenly_visible(self, chunk: Chunk, expected: bool) -> None:
        found = self.colour(chunk).colour_space
        assert found.is_perceptual(vips.is_ordinary) is expected
        assert found.is_hdr is (chunk[1][1] in (16, 18) and chunk[0] == b"cICP")

    def test_profile_of_the_wrong_kind_does_not_count(self) -> None:
        assert self.colour(icc(grey_profile())).icc_profile is None
        grey = encode(np.zeros((3, 3), np.uint8), GREY, before=[icc(display_p3_profile())])
        assert parse(grey).icc_profile is None
        grey = encode(np.zeros((3, 3), np.uint8), GREY, before=[icc(grey_profile())])
        assert parse(grey).icc_profile == grey_profile()

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"name only",
            b"\0\0" + zlib.compress(srgb_profile()),
            b"name\0\1" + zlib.compress(srgb_profile()),
            b"name\0\0" + zlib.compress(srgb_profile())[:-9],
            b"name\0\0not zlib",
            b"name\0\0" + zlib.compress(srgb_profile()[:100]),
            b"name\0\0" + zlib.compress(srgb_profile()[:-20]),
            b"name\0\0" + zlib.compress(bytes(500)),
        ],
    )
    def test_damaged_profile_does_not_count(self, body: bytes) -> None:
        assert self.colour((b"iCCP", body)).icc_profile is None

    def test_profile_bomb_is_refused(self) -> None:
        with pytest.raises(CorruptImageError, match="ICC profile inflates"):
            parse(rgb((b"iCCP", b"bomb\0\0" + zlib.compress(bytes(40_000_000), 9))))

    def test_text_bomb_is_never_inflated(self) -> None:
        bomb = b"Comment\0\0" + zlib.compress(bytes(40_000_000), 9)
        assert parse(rgb((b"zTXt", bomb))).keywords == ("Comment",)


def frame(*values: int) -> bytes:
    """The body of fcTL: sequence number, width, height, left; disposal, blending."""
    return struct.pack(">5I2H2B", *values[:4], 0, 1, 1, *values[4:])


class TestAnimation:
    @staticmethod
    def frames(count: int = 3) -> list[Frame]:
        return [Frame(samples=photo(8, 6, seed), delay=(seed, 0)) for seed in range(count)]

    def test_frames_are_read(self) -> None:
        found = parse(animate(self.frames(), RGB, loops=7))
        assert found.animation is not None
        assert (found.frames, found.animation.plays) == (3, 7)
        assert [frame.delay for frame in found.animation.frames] == [0, 0.01, 0.02]
        assert not found.animation.has_hidden_default

    def test_default_image_may_be_no_frame(self) -> None:
        found = parse(animate(self.frames(), RGB, default_image=photo(8, 6)))
        assert found.animation is not None
        assert found.frames == 3
        assert found.animation.has_hidden_default

    @pytest.mark.parametrize(
        ("name", "index", "body"),
        [
            pytest.param(b"acTL", 0, struct.pack(">II", 4, 0), id="frames missing"),
            pytest.param(b"acTL", 0, struct.pack(">II", 2, 0), id="frames too many"),
            pytest.param(b"acTL", 0, bytes(7), id="short control"),
            pytest.param(b"fcTL", 0, b"", id="no frame control"),
            pytest.param(b"fcTL", 1, bytes(25), id="short frame control"),
            pytest.param(b"fcTL", 1, frame(1, 8, 6, 1, 0, 0), id="outside"),
            pytest.param(b"fcTL", 1, frame(1, 0, 6, 0, 0, 0), id="empty"),
            pytest.param(b"fcTL", 1, frame(1, 8, 6, 0, 3, 0), id="disposal"),
            pytest.param(b"fcTL", 1, frame(1, 8, 6, 0, 0, 2), id="blending"),
            pytest.param(b"fcTL", 0, frame(0, 4, 6, 0, 0, 0), id="first too small"),
            pytest.param(b"fcTL", 1, frame(9, 8, 6, 0, 0, 0), id="sequence"),
            pytest.param(b"fdAT", 0, b"\0\0", id="short data"),
        ],
    )  # fmt: skip
    def test_contradictions_are_told_but_not_fatal(
        self, name: bytes, index: int, body: bytes
    ) -> None:
        chunks = split(animate(self.frames(), RGB))
        at = [number for number, one in enumerate(chunks) if one[0] == name][index]
        chunks[at] = (name, body)
        found = parse(join(chunks))
        assert found.animation is None
        assert found.animation_fault is not None
        assert found.frames == 1
        assert any("left as it is" in phrase for phrase in found.describe())

    def test_two_controls_are_a_contradiction(self) -> None:
        chunks = split(animate(self.frames(), RGB))
        assert parse(join([*chunks[:2], *chunks[1:]])).animation_fault is not None


class TestMarker:
    """The mark only counts for the very pixels it was made for."""

    def marked(self, quality: int = 73) -> bytes:
        data = rgb()
        return marked(data, parse(data).chunks, quality)

    def test_it_is_read_back(self) -> None:
        found = parse(self.marked())
        assert found.quantised_at == 73
        assert "made by TinyJPG at quality 73" in found.describe()

    def test_it_is_ancillary_private_and_unsafe_to_copy(self) -> None:
        mark = next(chunk for chunk in parse(self.marked()).chunks if chunk.type == b"tjPQ")
        assert not mark.is_critical
        assert mark.name[1].islower()
        assert mark.name[2].isupper()
        assert not mark.is_safe_to_copy

    def test_other_pixels(self) -> None:
        mark = next(one for one in split(self.marked()) if one[0] == b"tjPQ")
        chunks = split(encode(photo(9, 7, seed=1), RGB))
        assert parse(join([*chunks[:-1], mark, chunks[-1]])).quantised_at is None

    @pytest.mark.parametrize("name", [b"IHDR", b"IDAT"])
    def test_other_header_or_data(self, name: bytes) -> None:
        chunks = [
            (kind, body[:-1] + bytes([body[-1] ^ (kind == name)])) if kind == name else (kind, body)
            for kind, body in split(self.marked())
        ]
        assert parse(join(chunks)).quantised_at is None

    @pytest.mark.parametrize("body", [b"", bytes(5), bytes(4), b"\x49" + bytes(4)])
    def test_invalid_body(self, body: bytes) -> None:
        assert parse(rgb((b"tjPQ", body))).quantised_at is None

    @pytest.mark.parametrize("quality", [0, 100, 255])
    def test_impossible_quality(self, quality: int) -> None:
        assert parse(self.marked(quality)).quantised_at is None

    def test_two_marks(self) -> None:
        chunks = split(self.marked())
        assert parse(join([*chunks[:-1], *chunks[-2:]])).quantised_at is None


def test_chunks_are_written_where_they_have_to_be() -> None:
    found = parse(indexed((b"tRNS", b"\0\x80")))
    given = [(b"bKGD", b"\0"), (b"gAMA", bytes(4)), (b"hIST", bytes(8)), (b"tEXt", b"a\0b")]
    written = still(found, given, [b"pixels, ", memoryview(b"in pieces")])
    assert [name.decode() for name, _ in split(written)] == [
        "IHDR", "gAMA", "tEXt", "PLTE", "tRNS", "bKGD", "hIST", "IDAT", "IEND"
    ]  # fmt: skip
    assert dict(split(written))[b"IDAT"] == b"pixels, in pieces"
    assert dict(split(written))[b"IHDR"] == dict(split(indexed()))[b"IHDR"]


def test_colour_types_know_their_facts() -> None:
    assert [kind.channels for kind in ColourType] == [1, 3, 1, 2, 4]
    assert [kind.is_grey for kind in ColourType] == [True, False, False, True, False]


@needs_shared
@pytest.mark.parametrize("path", corpus("pngsuite"), ids=lambda path: str(path.stem))
def test_the_names_of_the_png_suite_tell_the_truth(path: Path) -> None:
    """`basi6a08`: interlaced, colour type 6, 8 bits; `x`: broken."""
    name = path.stem.removeprefix("pngsuite__")
    if name == "PngSuite":
        pytest.skip("the overview, which has no telling name")
    if name.startswith("x"):
        with pytest.raises(CorruptImageError):
            parse(path.read_bytes())
        return
    found = parse(path.read_bytes())
    assert (found.colour_type, found.bit_depth) == (int(name[-4]), int(name[-2:]))
    if name[-5] in "in":
        assert found.interlaced is (name[-5] == "i")
