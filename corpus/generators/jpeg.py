"""JPEG cases."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from PIL import Image

from corpus.case import CORRUPT, TOO_LARGE, Case, Expectation, Optimised
from corpus.generators import jpeg_samples
from corpus.generators.jpeg_structure import (
    APP1,
    APP14,
    COMMENT,
    DQT,
    EOI,
    EXIF_SIGNATURE,
    ICC_SIGNATURE,
    SOF0,
    SOF1,
    SOI,
    XMP_SIGNATURE,
    adobe,
    encode,
    from_planes,
    icc_segments,
    insert,
    join,
    multi_picture,
    resized_header,
    split,
    without,
    ycbcr_planes,
)
from corpus.generators.metadata import (
    ARTIST,
    display_p3_profile,
    exif,
    grey_profile,
    srgb_profile,
    xmp,
)
from corpus.generators.pictures import Pixels, grey_photo, photo
from tinyjpg import Format

_WIDTH, _HEIGHT = 96, 64
_SECRET = b"must not show"


def _colour(
    width: int = _WIDTH, height: int = _HEIGHT, subsampling: str = "4:2:0", **options: Any
) -> bytes:
    return encode(photo(width, height), subsampling=subsampling, **options)


def _grey(width: int = _WIDTH, height: int = _HEIGHT) -> bytes:
    return encode(grey_photo(width, height))


def _equal_channels() -> bytes:
    return encode(
        np.repeat(grey_photo(_WIDTH, _HEIGHT)[..., None], 3, axis=-1), subsampling="4:4:4"
    )


def _one_coloured_spot() -> bytes:
    pixels = np.repeat(grey_photo(_WIDTH, _HEIGHT)[..., None], 3, axis=-1)
    pixels[24:32, 40:48] = (220, 30, 30)
    return encode(pixels, subsampling="4:4:4")


def _restart_markers() -> bytes:
    return _colour(restart_marker_blocks=2)


def _planar(shrink: tuple[int, int], width: int = _WIDTH, height: int = _HEIGHT) -> bytes:
    planes = ycbcr_planes(photo(width, height), shrink)
    return from_planes(planes, [shrink, (1, 1), (1, 1)], (width, height))


def _stored_as_rgb() -> bytes:
    pixels = photo(_WIDTH, _HEIGHT)
    planes = [pixels[..., band].copy() for band in range(3)]
    return from_planes(
        planes,
        [(1, 1)] * 3,
        (_WIDTH, _HEIGHT),
        identifiers=tuple(b"RGB"),
        before=[adobe(0)],
    )


def _sixteen_bit_tables() -> bytes:
    segments, rest = split(_colour())
    converted = []
    for marker, payload in segments:
        if marker == DQT:
            wide = b"".join(b"\0" + payload[at : at + 1] for at in range(1, 65))
            converted.append((DQT, bytes([0x10 | payload[0]]) + wide))
        else:
            # Baseline allows 8-bit tables only.
            converted.append((SOF1 if marker == SOF0 else marker, payload))
    return join(converted, rest)


def _orientation(value: int) -> bytes:
    return _colour(exif=EXIF_SIGNATURE + exif(value))


def _with_profile(profile: Callable[[], bytes], parts: int = 1) -> bytes:
    return insert(_colour(), *icc_segments(profile(), parts))


def _profile_behind_the_frame_header() -> bytes:
    segments, rest = split(_colour())
    return join([*segments, *icc_segments(display_p3_profile())], rest)


def _grey_with_linear_profile() -> bytes:
    return insert(_grey(), *icc_segments(grey_profile()))


def _inks() -> list[Pixels]:
    pixels = photo(_WIDTH, _HEIGHT)
    return [*(255 - np.moveaxis(pixels, -1, 0)), np.full(pixels.shape[:2], 20, np.uint8)]


def _cmyk(*, marked: bool) -> bytes:
    stream = io.BytesIO()
    image = Image.merge("CMYK", [Image.fromarray(ink) for ink in _inks()])
    image.save(stream, "JPEG", quality=95)
    return stream.getvalue() if marked else without(stream.getvalue(), APP14)


def _ycck() -> bytes:
    y, cb, cr = ycbcr_planes(photo(_WIDTH, _HEIGHT), (1, 1))
    planes = [y, cb, cr, 255 - _inks()[3]]
    return from_planes(planes, [(1, 1)] * 4, (_WIDTH, _HEIGHT), before=[adobe(2)])


def _multi_picture() -> bytes:
    return multi_picture(_colour(), encode(photo(_WIDTH, _HEIGHT, seed=1)), 0x020002)


def _gain_map() -> bytes:
    gains = 'xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0"'
    second = insert(
        encode(grey_photo(_WIDTH // 2, _HEIGHT // 2)),
        (APP1, XMP_SIGNATURE + xmp(f'{gains} hdrgm:GainMapMax="2.5" hdrgm:HDRCapacityMax="2.5"')),
    )
    directory = (
        'xmlns:Container="http://ns.google.com/photos/1.0/container/" '
        'xmlns:Item="http://ns.google.com/photos/1.0/container/item/"><Container:Directory>'
        '<rdf:Seq><rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="Primary" '
        'Item:Mime="image/jpeg"/></rdf:li><rdf:li rdf:parseType="Resource"><Container:Item '
        f'Item:Semantic="GainMap" Item:Mime="image/jpeg" Item:Length="{len(second)}"/></rdf:li>'
        "</rdf:Seq></Container:Directory"
    )
    primary = insert(_colour(), (APP1, XMP_SIGNATURE + xmp(f"{gains} {directory}")))
    return multi_picture(primary, second, 0)


def _bytes_behind_the_end() -> bytes:
    return _colour() + _SECRET * 200


def _comment() -> bytes:
    return insert(_colour(), (COMMENT, _SECRET))


def _artist() -> bytes:
    return _colour(exif=EXIF_SIGNATURE + exif(artist=True))


def _artist_and_orientation() -> bytes:
    return _colour(exif=EXIF_SIGNATURE + exif(8, artist=True))


def _xmp() -> bytes:
    description = f'xmlns:dc="http://purl.org/dc/elements/1.1/" dc:rights="{_SECRET.decode()}"'
    return insert(_colour(), (APP1, XMP_SIGNATURE + xmp(description)))


def _fill_bytes() -> bytes:
    return SOI + b"\xff" * 5 + _colour().removeprefix(SOI)


def _incomplete_profile() -> bytes:
    return insert(_colour(), *icc_segments(display_p3_profile(), 3)[:2])


def _truncated() -> bytes:
    data = _colour()
    return data[: len(data) * 6 // 10]


def _truncated_progressive() -> bytes:
    data = _colour(progressive=True)
    return data[: len(data) * 6 // 10]


def _last_rows_missing() -> bytes:
    return _truncated() + EOI


def _cut_in_the_header() -> bytes:
    return _colour()[:120]


def _without_tables() -> bytes:
    return without(_colour(), DQT)


def _without_frame_header() -> bytes:
    return without(_colour(), SOF0)


def _zero_width() -> bytes:
    return resized_header(_grey(16, 16), 0, 16)


def _text_behind_the_signature() -> bytes:
    return b"\xff\xd8\xff\xe0 this is not an image at all, only text behind a signature"


def _size_bomb() -> bytes:
    return resized_header(_grey(16, 16), 65_500, 65_500)


def _fits(make: Callable[[], bytes], **facts: Any) -> tuple[Callable[[], bytes], Expectation]:
    return make, Optimised(**{"width": _WIDTH, "height": _HEIGHT, **facts})


_SAMPLE = {"width": jpeg_samples.WIDTH, "height": jpeg_samples.HEIGHT, "lossless": True}

_TABLE: dict[str, tuple[Callable[[], bytes], Expectation]] = {
    "colour_is_optimised": _fits(_colour),
    "grey_stays_grey": _fits(_grey, grey=True),
    "rgb_with_equal_channels_becomes_grey": _fits(_equal_channels, grey=True),
    "one_coloured_spot_stays_coloured": _fits(_one_coloured_spot),
    "subsampling_444_is_optimised": _fits(partial(_colour, subsampling="4:4:4")),
    "subsampling_422_is_optimised": _fits(partial(_colour, subsampling="4:2:2")),
    "subsampling_420_is_optimised": _fits(partial(_colour, subsampling="4:2:0")),
    "subsampling_440_is_optimised": _fits(partial(_planar, (1, 2))),
    "subsampling_411_is_optimised": _fits(partial(_planar, (4, 1))),
    "subsampling_410_is_optimised": _fits(partial(_planar, (4, 2))),
    "a_scan_per_component_is_optimised": _fits(partial(_planar, (2, 2))),
    "stored_as_rgb_keeps_its_colours": _fits(_stored_as_rgb),
    "progressive_is_optimised": _fits(partial(_colour, progressive=True)),
    "restart_markers_are_optimised": _fits(_restart_markers),
    "sixteen_bit_tables_are_optimised": _fits(_sixteen_bit_tables),
    "fill_bytes_are_optimised": _fits(_fill_bytes),
    "low_quality_is_only_packed": _fits(partial(_colour, quality=20), lossless=True),
    "one_pixel_is_optimised": _fits(partial(_colour, 1, 1), width=1, height=1),
    "one_row_is_optimised": _fits(partial(_colour, 40, 1), width=40, height=1),
    "one_column_is_optimised": _fits(partial(_colour, 1, 40), width=1, height=40),
    "odd_size_is_optimised": _fits(partial(_colour, 37, 23), width=37, height=23),
    "odd_grey_size_is_optimised": _fits(partial(_grey, 37, 23), width=37, height=23, grey=True),
    "odd_size_411_is_optimised": _fits(
        partial(_planar, (4, 1), 37, 23),
        width=37,
        height=23,
    ),
    **{
        f"orientation_{value}_ends_upright": _fits(
            partial(_orientation, value),
            width=_HEIGHT if value >= 5 else _WIDTH,
            height=_WIDTH if value >= 5 else _HEIGHT,
        )
        for value in range(1, 9)
    },
    "icc_p3_is_kept": _fits(partial(_with_profile, display_p3_profile), colour=("icc",)),
    "icc_in_three_segments_is_kept": _fits(
        partial(_with_profile, display_p3_profile, 3), colour=("icc",)
    ),
    "icc_behind_the_frame_header_is_kept": _fits(_profile_behind_the_frame_header, colour=("icc",)),
    "icc_of_linear_grey_is_kept": _fits(_grey_with_linear_profile, grey=True, colour=("icc",)),
    "icc_srgb_is_dropped": _fits(partial(_with_profile, srgb_profile), drops=(ICC_SIGNATURE,)),
    "icc_with_a_segment_missing_is_ignored": _fits(_incomplete_profile),
    "comment_is_dropped": _fits(_comment, drops=(_SECRET,)),
    "artist_is_dropped": _fits(_artist, drops=(ARTIST,)),
    "artist_is_dropped_and_orientation_8_ends_upright": _fits(
        _artist_and_orientation, width=_HEIGHT, height=_WIDTH, drops=(ARTIST,)
    ),
    "xmp_is_dropped": _fits(_xmp, drops=(_SECRET,)),
    "bytes_behind_the_end_are_dropped": _fits(_bytes_behind_the_end, drops=(_SECRET,)),
    "cmyk_keeps_every_pixel": _fits(partial(_cmyk, marked=True), lossless=True),
    "cmyk_without_adobe_marker_keeps_every_pixel": _fits(
        partial(_cmyk, marked=False), lossless=True
    ),
    "ycck_keeps_every_pixel": _fits(_ycck, lossless=True),
    "arithmetic_coding_keeps_every_pixel": _fits(lambda: jpeg_samples.ARITHMETIC, **_SAMPLE),
    "twelve_bits_keep_every_pixel": _fits(lambda: jpeg_samples.TWELVE_BIT, **_SAMPLE),
    "lossless_process_keeps_every_pixel": _fits(lambda: jpeg_samples.LOSSLESS, **_SAMPLE),
    "mpf_keeps_both_pictures": _fits(_multi_picture, pictures=2, lossless=True),
    "gain_map_is_kept": _fits(_gain_map, pictures=2, lossless=True),
    "truncated_is_refused": (_truncated, CORRUPT),
    "truncated_progressive_is_refused": (_truncated_progressive, CORRUPT),
    "last_rows_missing_is_refused": (_last_rows_missing, CORRUPT),
    "cut_in_the_header_is_refused": (_cut_in_the_header, CORRUPT),
    "missing_tables_are_refused": (_without_tables, CORRUPT),
    "missing_frame_header_is_refused": (_without_frame_header, CORRUPT),
    "zero_width_is_refused": (_zero_width, CORRUPT),
    "text_behind_the_signature_is_refused": (_text_behind_the_signature, CORRUPT),
    "size_bomb_is_refused": (_size_bomb, TOO_LARGE),
}

CASES: tuple[Case, ...] = tuple(
    Case(f"jpeg/{name}", Format.JPEG, make, expectation)
    for name, (make, expectation) in _TABLE.items()
)
