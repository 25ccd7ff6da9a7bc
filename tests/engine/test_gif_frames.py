"""Playing GIFs: every disposal, offset, palette and interlacing against pictures known before."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from corpus.generators.gif_structure import Frame, encode
from tinyjpg import CorruptImageError, DeadlineExceededError
from tinyjpg.codecs.gif_compare import check, frame_scores, identical, worst_score
from tinyjpg.codecs.gif_frames import Decoder, channels, play, play_together
from tinyjpg.containers.gif_blocks import Gif
from tinyjpg.containers.gif_reader import read
from tinyjpg.limits import Deadline
from tinyjpg.verify import Verifier

CLEAR = (0, 0, 0, 0)
COLOURS = ((200, 10, 10), (10, 200, 10), (10, 10, 200), (250, 250, 250))
OTHERS = ((1, 2, 3), (90, 80, 70), (4, 5, 6), (30, 60, 90))

NEVER = Deadline()


def painted(*rows: str) -> npt.NDArray[np.uint8]:
    """Colour indices from digits."""
    return np.array([[int(digit) for digit in row] for row in rows], np.uint8)


def shown(data: bytes) -> list[list[str]]:
    """Each picture as rows of digits: 0-3 of COLOURS, a-d of OTHERS, . for clear."""
    names: dict[tuple[int, ...], str] = {
        (*colour, 255): str(index) for index, colour in enumerate(COLOURS)
    }
    names |= {(*colour, 255): "abcd"[index] for index, colour in enumerate(OTHERS)}
    names[CLEAR] = "."
    return [
        ["".join(names[tuple(map(int, pixel))] for pixel in row) for row in channels(one.canvas)]
        for one in play(read(data), Decoder(NEVER))
    ]


GROUND = Frame(indices=painted("000", "000", "000"), delay=5)


def with_middle(disposal: int, **options: Any) -> bytes:
    """A ground, a two by two square with the given disposal, a dot."""
    square = Frame(
        indices=painted("12", "21"), delay=5, disposal=disposal, left=1, top=1, **options
    )
    return encode([GROUND, square, Frame(indices=painted("3"), delay=5)], COLOURS)


@pytest.mark.parametrize("disposal", [0, 1])
def test_a_kept_frame_stays(disposal: int) -> None:
    assert shown(with_middle(disposal))[1:] == [["000", "012", "021"], ["300", "012", "021"]]


def test_a_cleared_frame_leaves_a_hole() -> None:
    assert shown(with_middle(2))[1:] == [["000", "012", "021"], ["300", "0..", "0.."]]


@pytest.mark.parametrize("disposal", [3, 4])
def test_a_restored_frame_leaves_what_was_before(disposal: int) -> None:
    assert shown(with_middle(disposal))[1:] == [["000", "012", "021"], ["300", "000", "000"]]


def test_the_transparent_colour_is_not_painted() -> None:
    assert shown(with_middle(1, transparent=2))[1] == ["000", "010", "001"]


def test_a_frame_smaller_than_the_canvas_leaves_the_rest_clear() -> None:
    frame = Frame(indices=painted("12"), left=1, top=1)
    assert shown(encode([frame], COLOURS, size=(4, 3))) == [["....", ".12.", "...."]]


def test_a_frame_beyond_the_canvas_is_clipped() -> None:
    frames = [GROUND, Frame(indices=painted("12", "21"), left=2, top=2)]
    assert shown(encode(frames, COLOURS))[1] == ["000", "000", "001"]
    frames = [GROUND, Frame(indices=painted("12", "21"), left=7, top=0)]
    assert shown(encode(frames, COLOURS))[1] == ["000", "000", "000"]


def test_a_local_palette_applies_to_its_frame_only() -> None:
    local = Frame(indices=painted("12"), palette=OTHERS)
    frames = [GROUND, local, Frame(indices=painted("3"), left=2, top=2)]
    assert shown(encode(frames, COLOURS))[1:] == [["bc0", "000", "000"], ["bc0", "000", "003"]]


@pytest.mark.parametrize("height", range(1, 19))
def test_interlaced_rows_come_in_their_order(height: int) -> None:
    random = np.random.default_rng(height)
    indices = random.integers(0, 4, (height, 5), np.uint8)
    gif = read(encode([Frame(indices=indices, interlaced=True)], COLOURS))
    assert np.array_equal(Decoder(NEVER).decode(gif.images[0]), indices)


@pytest.mark.parametrize("size", [(1, 1), (640, 480), (800, 600), (2100, 3)])
def test_every_size_decodes_to_its_indices(size: tuple[int, int]) -> None:
    # libvips takes some sizes of the screen for a mistake.
    indices = np.resize(np.arange(256, dtype=np.uint8), (size[1], size[0]))
    gif = read(encode([Frame(indices=indices)], [(n, 0, 0) for n in range(256)]))
    assert np.array_equal(Decoder(NEVER).decode(gif.images[0]), indices)


def test_image_data_that_ends_early_is_corrupt_not_half_a_picture() -> None:
    indices = np.random.default_rng(1).integers(0, 4, (40, 40), np.uint8)
    whole = read(encode([Frame(indices=indices)], COLOURS)).images[0]
    block = 1 + whole.data[0]
    short = encode([Frame(indices=indices)], COLOURS).replace(
        whole.data, whole.data[:block] + b"\0"
    )
    with pytest.raises(CorruptImageError, match="ends before its last pixel"):
        check(read(short), Decoder(NEVER))


def test_a_huge_image_of_hardly_any_data_takes_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinyjpg.backends.vips.load", pytest.fail)
    small = read(encode([GROUND], COLOURS)).images[0]
    with pytest.raises(CorruptImageError, match="ends before its last pixel"):
        Decoder(NEVER).decode(replace(small, width=30_000, height=30_000))


def test_image_data_with_an_impossible_code_is_corrupt() -> None:
    indices = np.random.default_rng(1).integers(0, 4, (40, 40), np.uint8)
    data = encode([Frame(indices=indices)], COLOURS)
    whole = read(data).images[0].data
    with pytest.raises(CorruptImageError):
        check(read(data.replace(whole, whole[:20] + b"\xff" * 20 + whole[40:])), Decoder(NEVER))


def test_a_colour_beyond_the_palette_is_noticed() -> None:
    frame = Frame(indices=painted("0123"))
    # The code size allows for four colours, the palette is cut to two.
    data = encode([frame], COLOURS)
    cut = data[:10] + bytes([data[10] - 1]) + data[11:19] + data[25:]
    assert check(read(data), Decoder(NEVER))
    assert not check(read(cut), Decoder(NEVER))


def test_playing_stops_when_time_is_up() -> None:
    with pytest.raises(DeadlineExceededError):
        check(read(with_middle(1)), Decoder(Deadline.after(0.0)))


# --- comparing ----------------------------------------------------------------------------------


def two(change: str = "", **last: Any) -> Gif:
    """Two frames; `change` is what the second shows instead of 12."""
    second = Frame(indices=painted(change or "12"), **({"delay": 5, "left": 1} | last))
    return read(encode([GROUND, second], COLOURS, loops=0))


def test_equal_pictures_drawn_differently_are_identical() -> None:
    redrawn = read(
        encode([GROUND, Frame(indices=painted("012"), delay=5, disposal=1)], COLOURS, loops=0)
    )
    assert identical(two(), redrawn, Decoder(NEVER))


@pytest.mark.parametrize(
    "other",
    [
        two("13"),
        two(delay=6),
        two(left=0),
        read(encode([GROUND, Frame(indices=painted("12"), delay=5, left=1)], COLOURS, loops=1)),
        read(encode([GROUND, Frame(indices=painted("12"), delay=5, left=1)], COLOURS)),
        read(encode([GROUND], COLOURS, loops=0)),
        read(encode([GROUND, GROUND, GROUND], COLOURS, loops=0)),
    ],
    ids=["pixel", "delay", "place", "loops", "no loop", "fewer frames", "more frames"],
)
def test_any_difference_is_noticed(other: Gif) -> None:
    assert not identical(two(), other, Decoder(NEVER))


@pytest.mark.parametrize(
    "other",
    [two(delay=6), read(encode([GROUND], COLOURS, loops=0)), replace(two(), loops=())],
    ids=["delay", "frames", "loops"],
)
def test_another_timeline_has_no_score(other: Gif) -> None:
    assert worst_score(two(), two(), 0, Decoder(NEVER)) == 100
    assert worst_score(two(), other, 0, Decoder(NEVER)) is None


def test_files_that_only_browsers_show_alike_are_not_identical() -> None:
    # Where a frame is cleared libvips paints the background colour, unless the frame had a
    # transparent one.
    opaque = read(with_middle(2))
    assert not identical(opaque, read(with_middle(2, transparent=3)), Decoder(NEVER))
    assert identical(opaque, opaque, Decoder(NEVER))


def photo_frames(noise: int) -> Gif:
    down, across = np.mgrid[0:48, 0:64]
    random = np.random.default_rng(5)
    frames = []
    for number in range(6):
        level = 90 + 60 * np.sin((across + 4 * number) / 9) + 50 * np.cos(down / 7)
        if number == 4:
            level = level + random.normal(0, noise, level.shape) if noise else level
        frames.append(Frame(indices=np.clip(level, 0, 255).astype(np.uint8), delay=5))
    return read(encode(frames, [(n, n, n) for n in range(256)]))


def test_the_worst_frame_decides_the_score() -> None:
    reference = photo_frames(0)
    assert worst_score(reference, reference, 0, Decoder(NEVER)) == 100
    slightly = worst_score(reference, photo_frames(2), 0, Decoder(NEVER))
    badly = worst_score(reference, photo_frames(20), -1000, Decoder(NEVER))
    assert slightly is not None
    assert badly is not None
    assert badly < slightly < 100


def test_no_frame_that_looks_unlike_the_one_before_goes_unscored() -> None:
    # Errors that grow, stay, go and come back elsewhere: the largest is not the most visible.
    frames, altered = [], []
    random = np.random.default_rng(7)
    smooth = (80 + np.indices((96, 128)).sum(0) // 3).astype(np.uint8)
    rough = random.integers(0, 256, smooth.shape, np.uint8)
    kinds = [
        (smooth, 0),
        (rough, 12),
        (rough, 12),
        (smooth, 6),
        (rough, 0),
        (smooth, 9),
        (rough, 5),
    ]
    for number, (picture, noise) in enumerate(kinds):
        level = np.roll(picture, number // 2 * 2).astype(np.int64)
        off = level + np.random.default_rng(number // 2).integers(-noise, noise + 1, level.shape)
        frames.append(Frame(indices=level.astype(np.uint8), delay=5))
        altered.append(Frame(indices=np.clip(off, 0, 255).astype(np.uint8), delay=5))
    greys = [(n, n, n) for n in range(256)]
    one, other = read(encode(frames, greys)), read(encode(altered, greys))
    every = [
        Verifier(channels(left.copy())).score(channels(right.copy()))
        for left, right, _ in play_together(one, other, Decoder(NEVER))
    ]
    scores = frame_scores(one, other, -1000, Decoder(NEVER))
    assert scores is not None
    assert min(every) == min(scores.values()) == worst_score(one, other, -1000, Decoder(NEVER))
    assert min(every) == every[5]
    assert all(score == every[number] for number, score in scores.items())
    assert list(frame_scores(one, other, every[3] + 0.01, Decoder(NEVER)) or ())[-1] == 3


def test_transparency_must_not_change_at_all() -> None:
    one = read(encode([Frame(indices=painted("01", "10"), transparent=0)], COLOURS))
    other = read(encode([Frame(indices=painted("01", "11"), transparent=0)], COLOURS))
    assert worst_score(one, other, 0, Decoder(NEVER)) is None
