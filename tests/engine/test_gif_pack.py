"""Frames and palettes taken from several files of the same animation."""

from __future__ import annotations

from dataclasses import replace

from corpus.generators.gif_structure import Frame, encode
from tests.engine.gif_samples import NEVER, OTHER_PALETTE, PALETTE, scene
from tinyjpg.codecs import gif_pack
from tinyjpg.codecs.gif_compare import identical
from tinyjpg.codecs.gif_frames import Decoder
from tinyjpg.containers.gif_blocks import image_size, write
from tinyjpg.containers.gif_reader import read

# --- frames from several files ------------------------------------------------------------------


def test_each_frame_is_taken_from_where_it_is_smallest() -> None:
    ground = Frame(indices=scene(0), delay=5)
    dot = Frame(indices=scene(0)[:1, :1], delay=5)
    first = read(encode([ground, ground, dot], PALETTE))
    second = read(encode([ground, dot, ground], PALETTE))
    best = gif_pack._best_frames([gif_pack._Remade.of(first), gif_pack._Remade.of(second)])
    assert list(map(image_size, best.images)) == [
        image_size(first.images[0]),
        image_size(second.images[1]),
        image_size(first.images[2]),
    ]
    assert identical(first, best, Decoder(NEVER))


def test_frames_are_not_mixed_where_they_are_drawn_upon_different_pictures() -> None:
    ground = Frame(indices=scene(0), delay=5)
    dot = Frame(indices=scene(0)[:1, :1], delay=5, disposal=2)
    first = read(encode([ground, dot, ground], PALETTE))
    second = read(encode([ground, replace(dot, disposal=3), dot], PALETTE))
    best = gif_pack._best_frames([gif_pack._Remade.of(first), gif_pack._Remade.of(second)])
    assert best.images in (first.images, second.images)


def test_the_palette_that_saves_most_becomes_the_global_one() -> None:
    frames = [Frame(indices=scene(n), delay=5, palette=OTHER_PALETTE) for n in range(3)]
    gif = read(encode(frames, PALETTE))
    best = gif_pack._best_frames([gif_pack._Remade.of(gif)])
    assert [image.palette for image in best.images] == [None] * 3
    assert len(write(gif)) - len(write(best)) == 3 * len(best.palette or b"")
    assert identical(gif, best, Decoder(NEVER))
