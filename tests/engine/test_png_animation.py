"""APNG: smaller, with every frame, region, delay and loop as it was."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest

from corpus.generators.pictures import moving_square, photo, soft_edge, with_alpha
from corpus.generators.png_structure import (
    PALETTE,
    RGBA,
    Chunk,
    Frame,
    animate,
    join,
    split,
)
from tests.shared import corpus, needs_shared
from tests.viewer import view, visible
from tinyjpg import CorruptImageError, Keep, Limits, Options, optimize
from tinyjpg.containers.png import parse
from tinyjpg.containers.png_animation import Animation

SIZE = (40, 30)


def animation(data: bytes) -> Animation:
    found = parse(data).animation
    assert found is not None
    return found


def scene(count: int = 4) -> list[Frame]:
    """A background, then patches of it with every way to dispose of and blend them."""
    canvas = with_alpha(photo(*SIZE), soft_edge(*SIZE))
    patch = with_alpha(photo(12, 9, seed=2), np.full((9, 12), 160, np.uint8))
    patch[:3, :3, 3] = 0
    frames = [Frame(samples=canvas, delay=(3, 7))]
    frames += [
        Frame(
            samples=patch,
            left=2 + 6 * step,
            top=5 + step,
            delay=(step, 0 if step % 2 else 50),
            dispose=step % 3,
            blend=step % 2,
        )
        for step in range(count - 1)
    ]
    return frames


def fatter(data: bytes) -> bytes:
    """The same animation, hardly compressed, its frame data in many chunks, with other chunks."""
    chunks: list[Chunk] = []
    sequence = 0
    for name, body in split(data):
        if name == b"fcTL":
            chunks.append((name, struct.pack(">I", sequence) + body[4:]))
            sequence += 1
        elif name in (b"IDAT", b"fdAT"):
            compressed = body[4:] if name == b"fdAT" else body
            loose = zlib.compress(zlib.decompress(compressed), 0)
            for at in range(0, len(loose), 700):
                prefix = struct.pack(">I", sequence) if name == b"fdAT" else b""
                sequence += name == b"fdAT"
                chunks.append((name, prefix + loose[at : at + 700]))
        elif name == b"IEND":
            chunks += [(b"tEXt", b"Comment\0nothing"), (name, body)]
        else:
            chunks.append((name, body))
    return join(chunks)


@pytest.mark.parametrize("quality", [60, 100])
@pytest.mark.parametrize("default", [False, True])
@pytest.mark.parametrize("loops", [0, 3])
def test_frames_regions_delays_and_loops_stay(loops: int, default: bool, quality: int) -> None:
    canvas = with_alpha(photo(*SIZE, seed=5), soft_edge(*SIZE))
    data = fatter(animate(scene(), RGBA, loops=loops, default_image=canvas if default else None))
    result = optimize(data, quality)
    assert result.output_size < len(data) * 0.8
    assert result.frames == 4
    before, after = animation(data), animation(result.data)
    assert [frame.control for frame in after.frames] == [frame.control for frame in before.frames]
    assert (after.plays, after.has_hidden_default) == (loops, default)
    old, new = view(data), view(result.data)
    assert (new.delays, new.loops) == (old.delays, old.loops)
    for one, other in zip(old.frames, new.frames, strict=True):
        assert np.array_equal(visible(one), visible(other))
    assert b"Comment" not in result.data
    assert optimize(result.data, quality).data == result.data


def test_what_nobody_sees_stays_at_quality_100_only() -> None:
    canvas = with_alpha(photo(*SIZE), np.full(SIZE[::-1], 255, np.uint8))
    canvas[4:20, 4:36, 3] = 0
    data = animate([Frame(samples=canvas), Frame(samples=np.roll(canvas, 3, axis=1))], RGBA)
    exact, free = optimize(data, 100), optimize(data, 99)
    assert free.output_size < exact.output_size
    for old, new in zip(view(data).frames, view(exact.data).frames, strict=True):
        assert np.array_equal(old, new)


def test_palette_and_its_transparency_stay() -> None:
    frames = [Frame(samples=picture) for picture in moving_square(3, *SIZE)]
    palette = [(255, 0, 0), (0, 200, 0), (9, 9, 9)]
    data = fatter(animate(frames, PALETTE, palette=palette, behind_palette=[(b"tRNS", b"\x40")]))
    result = optimize(data, 50)
    assert result.output_size < len(data)
    assert parse(result.data).palette == parse(data).palette
    assert all(
        np.array_equal(old, new)
        for old, new in zip(view(data).frames, view(result.data).frames, strict=True)
    )


def test_one_frame_is_still_an_animation() -> None:
    data = fatter(animate(scene(1), RGBA, loops=2))
    result = optimize(data, 80)
    assert (len(animation(result.data).frames), animation(result.data).plays) == (1, 2)


def test_metadata_is_kept_on_request() -> None:
    data = fatter(animate(scene(), RGBA))
    result = optimize(data, 80, options=Options(keep=frozenset({Keep.ALL})))
    assert b"Comment\0nothing" in result.data
    assert parse(result.data).frames == 4


@pytest.mark.parametrize("deadline", [None, 1e-9])
@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda raw: zlib.compress(raw)[:-5], id="cut off"),
        pytest.param(lambda raw: zlib.compress(raw[:-1]), id="a byte short"),
        pytest.param(lambda raw: zlib.compress(raw + b"\0"), id="a byte long"),
        pytest.param(lambda raw: zlib.compress(b"\7" + raw[1:]), id="unknown filter"),
        pytest.param(lambda raw: zlib.compress(raw + bytes(5_000_000)), id="bomb"),
        pytest.param(lambda raw: raw[:0], id="nothing"),
    ],
)
def test_every_frame_is_decoded_strictly(
    damage: Callable[[bytes], bytes], number: int, deadline: float | None
) -> None:
    chunks = split(animate(scene(), RGBA))
    at = [index for index, one in enumerate(chunks) if one[0] == b"fdAT"][number - 1]
    name, body = chunks[at]
    chunks[at] = (name, body[:4] + damage(zlib.decompress(body[4:])))
    with pytest.raises(CorruptImageError):
        optimize(join(chunks), options=Options(limits=Limits(deadline=deadline)))


@pytest.mark.parametrize("quality", [60, 100])
def test_contradictory_animation_is_left_alone_if_its_image_is_intact(quality: int) -> None:
    chunks = split(fatter(animate(scene(), RGBA)))
    at = next(index for index, one in enumerate(chunks) if one[0] == b"acTL")
    chunks[at] = (b"acTL", struct.pack(">II", 9, 0))
    data = join(chunks)
    assert optimize(data, quality).data == data
    chunks = [one for one in chunks if one[0] != b"IDAT"]
    chunks.insert(3, (b"IDAT", zlib.compress(bytes(9))))
    with pytest.raises(CorruptImageError):
        optimize(join(chunks), quality)


def test_frames_without_an_animation_are_dropped() -> None:
    """Without acTL no viewer shows them."""
    chunks = [one for one in split(animate(scene(), RGBA)) if one[0] != b"acTL"]
    result = optimize(join(chunks), 100)
    assert not {b"fcTL", b"fdAT"} & {name for name, _ in split(result.data)}
    assert np.array_equal(view(result.data).frames[0], view(join(chunks)).frames[0])


@needs_shared
def test_real_animations_keep_their_frames() -> None:
    files = [path for path in corpus("oddities") if "apng" in path.name]
    assert len(files) >= 10
    for path in files:
        data = path.read_bytes()
        before, after = parse(data), parse(optimize(data, 70).data)
        if before.animation is None:
            assert before.animation_fault is not None
            assert after == before
            continue
        assert after.animation is not None
        assert [frame.control for frame in after.animation.frames] == [
            frame.control for frame in before.animation.frames
        ]
