"""Frames drawn anew: the native encoder against a literal one, and what may change in a frame."""

from __future__ import annotations

import platform
from dataclasses import replace

import numpy as np
import pytest
from tinyjpg._native import ffi, lib

from corpus.generators.gif_structure import Frame, encode
from tests.engine.gif_redraw_oracle import Encoder, pack
from tests.engine.gif_samples import NEVER, PALETTE, Indices, animation, scene
from tinyjpg import DeadlineExceededError, optimize
from tinyjpg.codecs.gif_compare import frame_scores, identical, same_timeline, worst_score
from tinyjpg.codecs.gif_frames import Decoder, channels, play
from tinyjpg.codecs.gif_redraw import lowest_while_shown, redraw, redrawable
from tinyjpg.containers.gif_blocks import Gif, Image, sub_blocks, write
from tinyjpg.containers.gif_reader import read


def paint(indices: Indices, palette: list[tuple[int, int, int]]) -> np.ndarray:
    """Opaque RGBA pixels in a row."""
    colours = np.array([(*colour, 255) for colour in palette], np.uint8)
    return np.ascontiguousarray(colours[indices.ravel()])


def native(encoder: Encoder, room: int | None = None) -> tuple[int, bytes, Indices]:
    """Status, codes and indices of the native encoder."""
    pixels = len(encoder.target)
    indices = np.zeros(pixels, np.uint8)
    data = np.zeros(4 * pixels + 64 if room is None else room, np.uint8)
    size = ffi.new("size_t *")
    status = lib.tinyjpg_gif_redraw(
        ffi.from_buffer("uint8_t[]", encoder.target),
        ffi.from_buffer("uint8_t[]", encoder.shown),
        pixels,
        bytes(np.array(encoder.palette, np.uint8)),
        len(encoder.palette),
        encoder.transparent,
        encoder.code_size,
        encoder.tolerance,
        encoder.prefers_transparent,
        ffi.from_buffer("uint8_t[]", indices),
        ffi.from_buffer("uint8_t[]", data),
        data.size,
        size,
    )
    return status, data[: size[0]].tobytes(), indices


def decoded(data: bytes, code_size: int, width: int, height: int) -> Indices:
    image = Image(0, 0, width, height, sub_blocks(data), code_size)
    return Decoder(NEVER).decode(image)


def task(tolerance: float, *, transparent: int = -1, prefers_transparent: bool = True) -> Encoder:
    """A picture of 24 x 16 pixels, over one slightly different."""
    target = paint(scene(1, (24, 16)), PALETTE)
    shown = paint(scene(1, (24, 16), noise=1), PALETTE)
    return Encoder(target, shown, PALETTE, transparent, 6, tolerance, prefers_transparent)


# --- the native encoder -------------------------------------------------------------------------


@pytest.mark.skipif(
    platform.machine().lower() not in ("x86_64", "amd64"),
    reason="compilers fuse multiplications and additions here, which decides ties otherwise",
)
@pytest.mark.parametrize("tolerance", [0, 2, 30, 500])
@pytest.mark.parametrize(
    ("transparent", "prefers_transparent"), [(-1, True), (0, True), (0, False)]
)
def test_it_writes_what_the_literal_encoder_writes(
    tolerance: float, transparent: int, prefers_transparent: bool
) -> None:
    encoder = task(tolerance, transparent=transparent, prefers_transparent=prefers_transparent)
    codes, symbols = encoder.codes()
    status, data, indices = native(encoder)
    assert status == 0
    assert indices.tolist() == symbols
    assert data == pack(codes)


def test_clear_pixels_stay_clear_and_others_are_drawn_as_the_literal_encoder_does() -> None:
    encoder = task(10, transparent=63)
    encoder.shown[: 24 * 4] = 0
    encoder.target[: 24 * 2] = 0
    _, symbols = encoder.codes()
    status, _, indices = native(encoder)
    assert status == 0
    assert indices.tolist() == symbols
    assert (indices[: 24 * 2] == 63).all()
    assert (indices[24 * 2 : 24 * 4] != 63).all()


