"""Writing ICC profiles for colour spaces that a file describes in another way (ICC.1:2022)."""

from __future__ import annotations

import struct
from typing import Final

Point = tuple[float, float]
"""CIE 1931 x and y."""

Vector = tuple[float, float, float]
Matrix = tuple[Vector, Vector, Vector]

_D50: Final[Vector] = (0.9642, 1.0, 0.8249)
# The chromatic adaptation that ICC.1:2022, annex E, recommends (Bradford).
_BRADFORD: Final[Matrix] = (
    (0.8951, 0.2664, -0.1614),
    (-0.7502, 1.7135, 0.0367),
    (0.0389, -0.0685, 1.0296),
)
# IEC 61966-2-1 as a parametric curve of type 3: exponent, a, b, c, d.
_SRGB_CURVE: Final = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)

_HEADER: Final = ">I4sI4s4s4s12x4s4xI4x4x8xI3i48x"
_VERSION: Final = 0x04300000
_RELATIVE_COLORIMETRIC: Final = 1


def rgb_profile(
    white: Point, red: Point, green: Point, blue: Point, exponent: float | None
) -> bytes | None:
    """A profile for RGB code values; None where the points span no colours.

    Args:
        white, red, green, blue: chromaticities.
        exponent: of the code values, from 0 to 1, that gives linear light; None for the curve of
            sRGB.
    """
    try:
        columns = _adapted(white, (red, green, blue))
    except ZeroDivisionError:
        return None
    # What s15Fixed16 numbers, and any colour a screen could have, cannot exceed.
    if not all(abs(one) < 8 for column in columns for one in column):
        return None
    curve = _curve(exponent)
    tags = {b"wtpt": _xyz(_D50)}
    for name, column in zip(b"rgb", columns, strict=True):
        tags[bytes((name,)) + b"XYZ"] = _xyz(column)
        tags[bytes((name,)) + b"TRC"] = curve
    return _profile(tags)


def _profile(tags: dict[bytes, bytes]) -> bytes:
    at = 128 + 4 + 12 * len(tags)
    table, bodies = struct.pack(">I", len(tags)), b""
    for name, body in tags.items():
        table += struct.pack(">4sII", name, at + len(bodies), len(body))
        bodies += body + bytes(-len(body) % 4)
    header = struct.pack(
        _HEADER,
        at + len(bodies),
        b"",
        _VERSION,
        b"mntr",
        b"RGB ",
        b"XYZ ",
        b"acsp",
        0,
        _RELATIVE_COLORIMETRIC,
        *map(_fixed, _D50),
    )
    return header + table + bodies


def _curve(exponent: float | None) -> bytes:
    kind, numbers = (3, _SRGB_CURVE) if exponent is None else (0, (exponent,))
    return struct.pack(f">4s4xH2x{len(numbers)}i", b"para", kind, *map(_fixed, numbers))


def _xyz(vector: Vector) -> bytes:
    return struct.pack(">4s4x3i", b"XYZ ", *map(_fixed, vector))


def _fixed(number: float) -> int:
    """A number as s15Fixed16."""
    return round(number * 65536)


def _adapted(white: Point, primaries: tuple[Point, Point, Point]) -> Matrix:
    """The XYZ of each primary at full strength, as it looks where D50 is white."""
    seen = _xyz_of(white)
    columns = [_xyz_of(point) for point in primaries]
    # How much of each primary makes white.
    strengths = _times(_inverse(_transposed(columns)), seen)
    cones, wanted = _times(_BRADFORD, seen), _times(_BRADFORD, _D50)
    back = _inverse(_BRADFORD)

    def adapt(column: Vector, strength: float) -> Vector:
        response = _times(_BRADFORD, column)
        x, y, z = (
            strength * one * after / before
            for one, before, after in zip(response, cones, wanted, strict=True)
        )
        return _times(back, (x, y, z))

    red, green, blue = map(adapt, columns, strengths)
    return red, green, blue


def _xyz_of(point: Point) -> Vector:
    x, y = point
    return x / y, 1.0, (1 - x - y) / y


def _times(matrix: Matrix, vector: Vector) -> Vector:
    x, y, z = (sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix)
    return x, y, z


def _transposed(columns: list[Vector]) -> Matrix:
    first, second, third = zip(*columns, strict=True)
    return first, second, third


def _inverse(matrix: Matrix) -> Matrix:
    (a, b, c), (d, e, f), (g, h, i) = matrix
    determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
    return (
        (
            (e * i - f * h) / determinant,
            (c * h - b * i) / determinant,
            (b * f - c * e) / determinant,
        ),
        (
            (f * g - d * i) / determinant,
            (a * i - c * g) / determinant,
            (c * d - a * f) / determinant,
        ),
        (
            (d * h - e * g) / determinant,
            (b * g - a * h) / determinant,
            (a * e - b * d) / determinant,
        ),
    )
