"""Small images to upload."""

from __future__ import annotations

import io
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
