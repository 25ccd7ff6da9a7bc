"""Reading and writing the blocks of a GIF, and its facts, from bytes written by hand."""

from __future__ import annotations

import struct
from dataclasses import replace

import numpy as np
import pytest

from corpus.generators.gif_structure import Frame, encode
from tinyjpg import CorruptImageError, Format, LimitExceededError
from tinyjpg.containers import gif_blocks, gif_reader
from tinyjpg.containers.gif import parse
from tinyjpg.containers.gif_blocks import COMMENT, Loop, write
from tinyjpg.containers.gif_marker import marked, quality, unmarked
from tinyjpg.containers.gif_reader import read

RED_BLUE = ((255, 0, 0), (0, 0, 255))
CHECKS = (np.indices((6, 8)).sum(axis=0) % 2).astype(np.uint8)

XMP_PACKET = b"<?xpacket?><x:xmpmeta>" + b"rights" * 60 + b"</x:xmpmeta>"
XMP = b"\x21\xff\x0bXMP DataXMP" + XMP_PACKET + bytes((1, *range(255, -1, -1), 0))
ICC = b"\x21\xff\x0bICCRGBG1012\x05abcde\x02fg\x00"
NOTE = b"\x21\xfe\x05hello\x03 me\x00"


def looping(count: int, name: bytes = b"NETSCAPE2.0") -> bytes:
    return b"\x21\xff\x0b" + name + b"\x03\x01" + struct.pack("<H", count) + b"\0"


def still(**options: object) -> bytes:
    return encode([Frame(indices=CHECKS)], RED_BLUE, **options)  # type: ignore[arg-type]


def animated(*delays: int | None, loops: int | None = None) -> bytes:
    frames = [Frame(indices=np.roll(CHECKS, n, 1), delay=d) for n, d in enumerate(delays)]
    return encode(frames, RED_BLUE, loops=loops)


def with_extension(data: bytes, *extensions: bytes) -> bytes:
    """`data` with blocks inserted after its global palette of two colours."""
    at = 13 + 6
    return data[:at] + b"".join(extensions) + data[at:]


# --- facts --------------------------------------------------------------------------------------


def test_a_still_image_tells_its_facts() -> None:
    header = parse(still())
    assert (header.format, header.width, header.height, header.frames) == (Format.GIF, 8, 6, 1)
    assert (header.delays, header.disposals, header.loop_count) == ((0,), (0,), None)
    assert (header.colours, header.local_palettes, header.has_alpha) == (2, 0, False)
    assert header.describe() == ("2 colours",)


def test_an_animation_tells_its_timing() -> None:
    header = parse(animated(0, 1, 250, None, loops=3))
    assert header.frames == 4
    assert header.delays == (0, 1, 250, 0)
    assert header.loop_count == 3
    assert "2.51 s" in header.describe()
    assert "repeats 3 times" in header.describe()


@pytest.mark.parametrize(
    ("loops", "phrase"), [(None, "plays once"), (0, "loops for ever"), (7, "repeats 7 times")]
)
def test_the_loop_count_is_told_apart_from_its_absence(loops: int | None, phrase: str) -> None:
    header = parse(animated(5, 5, loops=loops))
    assert header.loop_count == loops
    assert phrase in header.describe()


def test_the_last_of_several_loop_counts_is_the_one() -> None:
    data = with_extension(animated(5, 5), looping(2), looping(9, b"ANIMEXTS1.0"))
    assert parse(data).loop_count == 9
    assert read(data).loops == ((2, 0), (9, 0))


def test_local_palettes_disposal_and_interlacing_are_told() -> None:
    frames = [
        Frame(indices=CHECKS, delay=4, disposal=2, palette=RED_BLUE, interlaced=True),
        Frame(indices=CHECKS, delay=4, disposal=3, transparent=1),
    ]
    header = parse(encode(frames, RED_BLUE))
    assert header.disposals == (2, 3)
    assert (header.local_palettes, header.interlaced, header.transparency) == (1, True, True)
    assert {"interlaced", "transparent colour", "disposal clear, restore"} <= {*header.describe()}