@pytest.mark.parametrize("code_size", [2, 5, 8])
@pytest.mark.parametrize("tolerance", [0.0, 40.0])
@pytest.mark.parametrize("kind", ["noise", "flat", "stripes then noise"])
def test_any_decoder_reads_the_indices(code_size: int, tolerance: float, kind: str) -> None:
    # Enough for the dictionary to fill up, for strings that repeat at once, and to be dropped.
    width, height = 200, 150
    random = np.random.default_rng(1).integers(0, 1 << code_size, (height, width), np.uint8)
    stripes = (np.indices((height, width))[1] // 3 % 3).astype(np.uint8)
    stripes[height // 2 :] = random[height // 2 :]
    indices = {"noise": random, "flat": random * 0, "stripes then noise": stripes}[kind]
    palette = [(n, 255 - n, n // 2) for n in range(0, 256, 256 >> code_size)]
    target = paint(indices, palette)
    encoder = Encoder(target, target * 0, palette, -1, code_size, tolerance, True)
    status, data, chosen = native(encoder)
    assert status == 0
    read_back = decoded(data, code_size, width, height)
    assert np.array_equal(read_back.ravel(), chosen)
    if tolerance == 0:
        assert np.array_equal(read_back, indices)


def test_more_tolerance_takes_fewer_bytes_and_shows_the_same_mean() -> None:
    target = paint(scene(2, (96, 64)), PALETTE)
    sizes = []
    for tolerance in (0, 10, 60, 300):
        encoder = Encoder(target, target * 0, PALETTE, -1, 6, tolerance, True)
        _, data, indices = native(encoder)
        sizes.append(len(data))
        shown = paint(indices, PALETTE)
        assert abs(shown.mean(0) - target.mean(0)).max() < 6
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[2] < 0.6 * sizes[0]


@pytest.mark.parametrize("code_size", [1, 9])
def test_impossible_code_sizes_are_refused(code_size: int) -> None:
    encoder = task(0)
    encoder.code_size = code_size
    assert native(encoder)[0] == -1


def test_too_little_room_and_pixels_that_nothing_can_show_are_refused() -> None:
    assert native(task(0), room=20)[0] == -1
    encoder = task(0)
    encoder.target[5] = 0
    assert native(encoder)[0] == -1


# --- whole animations ---------------------------------------------------------------------------


def drawn(gif: Gif, tolerance: float) -> Gif:
    made = redraw(gif, [tolerance] * len(gif.images), Decoder(NEVER))
    assert made is not None
    assert same_timeline(gif, made)
    return made


def test_without_tolerance_every_pixel_stays() -> None:
    for source in (animation(), animation(transparent=20), animation(disposal=1)):
        gif = read(source)
        made = drawn(gif, 0)
        assert identical(gif, made, Decoder(NEVER))
        assert len(write(made)) <= len(write(gif))


def test_what_is_shown_about_right_is_not_drawn_again() -> None:
    frames = [Frame(indices=np.maximum(scene(0), 1), delay=5) for _ in range(2)]
    frames[1].indices[10, 20] ^= 1
    frames[1].indices[30, 40] ^= 32
    gif = read(encode(frames, PALETTE, loops=0))
    first = gif.images[0]
    strict, lax = drawn(gif, 0.1), drawn(gif, 20)
    assert (strict.images[1].left, strict.images[1].top) == (20, 10)
    assert (lax.images[1].left, lax.images[1].top) == (40, 30)
    assert (lax.images[1].width, lax.images[1].height) == (1, 1)
    assert (first.width, first.height) == (lax.images[0].width, lax.images[0].height)


def test_where_all_colours_are_used_a_rare_one_makes_room_for_transparency() -> None:
    frames = [Frame(indices=scene(0), delay=5), Frame(indices=scene(0), delay=5)]
    frames[1].indices[30, 40] ^= 32
    assert np.unique(frames[1].indices).size == 64
    gif = read(encode(frames, PALETTE, loops=0))
    assert drawn(gif, 20).images[1].width < 32
    assert drawn(gif, 1).images[1].width == 64


def test_frames_have_tolerances_of_their_own() -> None:
    gif = read(animation(2))
    made = redraw(gif, [0, 100], Decoder(NEVER))
    assert made is not None
    scores = frame_scores(gif, made, 0, Decoder(NEVER))
    assert scores is not None
    assert list(scores) == [1]
    assert scores[1] < 95


def test_a_frame_of_few_colours_gets_a_small_palette() -> None:
    frames = [
        Frame(indices=scene(0), delay=5),
        Frame(indices=(scene(1) > 30) * np.uint8(9), delay=5, palette=PALETTE[::-1]),
    ]
    gif = read(encode(frames, PALETTE, loops=0))
    made = drawn(gif, 0)
    assert identical(gif, made, Decoder(NEVER))
    assert len(made.images[1].palette or b"") < len(gif.images[1].palette or b"")


def test_clear_pixels_stay_clear() -> None:
    gif = read(animation(3, transparent=32))
    made = drawn(gif, 100)
    one, other = (
        [channels(shown.canvas)[..., 3].copy() for shown in play(each, Decoder(NEVER))]
        for each in (gif, made)
    )
    assert np.array_equal(one, other)


def test_only_frames_that_stay_are_redrawn() -> None:
    assert redrawable(read(animation()))
    assert not redrawable(read(animation(disposal=2)))
    assert not redrawable(read(animation(disposal=3)))


def test_a_frame_answers_for_as_long_as_it_is_shown() -> None:
    whole, dot = Frame(indices=scene(0), delay=5), Frame(indices=scene(0)[:4, :4], delay=5)
    gif = read(encode([whole, dot, dot, whole, dot], PALETTE))
    scores = {0: 95.0, 1: 85.0, 3: 90.0, 4: 92.0}
    assert lowest_while_shown(gif, scores, Decoder(NEVER)) == [85.0, 85.0, 85.0, 90.0, 92.0]


# --- as optimize() uses it ----------------------------------------------------------------------


def test_the_score_of_the_result_is_that_of_its_worst_frame_and_just_reaches_the_quality() -> None:
    source = animation(6)
    for quality in (70, 80, 90):
        result = optimize(source, quality)
        made = read(result.data)
        scores = [
            worst_score(
                replace(read(source), images=read(source).images[: n + 1]),
                replace(made, images=made.images[: n + 1]),
                -1000,
                Decoder(NEVER),
            )
            for n in range(6)
        ]
        assert result.score == scores[-1]
        assert quality - 0.5 <= result.score < quality + 4
        assert 1 <= result.probes <= 7


def test_when_time_runs_out_the_best_so_far_is_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    source, made = animation(), list[Gif]()

    def until_late(gif: Gif, tolerances: list[float], decoder: Decoder, **options: bool) -> Gif:
        if made:
            raise DeadlineExceededError("time ran out")
        made.append(redraw(gif, [30.0] * len(tolerances), decoder, **options))
        return made[0]

    monkeypatch.setattr("tinyjpg.codecs.gif_lossy.redraw", until_late)
    result = optimize(source, 60)
    assert result.method == "colours altered"
    assert read(result.data).images == made[0].images
    assert (result.probes, len(made)) == (1, 1)
