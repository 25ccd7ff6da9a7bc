"""A literal JPEG decoder and forward transform, slow and plain, to test the native encoder against.

Written from the standards: ITU-T T.81 for the stream and the DCT, ITU-T T.871 for colour. Rounding
is libjpeg's (jidctint.c, jdsample.c, jdcolor.c), which is what most viewers show. It reads only
what the encoder writes: baseline, or progressive without successive approximation.
"""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

ZIGZAG = sorted(
    range(64),
    key=lambda i: (
        i // 8 + i % 8,
        # Odd diagonals run down, even ones up.
        i // 8 if (i // 8 + i % 8) % 2 else i % 8,
    ),
)


@dataclass
class Component:
    """Levels are blocks down x blocks across x 64 in natural order, those of the last MCU too."""

    identifier: int
    across: int
    down: int
    steps: Ints
    levels: Ints = field(default_factory=lambda: np.zeros((0, 0, 64), np.int64))


@dataclass
class Decoded:
    """A file's frame header and levels."""

    width: int
    height: int
    progressive: bool
    components: list[Component]
    scans: list[tuple[tuple[int, ...], int, int]]

    @property
    def largest(self) -> tuple[int, int]:
        return max(one.across for one in self.components), max(one.down for one in self.components)

    def real_blocks(self, component: Component) -> tuple[int, int]:
        """Blocks down and across that hold samples."""
        across, down = self.largest
        height = divided_up(self.height * component.down, down)
        width = divided_up(self.width * component.across, across)
        return divided_up(height, 8), divided_up(width, 8)


