"""WebP cases."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from PIL import Image

from corpus.case import CORRUPT, TOO_LARGE, Case, Expectation, Optimised
from corpus.generators.metadata import ARTIST, display_p3_profile, exif, srgb_profile, xmp
from corpus.generators.pictures import (
    Pixels,
    grey_photo,
    logo_rgb,
    photo,
    soft_edge,
    with_alpha,
)
from tinyjpg import Format

_WIDTH, _HEIGHT = 64, 48
_SECRET = b"must not show"


def _encode(pixels: Pixels, **options: Any) -> bytes:
    stream = io.BytesIO()
    settings = {"quality": 95, "method": 2, "exact": True, **options}
    Image.fromarray(pixels).save(stream, "WEBP", **settings)
    return stream.getvalue()


def _lossy(width: int = _WIDTH, height: int = _HEIGHT, **options: Any) -> bytes:
    return _encode(photo(width, height), **options)


def _lossless(**options: Any) -> bytes:
    return _encode(logo_rgb(_WIDTH, _HEIGHT), lossless=True, **options)


def _translucent() -> Pixels:
    return with_alpha(photo(_WIDTH, _HEIGHT), soft_edge(_WIDTH, _HEIGHT))


def _grey() -> bytes:
    return _encode(np.repeat(grey_photo(_WIDTH, _HEIGHT)[..., None], 3, axis=-1))


def _animated(
    *,
    delays: Sequence[int] = (100, 250, 40),
    loop: int = 0,
    lossless: bool = False,
    alpha: bool = False,
    **options: Any,
) -> bytes:
    frames = []
    for number in range(len(delays)):
        pixels = photo(_WIDTH, _HEIGHT)
        pixels[10:30, 5 + 9 * number : 25 + 9 * number] = (230, 40, 50)
        if alpha:
            pixels = with_alpha(pixels, np.roll(soft_edge(_WIDTH, _HEIGHT), 6 * number, axis=1))
        frames.append(Image.fromarray(pixels))
    stream = io.BytesIO()
    frames[0].save(
        stream,
        "WEBP",
        save_all=True,
        append_images=frames[1:],
        duration=list(delays),
        loop=loop,
        lossless=lossless,
        quality=90,
        method=2,
        **options,
    )
    return stream.getvalue()


def _chunk(name: bytes, payload: bytes) -> bytes:
    return name + struct.pack("<I", len(payload)) + payload + bytes(len(payload) % 2)


def _riff(body: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def _extended(flags: int, width: int, height: int) -> bytes:
    sizes = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return _chunk(b"VP8X", bytes([flags, 0, 0, 0]) + sizes)


def _needless_extended_header() -> bytes:
    return _riff(_extended(0, _WIDTH, _HEIGHT) + _lossy()[12:])


def _unknown_chunk() -> bytes:
    return _riff(_extended(0, _WIDTH, _HEIGHT) + _lossy()[12:] + _chunk(b"ABCD", _SECRET))


def _truncated(data: bytes) -> bytes:
    return data[: len(data) * 6 // 10]


def _truncated_with_honest_sizes() -> bytes:
    payload = _lossy()[20:]
    return _riff(_chunk(b"VP8 ", payload[: len(payload) // 2]))


def _without_picture() -> bytes:
    return _riff(_extended(0, _WIDTH, _HEIGHT))


def _noise_for_a_picture() -> bytes:
    return _riff(_chunk(b"VP8 ", bytes(range(200))))


def _canvas_bomb() -> bytes:
    # Each frame draws 8 x 8 pixels on a screen of 16,384 x 16,384.
    width = height = 16_384
    size = (8 - 1).to_bytes(3, "little") * 2
    frame = bytes(6) + size + (100).to_bytes(3, "little") + b"\0" + _encode(photo(8, 8))[12:]
    control = _chunk(b"ANIM", bytes(6))
    return _riff(_extended(0x02, width, height) + control + _chunk(b"ANMF", frame) * 4)


def _fits(make: Callable[[], bytes], **facts: Any) -> tuple[Callable[[], bytes], Expectation]:
    return make, Optimised(**{"width": _WIDTH, "height": _HEIGHT, **facts})


_MOVING: dict[str, Any] = {"frames": 3, "delays": (100, 250, 40), "loops": 0}

_TABLE: dict[str, tuple[Callable[[], bytes], Expectation]] = {
    "lossy_is_optimised": _fits(_lossy),
    "lossless_is_optimised": _fits(_lossless),
    "lossless_photo_is_optimised": _fits(partial(_lossy, lossless=True)),
    "grey_stays_grey_to_the_eye": _fits(_grey),
    "low_quality_is_only_packed": _fits(partial(_lossy, quality=10), lossless=True),
    "lossy_alpha_stays_transparent": _fits(lambda: _encode(_translucent()), alpha=True),
    "lossless_alpha_stays_transparent": _fits(
        lambda: _encode(_translucent(), lossless=True), alpha=True
    ),
    "one_pixel_is_optimised": _fits(partial(_lossy, 1, 1), width=1, height=1),
    "one_row_is_optimised": _fits(partial(_lossy, 40, 1), width=40, height=1),
    "one_column_is_optimised": _fits(partial(_lossy, 1, 40), width=1, height=40),
    "odd_size_is_optimised": _fits(partial(_lossy, 37, 23), width=37, height=23),
    "needless_extended_header_is_optimised": _fits(_needless_extended_header),
    "unknown_chunk_is_dropped": _fits(_unknown_chunk, drops=(_SECRET,)),
    **{
        f"orientation_{value}_ends_upright": _fits(
            partial(_lossy, exif=exif(value)),
            width=_HEIGHT if value >= 5 else _WIDTH,
            height=_WIDTH if value >= 5 else _HEIGHT,
        )
        for value in (3, 6, 8)
    },
    "lossless_orientation_6_ends_upright": _fits(
        lambda: _lossless(exif=exif(6)), width=_HEIGHT, height=_WIDTH
    ),
    "icc_p3_is_kept": _fits(lambda: _lossy(icc_profile=display_p3_profile()), colour=("icc",)),
    "icc_p3_of_lossless_is_kept": _fits(
        lambda: _lossless(icc_profile=display_p3_profile()), colour=("icc",)
    ),
    "icc_srgb_is_dropped": _fits(lambda: _lossy(icc_profile=srgb_profile()), drops=(b"ICCP",)),
    "artist_is_dropped": _fits(lambda: _lossy(exif=exif(artist=True)), drops=(ARTIST,)),
    "xmp_is_dropped": _fits(
        lambda: _lossy(
            xmp=xmp(f'xmlns:dc="http://purl.org/dc/elements/1.1/" dc:rights="{_SECRET.decode()}"')
        ),
        drops=(_SECRET,),
    ),
    "animation_keeps_every_frame": _fits(_animated, **_MOVING),
    "animation_played_4_times_keeps_its_count": _fits(
        partial(_animated, loop=4), **{**_MOVING, "loops": 4}
    ),
    "animation_with_short_delays_keeps_them": _fits(
        partial(_animated, delays=(10, 5, 20)), **{**_MOVING, "delays": (10, 5, 20)}
    ),
    "lossless_animation_keeps_every_frame": _fits(partial(_animated, lossless=True), **_MOVING),
    "mixed_animation_keeps_every_frame": _fits(partial(_animated, allow_mixed=True), **_MOVING),
    "transparent_animation_keeps_every_frame": _fits(
        partial(_animated, alpha=True), **_MOVING, alpha=True
    ),
    "animation_with_icc_p3_keeps_both": _fits(
        lambda: _animated(icc_profile=display_p3_profile()), **_MOVING, colour=("icc",)
    ),
    "truncated_is_refused": (lambda: _truncated(_lossy()), CORRUPT),
    "truncated_lossless_is_refused": (lambda: _truncated(_lossy(lossless=True)), CORRUPT),
    "truncated_animation_is_refused": (lambda: _truncated(_animated()), CORRUPT),
    "truncated_with_honest_sizes_is_refused": (_truncated_with_honest_sizes, CORRUPT),
    "missing_picture_is_refused": (_without_picture, CORRUPT),
    "noise_for_a_picture_is_refused": (_noise_for_a_picture, CORRUPT),
    "signature_alone_is_refused": (lambda: _riff(b""), CORRUPT),
    "canvas_bomb_is_refused": (_canvas_bomb, TOO_LARGE),
}

CASES: tuple[Case, ...] = tuple(
    Case(f"webp/{name}", Format.WEBP, make, expectation)
    for name, (make, expectation) in _TABLE.items()
)