def test_metadata_is_found_and_a_profile_is_not_taken_for_the_pictures() -> None:
    header = parse(with_extension(still(), NOTE, XMP, ICC))
    assert header.comments == (b"hello me",)
    assert header.xmp == XMP_PACKET
    assert header.embedded_profile == b"abcdefg"
    assert header.icc_profile is None
    assert f"XMP of {len(XMP_PACKET)} bytes" in header.describe()


@pytest.mark.parametrize(
    ("frames", "size", "alpha"),
    [
        ([Frame(indices=CHECKS, delay=1)], None, False),
        ([Frame(indices=CHECKS, transparent=0)], None, True),
        ([Frame(indices=CHECKS)], (9, 6), True),
        ([Frame(indices=CHECKS, delay=1), Frame(indices=CHECKS, transparent=0)], None, False),
        ([Frame(indices=CHECKS, disposal=2), Frame(indices=CHECKS)], None, True),
        ([Frame(indices=CHECKS), Frame(indices=CHECKS, disposal=2)], None, False),
    ],
    ids=["opaque", "transparent", "partial", "later", "cleared", "cleared last"],
)
def test_alpha_is_told_where_anything_may_show_through(
    frames: list[Frame], size: tuple[int, int] | None, alpha: bool
) -> None:
    assert parse(encode(frames, RED_BLUE, size=size)).has_alpha is alpha


def test_the_first_image_grows_the_canvas_as_browsers_do() -> None:
    header = parse(encode([Frame(indices=CHECKS, left=3, top=1)], RED_BLUE, size=(4, 4)))
    assert (header.width, header.height) == (11, 7)


# --- damage -------------------------------------------------------------------------------------


def test_a_file_cut_anywhere_before_its_last_image_ends_is_corrupt() -> None:
    data = with_extension(animated(3, 4, loops=0), NOTE)
    gif = read(data)
    ends = {len(data) - 1}  # the trailer alone may be missing
    ends.add(len(data) - 1 - gif_blocks.image_size(gif.images[1]))  # or a whole image with it
    for length in range(len(data) - 1):
        if length in ends:
            assert len(read(data[:length]).images) == 1
            continue
        with pytest.raises(CorruptImageError, match="damaged"):
            parse(data[:length])


@pytest.mark.parametrize("end", [b"", b"\0", b"\0\0\x3b", b"\x3bgarbage"])
def test_a_missing_or_padded_trailer_is_harmless(end: bytes) -> None:
    data = animated(3, 4)[:-1] + end
    assert parse(data).frames == 2
    assert write(read(data)) == animated(3, 4)


def test_trailing_bytes_are_counted() -> None:
    header = parse(still() + b"PK\x03\x04 and so on")
    assert header.trailing == 14
    assert "14 bytes after the end" in header.describe()


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda data: b"GIF90a" + data[6:], "start"),
        (lambda data: data[:19] + b"\x07" + data[19:], "0x07 where a block should start"),
        (lambda data: data[:19] + b"\0" + data[19:], "0x00 where a block should start"),
        (lambda data: data[:19] + b"\x3b", "no image"),
        (lambda data: data[:29] + b"\x0c" + data[30:], "code size is 12"),
        (lambda data: data[:29] + b"\0" + data[30:], "code size is 0"),
        (lambda data: data[:19] + b"\x21\xf9\x01\0\0" + data[19:], "1 of its 4 bytes"),
    ],
)
def test_blocks_out_of_order_are_corrupt(damage: object, reason: str) -> None:
    assert callable(damage)
    with pytest.raises(CorruptImageError, match=reason):
        parse(damage(still()))


def test_a_canvas_or_images_without_pixels_are_corrupt() -> None:
    nothing = still()[:24] + b"\0\0\0\0" + still()[28:]
    with pytest.raises(CorruptImageError, match="no image with any pixels"):
        parse(nothing)


def test_a_later_image_far_larger_than_the_canvas_is_corrupt() -> None:
    data = animated(3, 4)
    at = data.rindex(b"\x2c\0\0\0\0")
    huge = data[: at + 5] + struct.pack("<HH", 65_535, 65_535) + data[at + 9 :]
    with pytest.raises(CorruptImageError, match="65,535 x 65,535 pixels on a canvas of 8 x 6"):
        parse(huge)


