"""Each case of the corpus is what its name says: read from its bytes, and by Pillow."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from corpus import Case, Optimised, cases
from corpus.generators.jpeg_structure import split as split_jpeg
from corpus.generators.png_structure import split as split_png

CASES = {case.name: case for case in cases()}


def opened(data: bytes) -> Any:
    return Image.open(io.BytesIO(data))


def frames(image: Any) -> Iterator[Any]:
    for number in range(image.n_frames):
        image.seek(number)
        image.load()
        yield image


def jpeg_sampling(data: bytes) -> list[tuple[int, int]]:
    return [(layer[1], layer[2]) for layer in opened(data).layer]


def jpeg_markers(data: bytes) -> set[int]:
    return {marker for marker, _ in split_jpeg(data)[0]}


def jpeg_scans(data: bytes) -> int:
    return data.count(b"\xff\xda")


def orientation(data: bytes) -> int:
    return int(opened(data).getexif().get(0x0112, 1))


def has_orientation(value: int, data: bytes) -> bool:
    return orientation(data) == value


def has_equal_channels(data: bytes) -> bool:
    pixels = np.asarray(opened(data).convert("RGB")).astype(int)
    return bool((pixels == pixels[..., :1]).all())


def has_nearly_equal_channels(data: bytes) -> bool:
    pixels = np.asarray(opened(data).convert("RGB")).astype(int)
    return int(np.ptp(pixels, axis=-1).max()) <= 3


def icc_profile(data: bytes) -> bytes:
    if data.startswith(b"\xff\xd8"):
        # Pillow overlooks a profile behind the frame header.
        parts = [payload for _, payload in split_jpeg(data)[0] if payload[:4] == b"ICC_"]
        return b"".join(part[14:] for part in parts)
    return bytes(opened(data).info["icc_profile"])


def profile_name(data: bytes) -> str:
    profile = icc_profile(data)
    for name in ("Display P3", "sRGB", "Grey gamma"):
        if name.encode("utf-16-be") in profile:
            return name
    raise AssertionError(f"no known profile in {profile!r}")


def two_jpegs(data: bytes) -> bool:
    second = data.index(b"\xff\xd9\xff\xd8") + 2
    sizes = [opened(part).size for part in (data[:second], data[second:])]
    return sizes[0] == (96, 64) and sizes[1] in {(96, 64), (48, 32)}


def gain_map(data: bytes) -> bool:
    second = data.index(b"\xff\xd9\xff\xd8") + 2
    announced = f'Item:Length="{len(data) - second}"'.encode()
    found = announced in data[:second] and b"GainMapMax" in data[second:]
    return found and two_jpegs(data)


JPEG_NAMES: dict[str, Callable[[bytes], bool]] = {
    "grey_stays_grey": lambda data: opened(data).mode == "L",
    "rgb_with_equal_channels_becomes_grey": has_equal_channels,
    "one_coloured_spot_stays_coloured": lambda data: not has_equal_channels(data),
    "subsampling_444_is_optimised": lambda data: jpeg_sampling(data)[0] == (1, 1),
    "subsampling_422_is_optimised": lambda data: jpeg_sampling(data)[0] == (2, 1),
    "subsampling_420_is_optimised": lambda data: jpeg_sampling(data)[0] == (2, 2),
    "subsampling_440_is_optimised": lambda data: jpeg_sampling(data)[0] == (1, 2),
    "subsampling_411_is_optimised": lambda data: jpeg_sampling(data)[0] == (4, 1),
    "subsampling_410_is_optimised": lambda data: jpeg_sampling(data)[0] == (4, 2),
    "odd_size_411_is_optimised": lambda data: jpeg_sampling(data)[0] == (4, 1),
    "a_scan_per_component_is_optimised": lambda data: jpeg_scans(data) == 3,
    "stored_as_rgb_keeps_its_colours": lambda data: opened(data).info["adobe_transform"] == 0,
    "progressive_is_optimised": lambda data: bool(opened(data).info["progressive"]),
    "restart_markers_are_optimised": lambda data: (
        {0xDD} <= jpeg_markers(data) and b"\xff\xd7" in data
    ),
    "sixteen_bit_tables_are_optimised": lambda data: all(
        payload[0] >> 4 == 1 for marker, payload in split_jpeg(data)[0] if marker == 0xDB
    ),
    "low_quality_is_only_packed": lambda data: max(opened(data).quantization[0]) > 200,
    "icc_p3_is_kept": lambda data: profile_name(data) == "Display P3",
    "icc_in_three_segments_is_kept": lambda data: (
        profile_name(data) == "Display P3" and data.count(b"ICC_PROFILE") == 3
    ),
    "icc_behind_the_frame_header_is_kept": lambda data: (
        profile_name(data) == "Display P3" and split_jpeg(data)[0][-1][0] == 0xE2
    ),
    "icc_of_linear_grey_is_kept": lambda data: profile_name(data) == "Grey gamma",
    "icc_srgb_is_dropped": lambda data: profile_name(data) == "sRGB",
    "icc_with_a_segment_missing_is_ignored": lambda data: data.count(b"ICC_PROFILE") == 2,
    "artist_is_dropped_and_orientation_8_ends_upright": lambda data: orientation(data) == 8,
    "cmyk_keeps_every_pixel": lambda data: opened(data).mode == "CMYK",
    "cmyk_without_adobe_marker_keeps_every_pixel": lambda data: (
        opened(data).mode == "CMYK" and 0xEE not in jpeg_markers(data)
    ),
    "ycck_keeps_every_pixel": lambda data: (
        opened(data).info["adobe_transform"] == 2 and opened(data).mode == "CMYK"
    ),
    "arithmetic_coding_keeps_every_pixel": lambda data: 0xC9 in jpeg_markers(data),
    "lossless_process_keeps_every_pixel": lambda data: 0xC3 in jpeg_markers(data),
    "twelve_bits_keep_every_pixel": lambda data: (
        (0xC1, 12, 16, 24)
        in [
            (marker, *struct.unpack_from(">BHH", payload))
            for marker, payload in split_jpeg(data)[0]
            if len(payload) >= 5
        ]
    ),
    "mpf_keeps_both_pictures": two_jpegs,
    "gain_map_is_kept": gain_map,
    **{
        f"orientation_{value}_ends_upright": (partial(has_orientation, value))
        for value in range(1, 9)
    },
}


def webp_chunks(data: bytes) -> set[bytes]:
    found, at = set(), 12
    while at + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        found.add(name)
        at += 8 + size + size % 2
    return found


WEBP_NAMES: dict[str, Callable[[bytes], bool]] = {
    "lossy_is_optimised": lambda data: webp_chunks(data) == {b"VP8 "},
    "lossless_is_optimised": lambda data: webp_chunks(data) == {b"VP8L"},
    "grey_stays_grey_to_the_eye": has_nearly_equal_channels,
    "needless_extended_header_is_optimised": lambda data: webp_chunks(data) == {b"VP8X", b"VP8 "},
    "lossy_alpha_stays_transparent": lambda data: {b"ALPH", b"VP8 "} <= webp_chunks(data),
    "lossless_alpha_stays_transparent": lambda data: b"ALPH" not in webp_chunks(data),
    "icc_p3_is_kept": lambda data: profile_name(data) == "Display P3",
    "icc_p3_of_lossless_is_kept": lambda data: (
        profile_name(data) == "Display P3" and b"VP8L" in webp_chunks(data)
    ),
    "icc_srgb_is_dropped": lambda data: profile_name(data) == "sRGB",
    "animation_with_icc_p3_keeps_both": lambda data: profile_name(data) == "Display P3",
    "lossless_animation_keeps_every_frame": lambda data: b"VP8 " not in data,
    "animation_keeps_every_frame": lambda data: b"VP8L" not in data,
    **{
        f"{prefix}orientation_{value}_ends_upright": (partial(has_orientation, value))
        for prefix, value in (("", 3), ("", 6), ("", 8), ("lossless_", 6))
    },
}


def gif_flags(data: bytes) -> list[int]:
    """The flags of each image descriptor."""
    found, at = [], 13 + (3 << ((data[10] & 7) + 1) if data[10] & 0x80 else 0)
    while data[at] != 0x3B:
        if data[at] == 0x2C:
            flags = data[at + 9]
            found.append(flags)
            at += 11 + (3 << ((flags & 7) + 1) if flags & 0x80 else 0)
        else:
            at += 2
        while data[at]:
            at += 1 + data[at]
        at += 1
    return found


def gif_disposals(data: bytes) -> list[int]:
    return [frame.disposal_method for frame in frames(opened(data))]


GIF_NAMES: dict[str, Callable[[bytes], bool]] = {
    "interlaced_is_optimised": lambda data: gif_flags(data)[0] & 0x40 != 0,
    "still_is_optimised": lambda data: gif_flags(data)[0] & 0x40 == 0,
    "version_87a_is_optimised": lambda data: opened(data).info["version"] == b"GIF87a",
    "local_palette_alone_is_optimised": lambda data: (
        not data[10] & 0x80 and gif_flags(data)[0] & 0x80 != 0
    ),
    "interlaced_animation_keeps_every_frame": lambda data: all(
        flags & 0x40 for flags in gif_flags(data)
    ),
    "local_palettes_keep_every_frame": lambda data: all(flags & 0x80 for flags in gif_flags(data)),
    "disposal_to_background_keeps_every_frame": lambda data: gif_disposals(data) == [2] * 3,
    "patches_left_in_place_keep_every_frame": lambda data: gif_disposals(data) == [1] * 4,
    "patches_cleared_keep_every_frame": lambda data: gif_disposals(data) == [1, 2, 2, 2],
    "patches_restored_keep_every_frame": lambda data: gif_disposals(data) == [1, 3, 3, 3],
    "patches_on_a_cleared_screen_keep_every_frame": lambda data: gif_disposals(data) == [2] * 4,
    "transparent_animation_keeps_every_frame": lambda data: gif_disposals(data) == [2] * 4,
    "animation_with_two_loop_counts_keeps_them": lambda data: data.count(b"NETSCAPE2.0") == 2,
    "more_than_256_colours_keep_every_frame": lambda data: (
        len(
            {
                colour
                for frame in frames(opened(data))
                for _, colour in frame.convert("RGB").getcolors(1 << 16)
            }
        )
        > 256
    ),
}

PNG_COLOURS = {"grey": 0, "rgb": 2, "palette": 3, "grey_alpha": 4, "rgba": 6}


def png_header(data: bytes) -> tuple[int, int, int]:
    """Bit depth, colour type and interlacing."""
    (_, payload), *_ = split_png(data)
    return payload[8], payload[9], payload[12]


def has_header(facts: tuple[int, int, int], data: bytes) -> bool:
    return png_header(data) == facts


def png_chunks(data: bytes) -> dict[bytes, bytes]:
    return dict(split_png(data))


def png_controls(data: bytes) -> list[tuple[int, int]]:
    """Disposal and blending of each frame of an APNG."""
    return [(payload[24], payload[25]) for name, payload in split_png(data) if name == b"fcTL"]


PNG_NAMES: dict[str, Callable[[bytes], bool]] = {
    **{
        f"{name}_{depth}_bit{suffix}_is_optimised": (
            partial(has_header, (depth, colour, interlaced))
        )
        for name, colour in PNG_COLOURS.items()
        for depth in (1, 2, 4, 8, 16)
        for interlaced, suffix in ((0, ""), (1, "_interlaced"))
        if f"png/{name}_{depth}_bit{suffix}_is_optimised" in CASES
    },
    "grey_16_bit_key_stays_transparent": lambda data: b"tRNS" in png_chunks(data),
    "rgb_16_bit_key_stays_transparent": lambda data: b"tRNS" in png_chunks(data),
    "palette_of_many_colours_is_reduced": lambda data: len(opened(data).getcolors()) > 100,
    "unused_colours_are_dropped": lambda data: (
        len(png_chunks(data)[b"PLTE"]) == 768 and len(opened(data).getcolors()) == 4
    ),
    "rgb_with_equal_channels_becomes_grey": has_equal_channels,
    "rgba_with_equal_channels_becomes_grey": has_equal_channels,
    "opaque_alpha_is_dropped": lambda data: opened(data).mode == "RGBA",
    "opaque_grey_alpha_is_dropped": lambda data: opened(data).mode == "LA",
    "sixteen_bits_of_repeated_bytes_become_eight": lambda data: png_header(data) == (16, 2, 0),
    "drawing_in_rgb_becomes_a_palette": lambda data: (
        opened(data).mode == "RGB" and len(opened(data).getcolors()) == 4
    ),
    "many_data_chunks_are_joined": lambda data: data.count(b"IDAT") >= 40,
    "gamma_is_kept": lambda data: opened(data).info["gamma"] == 1.0,
    "gamma_of_a_palette_is_kept": lambda data: (
        opened(data).info["gamma"] == 1.0 and opened(data).mode == "P"
    ),
    "gamma_of_srgb_is_optimised": lambda data: opened(data).info["gamma"] == 0.45455,
    "primaries_are_kept": lambda data: opened(data).info["chromaticity"][2:4] == (0.68, 0.32),
    "srgb_chunk_is_optimised": lambda data: opened(data).info["srgb"] == 0,
    "cicp_pq_is_kept": lambda data: png_chunks(data)[b"cICP"] == b"\x09\x10\x00\x01",
    "icc_p3_is_kept": lambda data: profile_name(data) == "Display P3",
    "icc_p3_of_a_palette_is_kept": lambda data: profile_name(data) == "Display P3",
    "icc_of_linear_grey_is_kept": lambda data: profile_name(data) == "Grey gamma",
    "icc_srgb_is_dropped": lambda data: profile_name(data) == "sRGB",
    "animation_of_one_frame_is_optimised": lambda data: len(png_controls(data)) == 1,
    "animation_with_patches_drawn_over_keeps_every_frame": lambda data: (
        png_controls(data)[1:] == [(0, 1)] * 3
    ),
    "animation_clearing_its_patches_keeps_every_frame": lambda data: (
        png_controls(data)[1:] == [(1, 0)] * 3
    ),
    "animation_restoring_under_its_patches_keeps_every_frame": lambda data: (
        png_controls(data)[1:] == [(2, 1)] * 3
    ),
    "animation_of_16_bits_keeps_every_frame": lambda data: png_header(data)[0] == 16,
    **{
        f"orientation_{value}_ends_upright": (partial(has_orientation, value))
        for value in (3, 6, 7)
    },
}

NAMES = {
    f"{folder}/{name}": says
    for folder, table in (
        ("jpeg", JPEG_NAMES),
        ("png", PNG_NAMES),
        ("webp", WEBP_NAMES),
        ("gif", GIF_NAMES),
    )
    for name, says in table.items()
}


@pytest.mark.parametrize("name", NAMES)
def test_case_is_what_its_name_says(name: str) -> None:
    assert NAMES[name](CASES[name].make())


@pytest.mark.parametrize(
    "case",
    [
        one
        for one in CASES.values()
        if isinstance(one.expectation, Optimised) and "icc" in one.expectation.colour
    ],
    ids=str,
)
def test_profiles_are_read_by_a_colour_engine(case: Case) -> None:
    profile = ImageCms.ImageCmsProfile(io.BytesIO(icc_profile(case.make())))
    assert ImageCms.getProfileDescription(profile).strip()
