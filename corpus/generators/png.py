"""PNG cases."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from corpus.case import CORRUPT, TOO_LARGE, Case, Expectation, Optimised
from corpus.generators.metadata import (
    ARTIST,
    display_p3_profile,
    exif,
    grey_profile,
    srgb_profile,
)
from corpus.generators.pictures import (
    LOGO_COLOURS,
    grey_photo,
    logo,
    logo_rgb,
    moving_square,
    photo,
    soft_edge,
    with_alpha,
)
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
    Samples,
    animate,
    encode,
    header,
    join,
    packed,
    split,
)
from tinyjpg import Format

_WIDTH, _HEIGHT = 45, 30
_SECRET = b"must not show"
_COLOUR_TYPES = {
    "grey": (GREY, (1, 2, 4, 8, 16)),
    "rgb": (RGB, (8, 16)),
    "palette": (PALETTE, (1, 2, 4, 8)),
    "grey_alpha": (GREY_ALPHA, (8, 16)),
    "rgba": (RGBA, (8, 16)),
}


def _samples(colour: int, depth: int, width: int = _WIDTH, height: int = _HEIGHT) -> Samples:
    channels = CHANNELS[colour]
    pixels = photo(width, height) if channels >= 3 else grey_photo(width, height)
    if channels in (2, 4):
        pixels = with_alpha(pixels, soft_edge(width, height))
    if depth == 16:
        low = np.random.default_rng(5).integers(0, 256, pixels.shape, np.uint16)
        wide: npt.NDArray[np.uint16] = np.bitwise_or(pixels.astype(np.uint16) << 8, low)
        return wide
    return np.right_shift(pixels, 8 - depth, dtype=np.uint8)


def _palette(size: int) -> list[tuple[int, int, int]]:
    return [(40 + 215 * at // size, 255 - 200 * at // size, (at * 67) % 256) for at in range(size)]


def _plain(colour: int, depth: int, interlaced: bool = False, **options: Any) -> bytes:
    palette = _palette(2**depth) if colour == PALETTE else ()
    samples = _samples(colour, depth)
    return encode(samples, colour, depth, interlaced=interlaced, palette=palette, **options)


def _size(width: int, height: int, colour: int = RGB, interlaced: bool = False) -> bytes:
    return encode(_samples(colour, 8, width, height), colour, interlaced=interlaced)


def _transparent(colour: int, depth: int, key: bytes) -> bytes:
    return _plain(colour, depth, behind_palette=[(b"tRNS", key)])


def _grey_key(depth: int) -> bytes:
    value = int(_samples(GREY, depth)[10, 20])
    return _transparent(GREY, depth, struct.pack(">H", value))


def _rgb_key(depth: int) -> bytes:
    if depth == 8:
        key = struct.pack(">HHH", *LOGO_COLOURS[1])
        pixels = logo_rgb(_WIDTH, _HEIGHT)
        return encode(pixels, RGB, behind_palette=[(b"tRNS", key)])
    values = _samples(RGB, depth)[10, 20]
    return _transparent(RGB, depth, struct.pack(">HHH", *(int(value) for value in values)))


def _logo(**options: Any) -> bytes:
    return encode(logo(_WIDTH, _HEIGHT), PALETTE, 8, palette=LOGO_COLOURS, **options)


def _all_colours() -> bytes:
    return encode(_samples(PALETTE, 8), PALETTE, palette=_palette(256))


def _unused_colours() -> bytes:
    palette = [*LOGO_COLOURS, *_palette(252)]
    return encode(logo(_WIDTH, _HEIGHT), PALETTE, palette=palette)


def _equal_channels(colour: int = RGB) -> bytes:
    pixels = np.repeat(grey_photo(_WIDTH, _HEIGHT)[..., None], 3, axis=-1)
    if colour == RGBA:
        pixels = with_alpha(pixels, soft_edge(_WIDTH, _HEIGHT))
    return encode(pixels, colour)


def _opaque(colour: int) -> bytes:
    pixels = photo(_WIDTH, _HEIGHT) if colour == RGBA else grey_photo(_WIDTH, _HEIGHT)
    return encode(with_alpha(pixels, np.full((_HEIGHT, _WIDTH), 255, np.uint8)), colour)


def _repeated_bytes() -> bytes:
    return encode(photo(_WIDTH, _HEIGHT).astype(np.uint16) * 257, RGB, 16)


def _hidden_colours() -> bytes:
    alpha = soft_edge(_WIDTH, _HEIGHT)
    alpha[alpha < 128] = 0
    return encode(with_alpha(photo(_WIDTH, _HEIGHT), alpha), RGBA)


def _rgb(*before: Chunk, after: Sequence[Chunk] = ()) -> bytes:
    return encode(photo(_WIDTH, _HEIGHT), RGB, before=before, after=after)


def _icc(profile: bytes) -> Chunk:
    return b"iCCP", b"profile\0\0" + zlib.compress(profile)


# Red 0.68 0.32, green 0.265 0.69, blue 0.15 0.06, white 0.3127 0.329: Display P3.
_P3_PRIMARIES = struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)


def _orientation(value: int) -> bytes:
    return _rgb((b"eXIf", exif(value)))


def _frames(
    *, delays: Sequence[tuple[int, int]] = ((1, 10), (1, 4), (1, 2)), dispose: int = 0
) -> list[Frame]:
    pictures = moving_square(len(delays), _WIDTH, _HEIGHT)
    return [
        Frame(samples=picture, delay=delay, dispose=dispose)
        for picture, delay in zip(pictures, delays, strict=True)
    ]


_TWO_COLOURS = ((255, 255, 255), (200, 40, 60))


def _animated(loops: int = 0, **options: Any) -> bytes:
    return animate(_frames(), PALETTE, loops=loops, palette=_TWO_COLOURS, **options)


def _default_image() -> bytes:
    return _animated(default_image=logo(_WIDTH, _HEIGHT) & 1)


def _animated_rgba(dispose: int, blend: int) -> bytes:
    canvas = with_alpha(photo(_WIDTH, _HEIGHT), soft_edge(_WIDTH, _HEIGHT))
    patch = with_alpha(photo(12, 9, seed=2), np.full((9, 12), 160, np.uint8))
    frames = [Frame(samples=canvas, blend=0)]
    frames += [
        Frame(samples=patch, left=4 + 9 * step, top=6, dispose=dispose, blend=blend)
        for step in range(3)
    ]
    return animate(frames, RGBA)


def _animated_sixteen_bit() -> bytes:
    frames = [Frame(samples=np.roll(_samples(RGB, 16), 3 * step, axis=1)) for step in range(3)]
    return animate(frames, RGB, 16)


def _one_frame() -> bytes:
    return animate(_frames(delays=[(1, 10)]), PALETTE, palette=_TWO_COLOURS)


def _text() -> bytes:
    return _rgb(
        (b"tEXt", b"Comment\0" + _SECRET),
        (b"pHYs", struct.pack(">IIB", 2835, 2835, 1)),
        (b"tIME", struct.pack(">HBBBBB", 2020, 1, 1, 0, 0, 0)),
        after=[(b"zTXt", b"Author\0\0" + zlib.compress(_SECRET)), (b"tEXt", b"Title\0" + _SECRET)],
    )


def _background() -> bytes:
    return _rgb((b"sBIT", b"\x08\x08\x08"), (b"bKGD", struct.pack(">HHH", 255, 255, 255)))


def _truncated() -> bytes:
    data = _rgb()
    return data[: len(data) * 6 // 10]


def _rows_missing() -> bytes:
    samples = photo(_WIDTH, _HEIGHT)
    return join(
        [
            header(_WIDTH, _HEIGHT, 8, RGB),
            (b"IDAT", packed(samples[: _HEIGHT // 2], 8)),
            (b"IEND", b""),
        ]
    )


def _wrong_checksum() -> bytes:
    data = bytearray(_rgb())
    data[len(data) // 2] ^= 0x55
    return bytes(data)


def _without(name: bytes) -> bytes:
    return join([one for one in split(_logo()) if one[0] != name])


def _zero_width() -> bytes:
    return join([header(0, 10, 8, RGB), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")])


def _invalid_header() -> bytes:
    # Colour type 2 has no 4-bit samples.
    return join([header(4, 4, 4, RGB), (b"IDAT", zlib.compress(bytes(28))), (b"IEND", b"")])


def _size_bomb() -> bytes:
    # 128 MB of pixels in 125 kB, all there.
    width = height = 32_000
    deflate = zlib.compressobj(1)
    row = bytes(1 + width // 8)
    rows = b"".join(deflate.compress(row) for _ in range(height)) + deflate.flush()
    return join([header(width, height, 1, GREY), (b"IDAT", rows), (b"IEND", b"")])


def _frame_bomb() -> bytes:
    dots = [Frame(samples=np.full((1, 1), number & 1, np.uint8)) for number in range(5_001)]
    return animate(dots, PALETTE, palette=_TWO_COLOURS)


def _fits(make: Callable[[], bytes], **facts: Any) -> tuple[Callable[[], bytes], Expectation]:
    return make, Optimised(**{"width": _WIDTH, "height": _HEIGHT, **facts})


_ANIMATED: dict[str, Any] = {"frames": 3, "delays": (100, 250, 500), "loops": 0, "lossless": True}
_ANIMATED_RGBA: dict[str, Any] = {
    "frames": 4,
    "delays": (100, 100, 100, 100),
    "loops": 0,
    "alpha": True,
}

_TABLE: dict[str, tuple[Callable[[], bytes], Expectation]] = {
    **{
        f"{name}_{depth}_bit{suffix}_is_optimised": _fits(
            partial(_plain, colour, depth, interlaced),
            alpha=colour in (GREY_ALPHA, RGBA),
            # Shades so few that none can go.
            lossless=colour == PALETTE and depth < 8,
        )
        for name, (colour, depths) in _COLOUR_TYPES.items()
        for depth in depths
        for interlaced, suffix in ((False, ""), (True, "_interlaced"))
    },
    "one_pixel_is_optimised": _fits(partial(_size, 1, 1), width=1, height=1),
    "one_row_is_optimised": _fits(partial(_size, 40, 1), width=40, height=1),
    "one_column_is_optimised": _fits(partial(_size, 1, 40), width=1, height=40),
    "one_interlaced_column_is_optimised": _fits(
        partial(_size, 1, 9, RGBA, True), width=1, height=9, alpha=True
    ),
    "grey_8_bit_key_stays_transparent": _fits(partial(_grey_key, 8), alpha=True),
    "grey_16_bit_key_stays_transparent": _fits(partial(_grey_key, 16), alpha=True),
    "rgb_8_bit_key_stays_transparent": _fits(partial(_rgb_key, 8), alpha=True),
    "rgb_16_bit_key_stays_transparent": _fits(partial(_rgb_key, 16), alpha=True),
    "palette_alpha_stays_transparent": _fits(
        partial(_logo, behind_palette=[(b"tRNS", b"\x00\x80")]), alpha=True, lossless=True
    ),
    "palette_of_many_colours_is_reduced": _fits(_all_colours),
    "unused_colours_are_dropped": _fits(_unused_colours, lossless=True),
    "rgb_with_equal_channels_becomes_grey": _fits(_equal_channels),
    "rgba_with_equal_channels_becomes_grey": _fits(partial(_equal_channels, RGBA), alpha=True),
    "opaque_alpha_is_dropped": _fits(partial(_opaque, RGBA)),
    "opaque_grey_alpha_is_dropped": _fits(partial(_opaque, GREY_ALPHA)),
    "sixteen_bits_of_repeated_bytes_become_eight": _fits(_repeated_bytes),
    "colours_under_clear_pixels_stay_clear": _fits(_hidden_colours, alpha=True),
    "drawing_in_rgb_becomes_a_palette": _fits(lambda: encode(logo_rgb(_WIDTH, _HEIGHT), RGB)),
    "many_data_chunks_are_joined": _fits(partial(_plain, RGB, 8, pieces=40)),
    "gamma_is_kept": _fits(partial(_rgb, (b"gAMA", struct.pack(">I", 100_000))), colour=("gAMA",)),
    "gamma_of_a_palette_is_kept": _fits(
        partial(_logo, before=[(b"gAMA", struct.pack(">I", 100_000))]),
        colour=("gAMA",),
        lossless=True,
    ),
    "gamma_of_srgb_is_optimised": _fits(partial(_rgb, (b"gAMA", struct.pack(">I", 45_455)))),
    "primaries_are_kept": _fits(
        partial(_rgb, (b"gAMA", struct.pack(">I", 45_455)), (b"cHRM", _P3_PRIMARIES)),
        colour=("gAMA", "cHRM"),
    ),
    "srgb_chunk_is_optimised": _fits(partial(_rgb, (b"sRGB", b"\0"))),
    # BT.2100: primaries 9, transfer 16 (PQ), no matrix, full range.
    "cicp_pq_is_kept": _fits(partial(_rgb, (b"cICP", b"\x09\x10\x00\x01")), colour=("cICP",)),
    "icc_p3_is_kept": _fits(lambda: _rgb(_icc(display_p3_profile())), colour=("icc",)),
    "icc_p3_of_a_palette_is_kept": _fits(
        lambda: _logo(before=[_icc(display_p3_profile())]), colour=("icc",), lossless=True
    ),
    "icc_of_linear_grey_is_kept": _fits(
        lambda: _plain(GREY, 8, before=[_icc(grey_profile())]), colour=("icc",)
    ),
    "icc_srgb_is_dropped": _fits(lambda: _rgb(_icc(srgb_profile())), drops=(b"iCCP",)),
    **{
        f"orientation_{value}_ends_upright": _fits(
            partial(_orientation, value),
            width=_HEIGHT if value >= 5 else _WIDTH,
            height=_WIDTH if value >= 5 else _HEIGHT,
        )
        for value in (3, 6, 7)
    },
    "text_is_dropped": _fits(_text, drops=(b"tEXt", b"zTXt", b"tIME", _SECRET)),
    "artist_is_dropped": _fits(lambda: _rgb((b"eXIf", exif(artist=True))), drops=(ARTIST,)),
    "background_colour_is_optimised": _fits(_background),
    "bytes_behind_the_end_are_dropped": _fits(lambda: _rgb() + _SECRET * 50, drops=(_SECRET,)),
    "animation_keeps_every_frame": _fits(_animated, **_ANIMATED),
    "animation_played_5_times_keeps_its_count": _fits(
        partial(_animated, 5), **{**_ANIMATED, "loops": 5}
    ),
    "animation_apart_from_its_default_image_keeps_both": _fits(_default_image, **_ANIMATED),
    "animation_of_one_frame_is_optimised": _fits(_one_frame, lossless=True),
    "animation_with_patches_drawn_over_keeps_every_frame": _fits(
        partial(_animated_rgba, 0, 1), **_ANIMATED_RGBA
    ),
    "animation_clearing_its_patches_keeps_every_frame": _fits(
        partial(_animated_rgba, 1, 0), **_ANIMATED_RGBA
    ),
    "animation_restoring_under_its_patches_keeps_every_frame": _fits(
        partial(_animated_rgba, 2, 1), **_ANIMATED_RGBA
    ),
    "animation_of_16_bits_keeps_every_frame": _fits(
        _animated_sixteen_bit,
        frames=3,
        delays=(100, 100, 100),
        loops=0,
    ),
    "truncated_is_refused": (_truncated, CORRUPT),
    "rows_missing_is_refused": (_rows_missing, CORRUPT),
    "wrong_checksum_is_refused": (_wrong_checksum, CORRUPT),
    "missing_palette_is_refused": (partial(_without, b"PLTE"), CORRUPT),
    "missing_data_is_refused": (partial(_without, b"IDAT"), CORRUPT),
    "missing_header_is_refused": (partial(_without, b"IHDR"), CORRUPT),
    "zero_width_is_refused": (_zero_width, CORRUPT),
    "invalid_depth_is_refused": (_invalid_header, CORRUPT),
    "signature_alone_is_refused": (lambda: SIGNATURE, CORRUPT),
    "size_bomb_is_refused": (_size_bomb, TOO_LARGE),
    "frame_bomb_is_refused": (_frame_bomb, TOO_LARGE),
}

CASES: tuple[Case, ...] = tuple(
    Case(f"png/{name}", Format.PNG, make, expectation)
    for name, (make, expectation) in _TABLE.items()
)
