"""WebP files put together by hand for tests, and what is needed to take results apart."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageCms
from PIL.ExifTags import GPS, IFD, Base

from tests.images import Pixels

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def wide_gamut() -> bytes:
    """An RGB profile that is not sRGB: its red primary is that of Display P3."""
    profile = bytearray(SRGB)
    at = profile.index(b"rXYZ")
    offset = int.from_bytes(profile[at + 4 : at + 8], "big") + 8
    # Display P3's red, D50-adapted, as s15Fixed16 (ICC.1:2022, 4.2 and 9.2.44).
    for index, value in enumerate((0.51512, 0.2412, -0.00105)):
        struct.pack_into(">i", profile, offset + 4 * index, round(value * 65536))
    profile[84:100] = bytes(16)
    return bytes(profile)


def exif(orientation: int = 1) -> bytes:
    """A TIFF block with orientation, copyright, date and location."""
    tags = Image.Exif()
    tags[Base.Orientation] = orientation
    tags[Base.Copyright] = "(c) somebody"
    tags[Base.DateTime] = "2026:01:02 03:04:05"
    tags.get_ifd(IFD.GPSInfo)[GPS.GPSLatitudeRef] = "N"
    return tags.tobytes().removeprefix(b"Exif\0\0")


def chunk(name: bytes, payload: bytes) -> bytes:
    return name + struct.pack("<I", len(payload)) + payload + bytes(len(payload) % 2)


def riff(*chunks: bytes) -> bytes:
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def extended(flags: int, width: int, height: int) -> bytes:
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return chunk(b"VP8X", struct.pack("<I", flags) + size)


def anim(loops: int = 0, background: bytes = bytes(4)) -> bytes:
    return chunk(b"ANIM", background + struct.pack("<H", loops))


def frame(
    picture: bytes, size: tuple[int, int], at: tuple[int, int] = (0, 0), duration: int = 100,
    *, blend: bool = True, dispose: bool = False,
) -> bytes:  # fmt: skip
    numbers = (at[0] // 2, at[1] // 2, size[0] - 1, size[1] - 1, duration)
    flags = (0 if blend else 2) | (1 if dispose else 0)
    header = b"".join(number.to_bytes(3, "little") for number in numbers) + bytes([flags])
    return chunk(b"ANMF", header + picture)


def picture(pixels: Pixels, **options: object) -> bytes:
    """The chunks that store `pixels` (ALPH and VP8, or VP8L), as Pillow encodes them."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "WEBP", **options)
    wanted = (b"ALPH", b"VP8 ", b"VP8L")
    return b"".join(
        chunk(name, payload) for name, payload in chunks(stream.getvalue()) if name in wanted
    )


def animation(
    frames: Sequence[bytes], width: int, height: int, *, loops: int = 0, extra: bytes = b"",
    flags: int = 0x12,
) -> bytes:  # fmt: skip
    return riff(extended(flags, width, height), anim(loops), *frames, extra)


def chunks(data: bytes, start: int = 12) -> list[tuple[bytes, bytes]]:
    """The chunks of a well-formed file; asserts that sizes and padding are right."""
    if start == 12:
        assert data[:4] == b"RIFF"
        assert data[8:12] == b"WEBP"
        assert struct.unpack_from("<I", data, 4) == (len(data) - 8,)
    found = []
    while start < len(data):
        name = data[start : start + 4]
        (size,) = struct.unpack_from("<I", data, start + 4)
        end = start + 8 + size
        assert end + size % 2 <= len(data)
        assert data[end : end + size % 2] == bytes(size % 2)
        found.append((name, data[start + 8 : end]))
        start = end + size % 2
    return found


def names(data: bytes) -> list[bytes]:
    return [name for name, _ in chunks(data)]


def payload(data: bytes, wanted: bytes) -> bytes:
    return dict(chunks(data))[wanted]


def transparent(pixels: Pixels) -> Pixels:
    """`pixels` with a soft-edged hole: height x width x 4."""
    height, width = pixels.shape[:2]
    down, across = np.mgrid[0:height, 0:width]
    distance = np.hypot(down - height / 2, across - width / 2) / min(height, width)
    alpha = np.clip((distance - 0.2) * 1000, 0, 255).astype(np.uint8)
    return np.dstack([pixels, alpha])


def decoded(data: bytes) -> Pixels:
    """The pixels as stored, RGB or RGBA, by Pillow."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image)
