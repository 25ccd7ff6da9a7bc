"""Small images to upload."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Final

from PIL import Image

MEDIA_TYPES: Final = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
}


def picture(kind: str = "PNG", size: tuple[int, int] = (48, 32), **options: object) -> bytes:
    """A picture with something to see in it."""
    width, height = size
    image = Image.new("RGB", size)
    image.putdata(
        [(x * 5 % 256, y * 7 % 256, (x ^ y) % 256) for y in range(height) for x in range(width)]
    )
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def damaged_png() -> bytes:
    """A PNG whose chunks are all in order, but whose pixels are not what was compressed."""
    data = bytearray(picture("PNG", (200, 200)))
    kind = data.index(b"IDAT")
    (length,) = struct.unpack(">I", data[kind - 4 : kind])
    end = kind + 4 + length
    data[kind + 60 : kind + 200] = bytes(140)
    data[end : end + 4] = struct.pack(">I", zlib.crc32(data[kind:end]))
    return bytes(data)
