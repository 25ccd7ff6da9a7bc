"""GIFs through optimize(): what stays as it was, what gets smaller, and what a second pass does."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from corpus.generators.gif_structure import Frame, encode
from tests.engine.gif_samples import NEVER, OTHER_PALETTE, PALETTE, animation, scene
from tests.shared import corpus, needs_shared
from tinyjpg import (
    Result,
    TinyJPGError,
    optimize,
    probe,
)
from tinyjpg.codecs import gif_pack
from tinyjpg.codecs.gif_compare import check, identical, worst_score
from tinyjpg.codecs.gif_frames import Decoder
from tinyjpg.containers.gif import GifHeader, parse
from tinyjpg.containers.gif_blocks import Gif, Loop, write
from tinyjpg.containers.gif_marker import marked, quality
from tinyjpg.containers.gif_reader import read


def assert_honest(source: bytes, result: Result, at_quality: int) -> Gif:
    """What holds for every result; returns it in blocks."""
    before, after = parse(source), parse(result.data)
    assert len(result.data) <= len(source)
    assert (result.width, result.height, result.frames) == (after.width, after.height, after.frames)
    for fact in ("width", "height", "frames", "delays", "loop_count", "has_alpha"):
        assert getattr(after, fact) == getattr(before, fact), fact
    old, new = read(source), read(result.data)
    assert [one.control is None for one in old.images] == [
        one.control is None for one in new.images
    ]
    assert check(new, Decoder(NEVER)) or before.doubts
    if result.method.startswith("colours altered"):
        score = worst_score(old, replace(new, loops=old.loops), -1000, Decoder(NEVER))
        assert score is not None
        assert score >= at_quality - 0.5
        assert quality(new) == at_quality
    else:
        assert identical(old, replace(new, loops=old.loops), Decoder(NEVER))
    again = optimize(result.data, at_quality)
    assert again.data == result.data
    return new


# --- every feature, at every kind of quality ----------------------------------------------------

SQUARE = scene(3, (20, 16))
FEATURES: dict[str, bytes] = {
    "still": encode([Frame(indices=scene())], PALETTE),
    "one pixel": encode([Frame(indices=np.zeros((1, 1), np.uint8))], PALETTE),
    "one pixel wide": encode([Frame(indices=scene(size=(1, 90)))], PALETTE),
    "interlaced": encode([Frame(indices=scene(), interlaced=True)], PALETTE),
    "transparent": encode([Frame(indices=scene(), transparent=30)], PALETTE),
    "entirely transparent": encode(
        [Frame(indices=np.full((30, 30), 5, np.uint8), transparent=5)], PALETTE
    ),
    "smaller than the canvas": encode(
        [Frame(indices=SQUARE, left=5, top=6)], PALETTE, size=(64, 48)
    ),
    "screen of a size some distrust": encode(
        [Frame(indices=SQUARE, left=5, top=6)], PALETTE, size=(640, 480)
    ),
    "first image beyond the screen": encode(
        [Frame(indices=scene(), left=5), Frame(indices=SQUARE, delay=3)], PALETTE, size=(30, 30)
    ),
    "no loop": animation(loops=None),
    "endless": animation(loops=0),
    "three loops": animation(loops=3),
    "no delay": animation(delay=None),
    "delay of zero": animation(delay=0),
    "delay of one": animation(delay=1),
    "delays of all kinds": encode(
        [Frame(indices=scene(n), delay=d) for n, d in enumerate((0, None, 1, 65_535, None))],
        PALETTE,
        loops=0,
    ),
    "cleared": animation(disposal=2),
    "cleared and transparent": animation(disposal=2, transparent=20),
    "restored": animation(disposal=3),
    "patches of every disposal": encode(
        [
            Frame(indices=scene(), delay=5),
            *(
                Frame(indices=SQUARE, delay=5, disposal=d, left=6 * d, top=5 * d, transparent=32)
                for d in (0, 1, 2, 3, 1, 2, 0)
            ),
        ],
        PALETTE,
        loops=0,
    ),
    "opaque patches cleared": encode(
        [
            Frame(indices=scene(), delay=5),
            *(Frame(indices=SQUARE, delay=5, disposal=2, left=6 * d, top=d) for d in range(4)),
        ],
        PALETTE,
        loops=0,
    ),
    "local palettes": encode(
        [
            Frame(indices=scene(n), delay=5, palette=OTHER_PALETTE if n % 2 else ())
            for n in range(4)
        ],
        PALETTE,
        loops=0,
    ),
    "local palettes only": encode(
        [Frame(indices=scene(n), delay=5, palette=PALETTE[n:] + PALETTE[:n]) for n in range(3)]
    ),
    "frames that change nothing": encode(
        [Frame(indices=scene(n // 4), delay=4) for n in range(9)], PALETTE, loops=0
    ),
    "a wasteful encoder": encode([Frame(indices=np.zeros((60, 90), np.uint8))], PALETTE),
}


@pytest.mark.parametrize("at_quality", [30, 80, 100])
@pytest.mark.parametrize("name", FEATURES)
def test_a_feature_survives(name: str, at_quality: int) -> None:
    source = FEATURES[name]
    result = optimize(source, at_quality)
    assert_honest(source, result, at_quality)
    if at_quality == 100:
        assert not result.method.startswith("colours altered")


def test_frames_that_change_nothing_are_neither_merged_nor_lost() -> None:
    source = FEATURES["frames that change nothing"]
    result = optimize(source, 100)
    assert result.frames == 9
    assert parse(result.data).delays == (4,) * 9
    assert result.saved > 0.5


def test_delays_of_zero_stay_apart_from_no_delay() -> None:
    new = read(optimize(FEATURES["delays of all kinds"], 80).data)
    delays = [None if one.control is None else one.control.delay for one in new.images]
    assert delays == [0, None, 1, 65_535, None]


def test_conflicting_loop_counts_keep_their_order_and_repeated_ones_are_written_once() -> None:
    source = read(animation(loops=None))
    loops = [Loop(count, before) for count, before in ((2, 0), (2, 1), (5, 1), (5, 2), (2, 4))]
    conflicting = write(replace(source, loops=tuple(loops)))
    assert read(optimize(conflicting, 100).data).loops == ((2, 0), (5, 1), (2, 4))


def test_trailing_bytes_and_interlacing_go() -> None:
    result = optimize(FEATURES["interlaced"] + b"trailing", 100)
    after = parse(result.data)
    assert (after.trailing, after.interlaced) == (0, False)


def test_a_gif_by_another_encoder_is_optimised() -> None:
    pictures = [Image.fromarray(scene(n) * 4).convert("P") for n in range(5)]
    stream = io.BytesIO()
    pictures[0].save(
        stream, "GIF", save_all=True, append_images=pictures[1:], duration=[50, 60, 70, 80, 90]
    )
    source = stream.getvalue()
    for at_quality in (60, 100):
        assert_honest(source, optimize(source, at_quality), at_quality)


@pytest.mark.parametrize("name", ["opaque patches cleared", "cleared"])
def test_frames_stay_as_drawn_where_decoders_differ_about_cleared_areas(name: str) -> None:
    before, after = read(FEATURES[name]), read(optimize(FEATURES[name], 100).data)
    places = [[one.left, one.top, one.width, one.height, one.control] for one in before.images]
    assert places == [
        [one.left, one.top, one.width, one.height, one.control] for one in after.images
    ]


# --- how lossy ----------------------------------------------------------------------------------


def test_lower_quality_gives_smaller_files_that_still_reach_it() -> None:
    source = animation(5)
    results = {asked: optimize(source, asked) for asked in (40, 75, 95, 100)}
    for asked, result in results.items():
        assert_honest(source, result, asked)
    sizes = [len(results[asked].data) for asked in (40, 75, 95, 100)]
    assert sizes == sorted(sizes)
    assert sizes[0] < 0.8 * sizes[-1]
    assert results[100].score == 100


def test_a_lossy_result_that_misses_the_score_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinyjpg.codecs.gif_lossy.frame_scores", lambda *_: {0: 90.0, 2: 79.4})
    source = animation()
    assert identical(read(source), read(optimize(source, 80).data), Decoder(NEVER))


def test_a_lossy_result_of_another_shape_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    source = animation()
    shifted = read(animation(left=1))
    monkeypatch.setattr("tinyjpg.codecs.gif_lossy.redraw", lambda *_: shifted)
    assert identical(read(source), read(optimize(source, 80).data), Decoder(NEVER))


def test_a_lossless_result_with_a_wrong_pixel_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    source = animation()
    wrong = encode([Frame(indices=scene(0) // 9, delay=7)] * 4, PALETTE, loops=0)
    monkeypatch.setattr("tinyjpg.backends.gifsicle.run", lambda *_: wrong)
    assert optimize(source, 100).data == source


def test_a_result_with_frames_missing_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    source = animation(disposal=2)
    fewer = encode([Frame(indices=scene(0), delay=28)], PALETTE, loops=0)
    monkeypatch.setattr("tinyjpg.backends.gifsicle.run", lambda *_: fewer)
    assert optimize(source, 60).data == source


# --- the second pass ----------------------------------------------------------------------------


def test_a_file_made_at_a_quality_is_unchanged_at_it_and_above() -> None:
    made = optimize(animation(), 60)
    assert isinstance(header := probe(made.data), GifHeader)
    assert header.made_at == 60
    for asked in (60, 75, 100):
        assert optimize(made.data, asked).data == made.data


def test_a_file_made_at_a_quality_may_shrink_for_a_lower_one() -> None:
    made = optimize(animation(), 90)
    assert len(optimize(made.data, 30).data) < len(made.data)


def test_a_packed_file_keeps_its_mark_where_nothing_better_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = write(marked(read(animation()), 90))
    monkeypatch.setattr("tinyjpg.codecs.gif_lossy.redraw", lambda *_: None)
    result = optimize(made, 50)
    assert parse(result.data).made_at == 90


def test_a_file_edited_since_is_judged_anew() -> None:
    made = read(optimize(animation(), 60).data)
    first, *others = made.images
    edited = write(replace(made, images=(*others, first)))
    result = optimize(edited, 60)
    assert_honest(edited, result, 60)
    assert quality(read(edited)) is None
    stale = [one for one in read(edited).extensions if one in made.extensions]
    assert stale
    assert not any(one in read(result.data).extensions for one in stale)


def test_packing_again_gives_the_same_bytes() -> None:
    gif = read(FEATURES["frames that change nothing"])
    packed = gif_pack.squeeze(gif, Decoder(NEVER))
    assert packed != gif
    assert gif_pack.squeeze(packed, Decoder(NEVER)) == packed


# --- real files ---------------------------------------------------------------------------------


@needs_shared
@pytest.mark.parametrize("at_quality", [60, 80, 100])
def test_small_real_files_are_honest(at_quality: int) -> None:
    for path in corpus("gif"):
        source = path.read_bytes()
        if parse(source).pixels < 1_000_000 and len(source) < 20_000:
            assert_honest(source, optimize(source, at_quality), at_quality)


@needs_shared
def test_hostile_files_end_in_a_result_or_a_typed_error() -> None:
    # Nothing here decodes more than the parser lets through, which is why no child is needed.
    ended = 0
    for path in corpus("hostile"):
        source = path.read_bytes()
        if source[:4] == b"GIF8" and len(source) < 2_000:
            try:
                assert len(optimize(source, 100).data) <= len(source)
            except TinyJPGError:
                ended += 1
    assert ended
