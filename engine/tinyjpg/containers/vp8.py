"""The headers of WebP's two bitstreams, VP8 (RFC 6386) and VP8L (RFC 9649, section 3).

A VP8 key frame carries its quantisers in a bool-coded header; from them follows the libwebp
quality it was encoded at. No pixel is decoded.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from tinyjpg.errors import CorruptImageError

_VP8_START_CODE: Final = b"\x9d\x01\x2a"
_VP8_FIXED_HEADER: Final = 10
_VP8L_SIGNATURE: Final = 0x2F
_VP8L_FIXED_HEADER: Final = 5
_SEGMENTS: Final = 4
_MOST_QUANTISER: Final = 127


@dataclass(frozen=True, slots=True)
class LossyHeader:
    """What a VP8 key frame says of itself.

    Attributes:
        width, height: pixels.
        coded: its first partition, which opens with the bool-coded frame header.
    """

    width: int
    height: int
    coded: bytes


@dataclass(frozen=True, slots=True)
class Quantisers:
    """How coarsely a VP8 key frame is quantised.

    Attributes:
        indices: quantiser index (0 fine to 127 coarse) of each segment; one without segments.
        weights: expected fraction of the macroblocks in each segment; they sum to 1.
    """

    indices: tuple[int, ...]
    weights: tuple[float, ...]

    @property
    def quality(self) -> float:
        """The libwebp quality, 0 to 100, that leads to these quantisers; +-1.

        libwebp maps quality to a compression factor c and gives segment i the quantiser
        127 (1 - c^e_i), where the weighted mean of the e_i is 1 whatever the content: so the
        weighted mean of the logarithms gives c back.
        """
        logarithm = sum(
            weight * math.log(max(1 - (index + 0.5) / _MOST_QUANTISER, 1e-3))
            for index, weight in zip(self.indices, self.weights, strict=True)
        )
        linear = math.exp(logarithm) ** 3
        return 100 * (1.5 * linear if linear < 0.5 else (linear + 1) / 2)


@dataclass(frozen=True, slots=True)
class LosslessHeader:
    """What a VP8L stream says of itself: its size in pixels, and whether it uses alpha."""

    width: int
    height: int
    has_alpha: bool


def parse_vp8(payload: bytes) -> LossyHeader:
    """Read the header of a VP8 chunk's payload.

    Raises:
        CorruptImageError: it is not a complete, visible key frame.
    """
    if len(payload) < _VP8_FIXED_HEADER:
        raise _corrupt(f"its VP8 frame has only {len(payload)} bytes")
    tag = int.from_bytes(payload[:3], "little")
    if tag & 1 or not tag >> 4 & 1 or (tag >> 1 & 7) > 3:
        raise _corrupt("its VP8 frame is not a visible key frame")
    if payload[3:6] != _VP8_START_CODE:
        raise _corrupt("its VP8 start code is wrong")
    first_partition = tag >> 5
    if first_partition > len(payload) - _VP8_FIXED_HEADER:
        raise _corrupt("its first VP8 partition is truncated")
    width = int.from_bytes(payload[6:8], "little") & 0x3FFF
    height = int.from_bytes(payload[8:10], "little") & 0x3FFF
    if not width or not height:
        raise _corrupt(f"its VP8 frame is {width} x {height} pixels")
    coded = payload[_VP8_FIXED_HEADER : _VP8_FIXED_HEADER + first_partition]
    return LossyHeader(width, height, coded)


def parse_vp8l(payload: bytes) -> LosslessHeader:
    """Read the header of a VP8L chunk's payload.

    Raises:
        CorruptImageError: it does not start a VP8L stream of version 0.
    """
    if len(payload) < _VP8L_FIXED_HEADER or payload[0] != _VP8L_SIGNATURE:
        raise _corrupt("its VP8L stream does not start with the VP8L signature")
    bits = int.from_bytes(payload[1:5], "little")
    if bits >> 29:
        raise _corrupt(f"its VP8L stream is of unknown version {bits >> 29}")
    return LosslessHeader((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, bool(bits >> 28 & 1))


def _corrupt(found: str) -> CorruptImageError:
    return CorruptImageError(f"the WebP image is damaged: {found}; export or download it again")


def quantisers(header: LossyHeader) -> Quantisers:
    """Read the quantisers from the frame header (RFC 6386, sections 9.2 to 9.6)."""
    bits = _BoolDecoder(header.coded)
    bits.literal(2)  # colour space, clamping type
    changes: list[int] | None = None
    absolute = False
    weights: tuple[float, ...] = (1.0,)
    if bits.flag():
        has_map = bits.flag()
        if bits.flag():
            absolute = bits.flag()
            changes = [bits.optional_signed(7) for _ in range(_SEGMENTS)]
            for _ in range(_SEGMENTS):
                bits.optional_signed(6)
        if has_map:
            weights = _segment_weights(
                *(bits.literal(8) if bits.flag() else 255 for _ in range(_SEGMENTS - 1))
            )
    bits.literal(10)  # loop filter: type, level, sharpness
    if bits.flag() and bits.flag():
        for _ in range(2 * _SEGMENTS):
            bits.optional_signed(6)
    bits.literal(2)  # number of partitions
    base = bits.literal(7)
    if changes is None or len(weights) == 1:
        first = base if changes is None else changes[0] + (0 if absolute else base)
        return Quantisers((_clamped(first),), (1.0,))
    indices = tuple(_clamped(one + (0 if absolute else base)) for one in changes)
    return Quantisers(indices, weights)


def _segment_weights(either: int, low: int, high: int) -> tuple[float, ...]:
    """Expected share of each segment, from the tree probabilities (of 256) that code them."""
    first, second, third = either / 255, low / 255, high / 255
    return (
        first * second,
        first * (1 - second),
        (1 - first) * third,
        (1 - first) * (1 - third),
    )


def _clamped(quantiser: int) -> int:
    return min(max(quantiser, 0), _MOST_QUANTISER)


class _BoolDecoder:
    """The boolean entropy decoder (RFC 6386, section 7); past the end it reads zeros."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._value = int.from_bytes(data[:2].ljust(2, b"\0"), "big")
        self._next = 2
        self._range = 255
        self._shifted = 0

    def flag(self, probability: int = 128) -> bool:
        split = 1 + ((self._range - 1) * probability >> 8)
        bit = self._value >= split << 8
        if bit:
            self._range -= split
            self._value -= split << 8
        else:
            self._range = split
        while self._range < 128:
            self._range <<= 1
            self._value <<= 1
            self._shifted += 1
            if self._shifted == 8:
                self._shifted = 0
                if self._next < len(self._data):
                    self._value |= self._data[self._next]
                self._next += 1
        return bit

    def literal(self, bits: int) -> int:
        value = 0
        for _ in range(bits):
            value = value << 1 | self.flag()
        return value

    def optional_signed(self, bits: int) -> int:
        """A value of `bits` bits and a sign behind a flag; 0 where the flag is unset."""
        if not self.flag():
            return 0
        magnitude = self.literal(bits)
        return -magnitude if self.flag() else magnitude
