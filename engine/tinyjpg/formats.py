"""The image formats as data, and how to tell them by their leading bytes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tinyjpg.errors import UnsupportedFormatError


class Format(StrEnum):
    """An image format the engine reads and writes."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"
    GIF = "gif"


@dataclass(frozen=True, slots=True)
class FormatFacts:
    """What is true of every file of one format."""

    mime: str
    extensions: tuple[str, ...]
    can_animate: bool
    can_have_alpha: bool


FACTS: dict[Format, FormatFacts] = {
    Format.JPEG: FormatFacts("image/jpeg", (".jpg", ".jpeg", ".jpe", ".jfif"), False, False),
    Format.PNG: FormatFacts("image/png", (".png", ".apng"), True, True),
    Format.WEBP: FormatFacts("image/webp", (".webp",), True, True),
    Format.GIF: FormatFacts("image/gif", (".gif",), True, True),
}

EXTENSIONS: frozenset[str] = frozenset(
    extension for facts in FACTS.values() for extension in facts.extensions
)


@dataclass(frozen=True, slots=True)
class _Signature:
    """Bytes expected at fixed offsets from the start of the file."""

    name: str
    parts: tuple[tuple[int, bytes], ...]

    def matches(self, data: bytes) -> bool:
        return all(data[at : at + len(magic)] == magic for at, magic in self.parts)


_SUPPORTED: dict[Format, tuple[_Signature, ...]] = {
    Format.JPEG: (_Signature("JPEG", ((0, b"\xff\xd8\xff"),)),),
    Format.PNG: (_Signature("PNG", ((0, b"\x89PNG\r\n\x1a\n"),)),),
    Format.WEBP: (_Signature("WebP", ((0, b"RIFF"), (8, b"WEBP"))),),
    Format.GIF: (
        _Signature("GIF", ((0, b"GIF87a"),)),
        _Signature("GIF", ((0, b"GIF89a"),)),
    ),
}

_RECOGNISED: tuple[_Signature, ...] = (
    _Signature("an AVIF image", ((4, b"ftypavif"),)),
    _Signature("an AVIF sequence", ((4, b"ftypavis"),)),
    _Signature("a HEIC image", ((4, b"ftypheic"),)),
    _Signature("a HEIF image", ((4, b"ftypmif1"),)),
    _Signature("a video", ((4, b"ftyp"),)),
    _Signature("a JPEG XL image", ((0, b"\xff\x0a"),)),
    _Signature("a JPEG XL image", ((4, b"JXL \r\n\x87\n"),)),
    _Signature("a JPEG 2000 image", ((4, b"jP  \r\n\x87\n"),)),
    _Signature("a TIFF or camera raw image", ((0, b"II*\x00"),)),
    _Signature("a TIFF or camera raw image", ((0, b"MM\x00*"),)),
    _Signature("a BMP image", ((0, b"BM"),)),
    _Signature("a Photoshop document", ((0, b"8BPS"),)),
    _Signature("a PDF document", ((0, b"%PDF"),)),
    _Signature("an SVG or XML document", ((0, b"<?xml"),)),
    _Signature("an SVG document", ((0, b"<svg"),)),
    _Signature("an HTML page", ((0, b"<!DOC"),)),
    _Signature("an HTML page", ((0, b"<html"),)),
    _Signature("an icon (ICO)", ((0, b"\x00\x00\x01\x00"),)),
    _Signature("a ZIP archive", ((0, b"PK\x03\x04"),)),
    _Signature("a gzip archive", ((0, b"\x1f\x8b"),)),
    _Signature("a RIFF file that is not WebP", ((0, b"RIFF"),)),
)


def sniff(data: bytes) -> Format:
    """Tell the format of `data` by its signature, never by a name or declared type.

    Raises:
        UnsupportedFormatError: nothing the engine handles; the message names what it looks like.
    """
    for candidate, signatures in _SUPPORTED.items():
        if any(signature.matches(data) for signature in signatures):
            return candidate
    found = next((known.name for known in _RECOGNISED if known.matches(data)), None)
    if found is None:
        found = f"unknown data starting with {data[:8].hex(' ')}" if data else "an empty file"
    raise UnsupportedFormatError(f"this is {found}; give a JPEG, PNG, WebP or GIF image instead")
