"""ICC profiles and EXIF blocks, made by hand: the same bytes every time, unlike a library's."""

from __future__ import annotations

import struct

from PIL import Image

# XYZ of the primaries under D50, as the ICC profiles of these spaces state them.
_SRGB = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410))
_DISPLAY_P3 = (
    (0.51512, 0.24120, -0.00105),
    (0.29198, 0.69225, 0.04189),
    (0.15710, 0.06657, 0.78407),
)
_D50 = (0.96420, 1.0, 0.82491)

# IEC 61966-2-1: gamma, a, b, c and d of a parametric curve of type 3.
_SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def srgb_profile() -> bytes:
    """An ICC profile that says sRGB."""
    return _rgb_profile("sRGB made by hand", _SRGB)


def display_p3_profile() -> bytes:
    """An ICC profile that says Display P3."""
    return _rgb_profile("Display P3 made by hand", _DISPLAY_P3)


def grey_profile(gamma: float = 1.0) -> bytes:
    """An ICC profile for one channel with a power curve; 1.0 is far from sRGB's."""
    return _profile(
        b"GRAY",
        {
            b"desc": _text(f"Grey gamma {gamma}"),
            b"cprt": _text("No copyright"),
            b"wtpt": _xyz(_D50),
            b"kTRC": _parametric(0, (gamma,)),
        },
    )


def _rgb_profile(description: str, primaries: tuple[tuple[float, float, float], ...]) -> bytes:
    curve = _parametric(3, _SRGB_CURVE)
    red, green, blue = primaries
    return _profile(
        b"RGB ",
        {
            b"desc": _text(description),
            b"cprt": _text("No copyright"),
            b"wtpt": _xyz(_D50),
            b"rXYZ": _xyz(red),
            b"gXYZ": _xyz(green),
            b"bXYZ": _xyz(blue),
            b"rTRC": curve,
            b"gTRC": curve,
            b"bTRC": curve,
        },
    )


def _profile(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    offset = 128 + 4 + 12 * len(tags)
    table, body = b"", b""
    for name, value in tags.items():
        table += struct.pack(">4sII", name, offset + len(body), len(value))
        body += value + bytes(-len(value) % 4)
    size = offset + len(body)
    date = struct.pack(">6H", 2020, 1, 1, 0, 0, 0)
    header = struct.pack(
        ">I4sI4s4s4s12s4s", size, bytes(4), 0x04300000, b"mntr", space, b"XYZ ", date, b"acsp"
    )
    header += bytes(28) + b"".join(_fixed(value) for value in _D50)
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def _fixed(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))


def _xyz(values: tuple[float, float, float]) -> bytes:
    return b"XYZ " + bytes(4) + b"".join(_fixed(value) for value in values)


def _parametric(kind: int, values: tuple[float, ...]) -> bytes:
    return struct.pack(">4s4xHxx", b"para", kind) + b"".join(_fixed(value) for value in values)


def _text(text: str) -> bytes:
    encoded = text.encode("utf-16-be")
    return struct.pack(">4s4xII2s2sII", b"mluc", 1, 12, b"en", b"US", len(encoded), 28) + encoded


ARTIST = b"A. Nonymous, who must not show"
"""The artist that `exif` names."""

_ORIENTATION = 0x0112
_ARTIST = 0x013B


def exif(orientation: int = 1, *, artist: bool = False) -> bytes:
    """An EXIF block, from its TIFF header on."""
    block = Image.Exif()
    if orientation != 1:
        block[_ORIENTATION] = orientation
    if artist:
        block[_ARTIST] = ARTIST.decode("ascii")
    return block.tobytes().removeprefix(b"Exif\0\0")


def xmp(body: str = "") -> bytes:
    """An XMP packet whose description element holds `body` as its attributes."""
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" {body}></rdf:Description>'
        "</rdf:RDF></x:xmpmeta>"
    ).encode()