def divided_up(value: int, by: int) -> int:
    """`value` / `by`, rounded up."""
    return -(-value // by)


def scan_bits(levels: Ints) -> int:
    """Bits of a progressive scan of such levels, blocks x zigzag order (T.81, G.1.2.2).

    With the best Huffman code, its table in a segment (DHT) that scans share, the scan header
    (SOS), and 4 bits to fill the last byte. The code that stays free counts as used once: up to 16
    bits too many.
    """
    counts: Counter[int] = Counter()
    extra, ended = 0, 0
    for block in [*levels.tolist(), None]:
        places = [] if block is None else [i for i, level in enumerate(block) if level]
        if ended and (places or block is None):
            size = ended.bit_length() - 1
            counts[size << 4] += 1
            extra += size
            ended = 0
        after = 0
        for place in places:
            zeros, size = place - after, int(abs(block[place])).bit_length()
            counts[0xF0] += zeros // 16
            counts[zeros % 16 << 4 | size] += 1
            extra += size
            after = place + 1
        ended += block is not None and after < len(block)
    used = [count for count in counts.values() if count]
    heap = sorted([*used, 1])
    coded = 0
    while len(heap) > 1:
        both = heapq.heappop(heap) + heapq.heappop(heap)
        coded += both
        heapq.heappush(heap, both)
    return coded + extra + 8 * (28 + len(used)) + 4


class _Bits:
    def __init__(self, data: bytes, at: int) -> None:
        self.data, self.at, self.held, self.count = data, at, 0, 0

    def bit(self) -> int:
        if self.count == 0:
            self.held, self.count = self.data[self.at], 8
            assert self.held != 0xFF or self.data[self.at + 1] == 0, "a marker among the bits"
            self.at += 2 if self.held == 0xFF else 1
        self.count -= 1
        return self.held >> self.count & 1

    def bits(self, count: int) -> int:
        value = 0
        for _ in range(count):
            value = value << 1 | self.bit()
        return value

    def symbol(self, codes: dict[tuple[int, int], int]) -> int:
        code = 0
        for length in range(1, 17):
            code = code << 1 | self.bit()
            if (length, code) in codes:
                return codes[length, code]
        raise AssertionError("no such code")

    def value(self, size: int) -> int:
        """T.81, F.2.2.1: EXTEND."""
        bits = self.bits(size)
        return bits if size == 0 or bits >> (size - 1) else bits - (1 << size) + 1


def decode(jpeg: bytes) -> Decoded:
    """The levels of a file."""
    assert jpeg[:2] == b"\xff\xd8"
    assert jpeg[-2:] == b"\xff\xd9"
    at = 2
    tables: dict[int, Ints] = {}
    codes: dict[tuple[int, int], dict[tuple[int, int], int]] = {}
    decoded: Decoded | None = None
    while jpeg[at + 1] != 0xD9:
        assert jpeg[at] == 0xFF
        marker, length = jpeg[at + 1], int.from_bytes(jpeg[at + 2 : at + 4], "big")
        body = jpeg[at + 4 : at + 2 + length]
        at += 2 + length
        if marker == 0xDB:
            for i in range(0, len(body), 65):
                steps = np.zeros(64, np.int64)
                steps[ZIGZAG] = list(body[i + 1 : i + 65])
                tables[body[i]] = steps
        elif marker == 0xC4:
            while body:
                end = 17 + sum(body[1:17])
                codes[body[0] >> 4, body[0] & 15] = _codes(body[1:17], body[17:end])
                body = body[end:]
        elif marker in (0xC0, 0xC2):
            assert decoded is None
            decoded = _frame(body, tables, progressive=marker == 0xC2)
        elif marker == 0xDA:
            assert decoded is not None
            at = _scan(decoded, body, codes, jpeg, at)
        else:
            assert 0xE0 <= marker <= 0xEF or marker == 0xFE
    assert at == len(jpeg) - 2
    assert decoded is not None
    return decoded


def _codes(counts: bytes, symbols: bytes) -> dict[tuple[int, int], int]:
    """T.81, annex C."""
    assert sum(counts) == len(symbols)
    found: dict[tuple[int, int], int] = {}
    code, at = 0, 0
    for length, count in enumerate(counts, start=1):
        for _ in range(count):
            # A code of all ones is not allowed.
            assert code != (1 << length) - 1
            found[length, code] = symbols[at]
            code, at = code + 1, at + 1
        code <<= 1
    return found


def _frame(body: bytes, tables: dict[int, Ints], *, progressive: bool) -> Decoded:
    assert body[0] == 8
    components = [
        Component(body[i], body[i + 1] >> 4, body[i + 1] & 15, tables[body[i + 2]])
        for i in range(6, 6 + 3 * body[5], 3)
    ]
    height, width = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
    decoded = Decoded(width, height, progressive, components, [])
    across, down = decoded.largest
    for one in components:
        shape = (
            divided_up(height, 8 * down) * one.down,
            divided_up(width, 8 * across) * one.across,
            64,
        )
        one.levels = np.zeros(shape, np.int64)
    return decoded


def _scan(
    decoded: Decoded,
    body: bytes,
    codes: dict[tuple[int, int], dict[tuple[int, int], int]],
    jpeg: bytes,
    at: int,
) -> int:
    chosen = [
        (next(one for one in decoded.components if one.identifier == body[i]), body[i + 1])
        for i in range(1, 1 + 2 * body[0], 2)
    ]
    first, last, approximation = body[-3:]
    assert approximation == 0
    decoded.scans.append((tuple(one.identifier for one, _ in chosen), first, last))
    bits = _Bits(jpeg, at)
    previous = {one.identifier: 0 for one, _ in chosen}
    run = 0
    for component, table, row, column in _order(decoded, chosen):
        block = component.levels[row, column]
        k = first
        if k == 0:
            size = bits.symbol(codes[0, table >> 4])
            previous[component.identifier] += bits.value(size)
            block[0] = previous[component.identifier]
            k = 1
        if run:
            run -= 1
            continue
        while k <= last:
            symbol = bits.symbol(codes[1, table & 15])
            zeros, size = symbol >> 4, symbol & 15
            if size == 0 and zeros < 15:
                assert zeros == 0 or decoded.progressive
                run = (1 << zeros) + bits.bits(zeros) - 1
                break
            k += zeros
            block[ZIGZAG[k]] = bits.value(size)
            assert size or zeros == 15
            k += 1
    assert run == 0
    # The last byte is filled with ones.
    assert bits.bits(bits.count) == (1 << bits.count) - 1 or bits.count == 0
    return bits.at


def _order(
    decoded: Decoded, chosen: list[tuple[Component, int]]
) -> list[tuple[Component, int, int, int]]:
    """T.81, A.2: one component in rows of blocks, several in MCUs."""
    if len(chosen) == 1:
        component, table = chosen[0]
        down, across = decoded.real_blocks(component)
        return [(component, table, row, column) for row in range(down) for column in range(across)]
    component, _ = chosen[0]
    mcus = (component.levels.shape[0] // component.down, component.levels.shape[1])
    return [
        (one, table, one.down * y + v, one.across * x + h)
        for y in range(mcus[0])
        for x in range(mcus[1] // component.across)
        for one, table in chosen
        for v in range(one.down)
        for h in range(one.across)
    ]


def shown(decoded: Decoded) -> npt.NDArray[np.uint8]:
    """Height x width x 1 or 3."""
    largest = decoded.largest
    planes = []
    for one in decoded.components:
        down, across = decoded.real_blocks(one)
        plane = np.zeros((8 * down, 8 * across), np.int64)
        for row in range(down):
            for column in range(across):
                block = inverse((one.levels[row, column] * one.steps).reshape(8, 8))
                plane[8 * row : 8 * row + 8, 8 * column : 8 * column + 8] = block
        height = divided_up(decoded.height * one.down, largest[1])
        width = divided_up(decoded.width * one.across, largest[0])
        plane = plane[:height, :width]
        if one.across != largest[0]:
            plane = upsampled_2x2(plane) if one.down != largest[1] else upsampled_2x1(plane)
        planes.append(plane[: decoded.height, : decoded.width])
    if len(planes) == 1:
        return planes[0].astype(np.uint8)[..., None]
    luma, blue, red = planes[0], planes[1] - 128, planes[2] - 128
    return (
        np.stack(
            [
                luma + ((91881 * red + 32768) >> 16),
                luma + ((-22554 * blue - 46802 * red + 32768) >> 16),
                luma + ((116130 * blue + 32768) >> 16),
            ],
            axis=-1,
        )
        .clip(0, 255)
        .astype(np.uint8)
    )


def inverse(block: Ints) -> Ints:
    """The inverse DCT of jidctint.c: 8 x 8 coefficients to samples 0 to 255."""
    columns = np.stack([_inverse_8(block[:, i], 11) for i in range(8)], axis=1)
    rows = np.stack([_inverse_8(columns[i], 18) for i in range(8)])
    return (rows + 128).clip(0, 255)


def _inverse_8(x: Ints, shift: int) -> Ints:
    def fix(value: float) -> int:
        return int(value * 8192 + 0.5)

    z1 = (x[2] + x[6]) * fix(0.541196100)
    tmp2, tmp3 = z1 - x[6] * fix(1.847759065), z1 + x[2] * fix(0.765366865)
    tmp0, tmp1 = (x[0] + x[4]) << 13, (x[0] - x[4]) << 13
    even = (tmp0 + tmp3, tmp1 + tmp2, tmp1 - tmp2, tmp0 - tmp3)
    z1, z2, z3, z4 = x[7] + x[1], x[5] + x[3], x[7] + x[3], x[5] + x[1]
    z5 = (z3 + z4) * fix(1.175875602)
    z1, z2 = -z1 * fix(0.899976223), -z2 * fix(2.562915447)
    z3, z4 = z5 - z3 * fix(1.961570560), z5 - z4 * fix(0.390180644)
    odd = (
        x[1] * fix(1.501321110) + z1 + z4,
        x[3] * fix(3.072711026) + z2 + z3,
        x[5] * fix(2.053119869) + z2 + z4,
        x[7] * fix(0.298631336) + z1 + z3,
    )
    sums = [one + other for one, other in zip(even, odd, strict=True)]
    differences = [one - other for one, other in zip(even, odd, strict=True)]
    half = 1 << (shift - 1)
    return np.array([(one + half) >> shift for one in (*sums, *differences[::-1])], np.int64)


def upsampled_2x1(plane: Ints) -> Ints:
    """h2v1_fancy_upsample of jdsample.c."""
    height, width = plane.shape
    if width <= 2:
        return plane.repeat(2, axis=1)
    out = np.zeros((height, 2 * width), np.int64)
    for x in range(width):
        left, right = plane[:, max(x - 1, 0)], plane[:, min(x + 1, width - 1)]
        out[:, 2 * x] = plane[:, 0] if x == 0 else (3 * plane[:, x] + left + 1) >> 2
        out[:, 2 * x + 1] = plane[:, -1] if x == width - 1 else (3 * plane[:, x] + right + 2) >> 2
    return out


def upsampled_2x2(plane: Ints) -> Ints:
    """h2v2_fancy_upsample of jdsample.c."""
    height, width = plane.shape
    if width <= 2:
        return plane.repeat(2, axis=0).repeat(2, axis=1)
    out = np.zeros((2 * height, 2 * width), np.int64)
    for y in range(2 * height):
        other = min(max(y // 2 + (1 if y % 2 else -1), 0), height - 1)
        sums = 3 * plane[y // 2] + plane[other]
        for x in range(width):
            out[y, 2 * x] = (
                (4 * sums[x] + 8) >> 4 if x == 0 else (3 * sums[x] + sums[x - 1] + 8) >> 4
            )
            out[y, 2 * x + 1] = (
                (4 * sums[x] + 7) >> 4 if x == width - 1 else (3 * sums[x] + sums[x + 1] + 7) >> 4
            )
    return out


# ---- In floating point ----

_DCT = np.array(
    [
        [(0.125**0.5 if u == 0 else 0.5) * np.cos((2 * x + 1) * u * np.pi / 16) for x in range(8)]
        for u in range(8)
    ]
)


def ideal_planes(decoded: Decoded) -> list[npt.NDArray[np.uint8]]:
    """Samples of each component by the exact inverse DCT (T.81, A.3.3), not upsampled."""
    largest = decoded.largest
    planes = []
    for one in decoded.components:
        down, across = decoded.real_blocks(one)
        blocks = (one.levels * one.steps)[:down, :across].reshape(down, across, 8, 8)
        plane = (_DCT.T @ blocks @ _DCT).swapaxes(1, 2).reshape(8 * down, 8 * across) + 128
        height = divided_up(decoded.height * one.down, largest[1])
        width = divided_up(decoded.width * one.across, largest[0])
        planes.append(plane[:height, :width].round().clip(0, 255).astype(np.uint8))
    return planes


def coefficients(plane: Floats) -> Floats:
    """DCT (T.81, A.3.3) of samples 0 to 255: blocks down x blocks across x 64.

    A plane that is not made of whole blocks is continued by its last samples.
    """
    height, width = plane.shape
    padded = np.pad(plane, ((0, -height % 8), (0, -width % 8)), mode="edge") - 128
    down, across = padded.shape[0] // 8, padded.shape[1] // 8
    blocks = padded.reshape(down, 8, across, 8).swapaxes(1, 2)
    transformed: Floats = _DCT @ blocks @ _DCT.T
    return transformed.reshape(down, across, 64)


def to_ycc(rgb: Floats) -> Floats:
    """T.871, 7: code values 0 to 255 to luma and two of chroma, not rounded."""
    matrix = np.array(
        [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]]
    )
    planes: Floats = rgb @ matrix.T + np.array([0, 128, 128])
    return planes


def linear(codes: Floats) -> Floats:
    """Linear light of sRGB code values by the encoder's cubic."""
    share = codes / 255
    return share * (share * (share * 0.305306011 + 0.682171111) + 0.012522878)


def codes(light: Floats) -> Floats:
    """The inverse of `linear`."""
    steps = np.linspace(0, 255, 4081)
    return np.interp(light, linear(steps), steps)
