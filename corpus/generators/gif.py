"""GIF cases."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from corpus.case import CORRUPT, TOO_LARGE, Case, Expectation, Optimised
from corpus.generators.gif_structure import (
    BACKGROUND,
    KEEP,
    NONE,
    PREVIOUS,
    Frame,
    Palette,
    encode,
)
from corpus.generators.pictures import LOGO_COLOURS, grey_photo, logo, moving_square
from tinyjpg import Format

_WIDTH, _HEIGHT = 40, 30
_SECRET = b"must not show"
_DELAYS = (10, 25, 4)
_PALETTES: tuple[Palette, ...] = (
    LOGO_COLOURS,
    ((10, 10, 10), (90, 200, 60), (250, 240, 100), (60, 60, 200)),
    ((255, 255, 255), (120, 20, 90), (0, 120, 120), (255, 140, 0)),
)


def _still(width: int = _WIDTH, height: int = _HEIGHT, **options: Any) -> bytes:
    return encode([Frame(indices=logo(width, height))], LOGO_COLOURS, **options)


def _interlaced() -> bytes:
    return encode([Frame(indices=logo(_WIDTH, _HEIGHT), interlaced=True)], LOGO_COLOURS)


def _photo() -> bytes:
    greys = [(value, value, value) for value in range(256)]
    return encode([Frame(indices=grey_photo(_WIDTH * 4, _HEIGHT * 4))], greys)


def _old_version() -> bytes:
    return _still(version=b"87a")


def _transparent() -> bytes:
    return encode([Frame(indices=logo(_WIDTH, _HEIGHT), transparent=0)], LOGO_COLOURS)


def _local_palette_only() -> bytes:
    return encode([Frame(indices=logo(_WIDTH, _HEIGHT), palette=LOGO_COLOURS)])


def _smaller_than_the_screen() -> bytes:
    frame = Frame(indices=logo(20, 15), left=8, top=5, transparent=3)
    return encode([frame], LOGO_COLOURS, size=(_WIDTH, _HEIGHT))


def _animated(
    *,
    delays: Sequence[int] = _DELAYS,
    loops: int | None = 0,
    disposal: int = NONE,
    interlaced: bool = False,
) -> bytes:
    frames = [
        Frame(indices=picture, delay=delay, disposal=disposal, interlaced=interlaced)
        for picture, delay in zip(moving_square(len(delays), _WIDTH, _HEIGHT), delays, strict=True)
    ]
    return encode(frames, ((250, 250, 250), (200, 30, 60)), loops=loops)


def _patches(disposal: int, *, first: int = KEEP) -> bytes:
    square = np.full((8, 8), 2, np.uint8)
    square[2:6, 2:6] = 3
    frames = [Frame(indices=logo(_WIDTH, _HEIGHT), delay=10, disposal=first)]
    frames += [
        Frame(
            indices=square,
            delay=10,
            disposal=disposal,
            transparent=3,
            left=4 + 9 * step,
            top=6 + 4 * step,
        )
        for step in range(3)
    ]
    return encode(frames, LOGO_COLOURS, loops=0)


def _transparent_ground() -> bytes:
    frames = [
        Frame(indices=picture, delay=10, disposal=BACKGROUND, transparent=0)
        for picture in moving_square(4, _WIDTH, _HEIGHT)
    ]
    return encode(frames, ((0, 0, 0), (200, 30, 60)), loops=0)


def _local_palettes() -> bytes:
    frames = [
        Frame(indices=logo(_WIDTH, _HEIGHT), delay=10, palette=palette) for palette in _PALETTES
    ]
    return encode(frames, loops=0)


def _more_than_256_colours() -> bytes:
    indices = np.arange(_WIDTH * _HEIGHT).reshape(_HEIGHT, _WIDTH) % 256
    frames = []
    for step in range(3):
        palette = [(value, (value * 7 + 80 * step) % 256, 255 - value) for value in range(256)]
        frames.append(Frame(indices=indices.astype(np.uint8), delay=10, palette=palette))
    return encode(frames, loops=0)


def _two_loop_counts() -> bytes:
    data = _animated(loops=2)
    extension = data[data.index(b"\x21\xff") :][:19]
    return data.replace(extension, extension * 2, 1)


def _truncated(data: bytes) -> bytes:
    return data[: len(data) * 6 // 10]


def _without_picture() -> bytes:
    data = _still()
    return data[: data.index(b"\x2c")] + b"\x3b"


def _invalid_code() -> bytes:
    data = _still()
    at = data.index(b"\x2c") + 10
    # No code is longer than 12 bits, so a minimum code size above 11 cannot be.
    return data[:at] + b"\x0c" + data[at + 1 :]


def _screen_bomb() -> bytes:
    return encode([Frame(indices=logo(8, 8))], LOGO_COLOURS, size=(65_535, 65_535))


def _frame_bomb() -> bytes:
    dots = [Frame(indices=np.full((1, 1), number & 1, np.uint8)) for number in range(5_001)]
    return encode(dots, ((0, 0, 0), (255, 255, 255)), loops=0)


def _fits(make: Callable[[], bytes], **facts: Any) -> tuple[Callable[[], bytes], Expectation]:
    return make, Optimised(**{"width": _WIDTH, "height": _HEIGHT, **facts})


_MOVING: dict[str, Any] = {"frames": 3, "delays": (100, 250, 40), "loops": 0}
_PATCHED: dict[str, Any] = {"frames": 4, "delays": (100,) * 4, "loops": 0}

_TABLE: dict[str, tuple[Callable[[], bytes], Expectation]] = {
    "still_is_optimised": _fits(_still),
    "interlaced_is_optimised": _fits(_interlaced),
    "grey_photo_is_optimised": _fits(_photo, width=_WIDTH * 4, height=_HEIGHT * 4),
    "version_87a_is_optimised": _fits(_old_version),
    "local_palette_alone_is_optimised": _fits(_local_palette_only),
    "transparent_stays_transparent": _fits(_transparent, alpha=True),
    "smaller_than_the_screen_keeps_its_place": _fits(_smaller_than_the_screen, alpha=True),
    "one_pixel_is_optimised": _fits(partial(_still, 1, 1), width=1, height=1),
    "one_row_is_optimised": _fits(partial(_still, 40, 1), width=40, height=1),
    "one_column_is_optimised": _fits(partial(_still, 1, 40), width=1, height=40),
    "comment_is_dropped": _fits(partial(_still, comment=_SECRET), drops=(_SECRET,)),
    "bytes_behind_the_end_are_dropped": _fits(lambda: _still() + _SECRET * 50, drops=(_SECRET,)),
    "animation_keeps_every_frame": _fits(_animated, **_MOVING),
    "animation_played_3_times_keeps_its_count": _fits(
        partial(_animated, loops=3), **{**_MOVING, "loops": 3}
    ),
    "animation_played_once_stays_so": _fits(
        partial(_animated, loops=None), **{**_MOVING, "loops": None}
    ),
    "animation_with_two_loop_counts_keeps_them": _fits(_two_loop_counts, **{**_MOVING, "loops": 2}),
    "animation_without_delays_keeps_them": _fits(
        partial(_animated, delays=(0, 0, 0)), **{**_MOVING, "delays": (0, 0, 0)}
    ),
    "animation_with_short_delays_keeps_them": _fits(
        partial(_animated, delays=(1, 2, 1)), **{**_MOVING, "delays": (10, 20, 10)}
    ),
    "interlaced_animation_keeps_every_frame": _fits(partial(_animated, interlaced=True), **_MOVING),
    "disposal_to_background_keeps_every_frame": _fits(
        partial(_animated, disposal=BACKGROUND), **_MOVING
    ),
    "patches_left_in_place_keep_every_frame": _fits(partial(_patches, KEEP), **_PATCHED),
    "patches_cleared_keep_every_frame": _fits(
        partial(_patches, BACKGROUND), **_PATCHED, alpha=True
    ),
    "patches_restored_keep_every_frame": _fits(partial(_patches, PREVIOUS), **_PATCHED),
    "patches_on_a_cleared_screen_keep_every_frame": _fits(
        partial(_patches, BACKGROUND, first=BACKGROUND), **_PATCHED, alpha=True
    ),
    "transparent_animation_keeps_every_frame": _fits(_transparent_ground, **_PATCHED, alpha=True),
    "local_palettes_keep_every_frame": _fits(_local_palettes, frames=3, delays=(100,) * 3, loops=0),
    "more_than_256_colours_keep_every_frame": _fits(
        _more_than_256_colours, frames=3, delays=(100,) * 3, loops=0
    ),
    "truncated_is_refused": (lambda: _truncated(_still()), CORRUPT),
    "truncated_animation_is_refused": (lambda: _truncated(_animated()), CORRUPT),
    "missing_picture_is_refused": (_without_picture, CORRUPT),
    "invalid_code_size_is_refused": (_invalid_code, CORRUPT),
    "signature_alone_is_refused": (lambda: b"GIF89a", CORRUPT),
    "screen_bomb_is_refused": (_screen_bomb, TOO_LARGE),
    "frame_bomb_is_refused": (_frame_bomb, TOO_LARGE),
}

CASES: tuple[Case, ...] = tuple(
    Case(f"gif/{name}", Format.GIF, make, expectation)
    for name, (make, expectation) in _TABLE.items()
)