def test_endless_blocks_are_refused_before_they_fill_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gif_reader, "_MOST_BLOCKS", 10)
    with pytest.raises(LimitExceededError, match="more than 10 blocks"):
        parse(with_extension(still(), *[b"\x21\xfe\0"] * 11))


# --- what is not rewritten ----------------------------------------------------------------------

PLAIN_TEXT = b"\x21\x01\x0c" + bytes(12) + b"\x02hi\0"
CONTROL = b"\x21\xf9\x04\x09\x05\0\0\0"


@pytest.mark.parametrize(
    ("data", "doubt"),
    [
        (with_extension(still(), PLAIN_TEXT), "plain text"),
        (with_extension(still(), CONTROL, CONTROL), "several graphic controls"),
        (encode([Frame(indices=CHECKS)]), "without colours"),
        (
            encode([Frame(indices=CHECKS), Frame(indices=CHECKS, left=1)], RED_BLUE),
            "beyond the canvas",
        ),
        (
            with_extension(still(), b"\x21\xff\x0bNETSCAPE2.0\x02\x01\x00\x00"),
            "looping extension",
        ),
    ],
    ids=["plain text", "two controls", "no palette", "outside", "odd loop"],
)
def test_what_viewers_disagree_about_is_left_alone(data: bytes, doubt: str) -> None:
    header = parse(data)
    assert any(doubt in reason for reason in header.doubts)
    assert any(phrase.startswith("left as it is") for phrase in header.describe())


# --- writing ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        still(),
        animated(1, 2, None, loops=4),
        with_extension(animated(1, 2), looping(0), NOTE, XMP, ICC),
        animated(1, 2)[:-1] + looping(5) + b"\x3b",
        encode([Frame(indices=CHECKS, palette=RED_BLUE, interlaced=True, transparent=0)]),
    ],
    ids=["still", "animated", "with metadata", "loop at the end", "local palette"],
)
def test_what_was_read_is_written_back_to_the_byte(data: bytes) -> None:
    assert write(read(data)) == (data if b"\x21" in data else b"GIF87a" + data[6:])


def test_the_written_version_fits_the_contents() -> None:
    assert write(read(still(version=b"87a")))[:6] == b"GIF87a"
    assert write(read(animated(5)))[:6] == b"GIF89a"


# --- the engine's mark --------------------------------------------------------------------------


def test_a_mark_is_read_back_and_removed_without_a_trace() -> None:
    gif = read(with_extension(animated(3, 4, loops=0), NOTE))
    stamped = read(write(marked(gif, 80)))
    assert quality(stamped) == 80
    assert write(unmarked(stamped)) == write(gif)
    assert parse(write(stamped)).made_at == 80
    assert parse(write(stamped)).comments == (b"hello me",)
    assert "optimised at quality 80" in parse(write(stamped)).describe()


def test_a_new_mark_replaces_the_old() -> None:
    gif = marked(marked(read(still()), 80), 60)
    assert quality(gif) == 60
    assert sum(extension.label == COMMENT for extension in gif.extensions) == 1


def test_a_mark_does_not_survive_another_tools_edit() -> None:
    stamped = marked(read(animated(3, 4)), 80)
    first, second = stamped.images
    assert second.control is not None
    slower = replace(second, control=replace(second.control, delay=5))
    assert quality(replace(stamped, images=(first, slower))) is None
    assert quality(replace(stamped, palette=bytes(6))) is None
    assert quality(replace(stamped, loops=(Loop(3, 0),))) is None
    assert quality(stamped) == 80


@pytest.mark.parametrize(
    "text", [b"tinyjpg 80 00000000", b"tinyjpg 80", b"tinyjpg 080 1a2b3c4d", b"made by tinyjpg 80"]
)
def test_a_forged_or_foreign_mark_counts_for_nothing(text: bytes) -> None:
    gif = read(with_extension(still(), gif_blocks.comment(text).raw))
    assert quality(gif) is None
