"""The WebP codec on animations: frames, times, loops and blending stay as they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from tests.engine.webp_files import (
    animation,
    chunk,
    exif,
    frame,
    names,
    payload,
    picture,
    transparent,
)
from tests.images import Pixels, encode, photo
from tests.promises import check
from tests.shared import corpus, needs_shared
from tests.viewer import view
from tinyjpg import CorruptImageError, Keep, LimitExceededError, Limits, Options, optimize
from tinyjpg.backends import webp as backend
from tinyjpg.codecs import webp_animation
from tinyjpg.codecs.webp_animation import composites
from tinyjpg.codecs.webp_bitstreams import encode_alpha
from tinyjpg.containers.webp import parse
from tinyjpg.containers.webp_writer import write
from tinyjpg.search import MOST_PROBES

SIZE = (96, 64)
PHOTOS = [photo(*SIZE, seed=seed) for seed in range(4)]
ODD_DELAYS = (0, 5, 10, 11)


def full_frames(quality: int = 98, *, lossless: bool = False, loops: int = 0) -> bytes:
    frames = [
        frame(picture(pixels, quality=quality, lossless=lossless), SIZE, duration=delay)
        for pixels, delay in zip(PHOTOS, ODD_DELAYS, strict=True)
    ]
    return animation(frames, *SIZE, loops=loops)


def hole(pixels: Pixels) -> Pixels:
    """A translucent hole, to tell blending from replacing."""
    made = transparent(pixels)
    made[..., 3] = np.maximum(made[..., 3], 60)
    return made


def partial_frames(quality: int = 98, *, lossless: bool = False) -> bytes:
    """Frames that cover parts, blend and replace, clear and stay."""
    options = {"quality": quality, "lossless": lossless, "exact": True}
    small, smaller = photo(48, 40, seed=7), photo(30, 20, seed=8)
    frames = [
        frame(picture(PHOTOS[0], **options), SIZE, duration=40),
        frame(picture(hole(small), **options), (48, 40), (10, 4), 70, dispose=True),
        frame(picture(transparent(small), **options), (48, 40), (40, 20), 70, blend=False),
        frame(picture(smaller, **options), (30, 20), (66, 44), 90, dispose=True),
        frame(picture(transparent(smaller), **options), (30, 20), (0, 0), 1000),
    ]
    return animation(frames, *SIZE, loops=3)


@pytest.mark.parametrize("lossless", [False, True])
@pytest.mark.parametrize("quality", [60, 100])
def test_frames_times_and_loops_stay(lossless: bool, quality: int) -> None:
    data = full_frames(lossless=lossless, loops=5)
    result = optimize(data, quality)
    _, after = check(data, result, quality)
    assert after.delays == ODD_DELAYS
    header = parse(result.data)
    assert header.animation is not None
    assert (header.frames, header.animation.loop_count) == (4, 5)
    if quality == 60:
        assert result.saved > 0.3
        assert "libwebp" in result.method


@pytest.mark.parametrize("loops", [0, 1, 65535])
def test_loop_count_and_background_stay(loops: int) -> None:
    data = full_frames(loops=loops).replace(b"ANIM\6\0\0\0\0\0\0\0", b"ANIM\6\0\0\0\1\2\3\4")
    header = parse(optimize(data, 80).data)
    assert header.animation is not None
    assert (header.animation.loop_count, header.animation.background) == (loops, b"\1\2\3\4")


@pytest.mark.parametrize("lossless", [False, True])
@pytest.mark.parametrize("quality", [60, 80, 100])
def test_partial_frames_show_the_same(lossless: bool, quality: int) -> None:
    data = partial_frames(lossless=lossless)
    result = optimize(data, quality)
    check(data, result, quality)
    assert result.frames == 5


def test_lossy_frames_keep_place_blending_and_transparency() -> None:
    data = partial_frames()
    before, after = parse(data), parse(optimize(data, 80).data)
    assert [(one.x, one.y, one.duration, one.blend, one.dispose) for one in before.pictures] == [
        (one.x, one.y, one.duration, one.blend, one.dispose) for one in after.pictures
    ]
    for old, new in zip(composites(before), composites(after), strict=True):
        assert np.array_equal(old[..., 3], new[..., 3])


@pytest.mark.parametrize("data", [full_frames(), partial_frames(), partial_frames(lossless=True)])
def test_composites_are_those_of_libwebp(data: bytes) -> None:
    shown = view(data)
    for frame_shown, composed in zip(shown.frames, composites(parse(data)), strict=True):
        assert np.array_equal(frame_shown, composed)


def test_the_worst_frame_decides() -> None:
    """One frame of fine coloured lines, which lossy coding ruins, keeps all from being lossy."""
    lines = np.full((64, 96, 3), 255, np.uint8)
    lines[::2, ::3] = (255, 0, 0)
    lines[1::2, ::2] = (0, 0, 255)
    frames = [frame(picture(one, lossless=True), SIZE) for one in (*PHOTOS, lines)]
    data = animation(frames, *SIZE)
    result = optimize(data, 90)
    check(data, result, 90)
    assert parse(result.data).lossless


def test_the_worst_frame_meets_the_quality_within_the_common_number_of_probes() -> None:
    result = optimize(full_frames(), 80)
    assert result.score is not None
    assert 79.5 <= result.score < 82
    assert 1 <= result.probes <= MOST_PROBES
    assert result.method.endswith("frames")


def test_alpha_planes_are_coded_once_for_all_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    coded: list[int] = []

    def counting(pixels: Pixels, quality: int, *, count: int) -> bytes | None:
        coded.append(quality)
        return encode_alpha(pixels, quality, count=count)

    monkeypatch.setattr(webp_animation, "encode_alpha", counting)
    frames = [frame(picture(hole(one), lossless=True), SIZE) for one in PHOTOS]
    result = optimize(animation(frames, *SIZE), 80)
    assert result.probes > 1
    assert coded == [100] * len(PHOTOS)


def test_wasteful_lossless_frames_are_chosen_anew() -> None:
    frames = []
    for step in range(6):
        pixels = PHOTOS[0].copy()
        pixels[8 * step : 8 * step + 8, 10:20] = (255, 0, 0)
        frames.append(frame(picture(pixels, lossless=True), SIZE, duration=5))
    data = animation(frames, *SIZE)
    result = optimize(data, 100)
    check(data, result, 100)
    assert result.method == "reframed losslessly"
    assert result.saved > 0.7


def test_equal_frames_are_not_merged() -> None:
    same = frame(picture(PHOTOS[0], lossless=True, quality=0, method=0), SIZE, duration=50)
    data = animation([same, same, same], *SIZE)
    for quality in (80, 100):
        result = optimize(data, quality)
        check(data, result, quality)
        assert result.frames == 3


def test_an_animation_at_the_level_is_only_stripped() -> None:
    lossy = [frame(picture(one, quality=40), SIZE) for one in PHOTOS]
    bare = animation(lossy, *SIZE)
    rich = animation(lossy, *SIZE, extra=chunk(b"EXIF", exif(1)), flags=0x1A)
    assert optimize(bare, 80).data == bare
    assert optimize(rich, 80).data == bare
    kept = optimize(rich, 80, options=Options(keep=frozenset({Keep.COPYRIGHT})))
    assert b"somebody" in payload(kept.data, b"EXIF")


def test_orientation_of_an_animation_is_a_minimal_tag() -> None:
    frames = [frame(picture(one, quality=98), SIZE) for one in PHOTOS]
    data = animation(frames, *SIZE, extra=chunk(b"EXIF", exif(6)), flags=0x1A)
    result = optimize(data, 80)
    assert (result.width, result.height) == (64, 96)
    assert parse(result.data).orientation == 6
    assert len(payload(result.data, b"EXIF")) < len(exif(6))
    check(data, result, 80)


def test_a_marked_animation_is_left_alone() -> None:
    marked = write(replace(parse(full_frames()), marked_quality=80))
    assert optimize(marked, 80).data == marked
    assert optimize(marked, 60).saved > 0.3


def test_transparency_that_the_container_denies_is_left_alone() -> None:
    frames = [frame(picture(transparent(one), quality=98), SIZE) for one in PHOTOS]
    data = animation(frames, *SIZE, flags=0x02)
    assert optimize(data, 80).data == data


def test_a_single_frame_stays_an_animation() -> None:
    data = animation([frame(picture(PHOTOS[0], quality=98), SIZE, duration=7)], *SIZE, loops=2)
    result = optimize(data, 80)
    check(data, result, 80)
    assert names(result.data)[:3] == [b"VP8X", b"ANIM", b"ANMF"]
    assert result.saved > 0.3


@pytest.mark.parametrize("lossless", [False, True])
@pytest.mark.parametrize("position", [0, 3])
def test_a_damaged_frame_is_refused(lossless: bool, position: int) -> None:
    header = parse(full_frames(lossless=lossless))
    pictures = list(header.pictures)
    bitstream = pictures[position].bitstream
    short = replace(bitstream, payload=bitstream.payload[: len(bitstream.payload) // 2])
    pictures[position] = replace(pictures[position], bitstream=short)
    damaged = write(replace(header, pictures=tuple(pictures)))
    for quality in (80, 100):
        with pytest.raises(CorruptImageError):
            optimize(damaged, quality)


def test_too_many_frames_are_refused_before_decoding() -> None:
    with pytest.raises(LimitExceededError, match="4 frames"):
        optimize(full_frames(), options=Options(limits=Limits(max_frames=3)))


def test_frames_are_decoded_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The canvas is one array for the whole animation, however many frames there are."""
    seen = {id(canvas) for canvas in composites(parse(full_frames()))}
    assert len(seen) == 1
    most = max(canvas.size for canvas in composites(parse(partial_frames())))
    assert most == 96 * 64 * 4
    calls: list[bytes] = []
    decode = backend.decode

    def counting(data: bytes) -> Pixels:
        calls.append(data)
        return decode(data)

    monkeypatch.setattr(backend, "decode", counting)
    shown = composites(parse(full_frames()))
    next(shown)
    assert len(calls) == 1


def test_a_deadline_still_gives_a_valid_animation() -> None:
    data = full_frames(lossless=True)
    result = optimize(data, 80, options=Options(limits=Limits(deadline=0.05)))
    assert result.frames == 4
    assert view(result.data).delays == ODD_DELAYS


@needs_shared
@pytest.mark.parametrize("quality", [80, 100])
def test_every_small_animation_of_the_corpus_keeps_the_promises(quality: int) -> None:
    for path in corpus("webp"):
        data = path.read_bytes()
        header = parse(data)
        if header.animation is not None and header.pixels < 100_000:
            check(data, optimize(data, quality), quality)


def test_an_animation_by_pillow_round_trips() -> None:
    images = [Image.fromarray(one) for one in PHOTOS]
    data = encode(
        PHOTOS[0], "WEBP", save_all=True, append_images=images[1:], duration=[20, 30, 40, 50],
        quality=97, loop=4,
    )  # fmt: skip
    result = optimize(data, 80)
    check(data, result, 80)
    assert result.frames == 4
