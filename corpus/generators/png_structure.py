"""PNG and APNG files written chunk by chunk: every colour type, bit depth and interlacing."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}

# Offset and step of the seven passes (PNG specification, 8.2 Adam7).
_PASSES = (
    (0, 0, 8, 8),
    (0, 4, 8, 8),
    (4, 0, 8, 4),
    (0, 2, 4, 4),
    (2, 0, 4, 2),
    (0, 1, 2, 2),
    (1, 0, 2, 1),
)

Samples = npt.NDArray[np.uint16] | npt.NDArray[np.uint8]
Chunk = tuple[bytes, bytes]


def chunk(name: bytes, payload: bytes = b"") -> bytes:
    """One chunk with its length and CRC."""
    return (
        struct.pack(">I", len(payload))
        + name
        + payload
        + struct.pack(">I", zlib.crc32(name + payload))
    )


def split(data: bytes) -> list[Chunk]:
    """The chunks of a file, as (name, payload)."""
    found = []
    at = len(SIGNATURE)
    while at < len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        found.append((name, data[at + 8 : at + 8 + length]))
        at += 12 + length
    return found


def join(chunks: Sequence[Chunk]) -> bytes:
    """The inverse of `split`."""
    return SIGNATURE + b"".join(chunk(name, payload) for name, payload in chunks)


def header(width: int, height: int, depth: int, colour: int, interlaced: bool = False) -> Chunk:
    """The IHDR chunk."""
    return b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)


def packed(samples: Samples, depth: int, *, interlaced: bool = False) -> bytes:
    """The zlib stream of IDAT: samples (height x width x channels) in rows, filter type Up."""
    passes = _passes(samples) if interlaced else iter([samples])
    return zlib.compress(b"".join(_filtered(part, depth) for part in passes), 6)


def _passes(samples: Samples) -> Iterator[Samples]:
    for top, left, down, across in _PASSES:
        part = samples[top::down, left::across]
        if part.size:
            yield part


def _filtered(samples: Samples, depth: int) -> bytes:
    rows = _rows(samples, depth).astype(np.int16)
    differences = rows.copy()
    differences[1:] -= rows[:-1]
    up = np.full((len(rows), 1), 2, np.uint8)
    return np.concatenate([up, (differences % 256).astype(np.uint8)], axis=1).tobytes()


def _rows(samples: Samples, depth: int) -> npt.NDArray[np.uint8]:
    flat = samples.reshape(len(samples), -1)
    if depth == 16:
        return flat.astype(">u2").view(np.uint8)
    if depth == 8:
        return flat.astype(np.uint8)
    bits = np.unpackbits(flat.astype(np.uint8)[..., None], axis=-1)[..., 8 - depth :]
    return np.packbits(bits.reshape(len(samples), -1), axis=1)


def encode(
    samples: Samples,
    colour: int,
    depth: int = 8,
    *,
    interlaced: bool = False,
    before: Sequence[Chunk] = (),
    behind_palette: Sequence[Chunk] = (),
    after: Sequence[Chunk] = (),
    palette: Sequence[tuple[int, int, int]] = (),
    pieces: int = 1,
) -> bytes:
    """A PNG file.

    Args:
        samples: height x width x channels (two dimensions for one channel), below 2 ** depth.
        colour: colour type, 0, 2, 3, 4 or 6.
        before: chunks between IHDR and PLTE.
        behind_palette: chunks between PLTE and IDAT.
        after: chunks between IDAT and IEND.
        pieces: how many IDAT chunks.
    """
    stream = packed(samples, depth, interlaced=interlaced)
    size = -(-len(stream) // pieces)
    return join(
        [
            header(samples.shape[1], samples.shape[0], depth, colour, interlaced),
            *before,
            *([(b"PLTE", bytes(np.array(palette, np.uint8).ravel()))] if palette else []),
            *behind_palette,
            *((b"IDAT", stream[at : at + size]) for at in range(0, len(stream), size)),
            *after,
            (b"IEND", b""),
        ]
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One frame of an APNG.

    Attributes:
        samples: as for `encode`.
        delay: numerator and denominator of the seconds shown.
        left, top: where it goes on the canvas.
        dispose: 0 leaves it, 1 clears its area, 2 restores what was there before.
        blend: 0 replaces the area, 1 draws over it.
    """

    samples: Samples
    delay: tuple[int, int] = (1, 10)
    left: int = 0
    top: int = 0
    dispose: int = 0
    blend: int = 0


def animate(
    frames: Sequence[Frame],
    colour: int,
    depth: int = 8,
    *,
    loops: int = 0,
    canvas: tuple[int, int] | None = None,
    palette: Sequence[tuple[int, int, int]] = (),
    behind_palette: Sequence[Chunk] = (),
    default_image: Samples | None = None,
) -> bytes:
    """An APNG file; with `default_image` viewers without animation show that, no frame of it."""
    first = frames[0].samples
    width, height = canvas or (first.shape[1], first.shape[0])
    chunks: list[Chunk] = [
        header(width, height, depth, colour),
        (b"acTL", struct.pack(">II", len(frames), loops)),
    ]
    if palette:
        chunks.append((b"PLTE", bytes(np.array(palette, np.uint8).ravel())))
    chunks.extend(behind_palette)
    if default_image is not None:
        chunks.append((b"IDAT", packed(default_image, depth)))
    sequence = 0
    for number, frame in enumerate(frames):
        rows, columns = frame.samples.shape[:2]
        control = struct.pack(
            ">IIIIIHHBB",
            sequence,
            columns,
            rows,
            frame.left,
            frame.top,
            *frame.delay,
            frame.dispose,
            frame.blend,
        )
        chunks.append((b"fcTL", control))
        sequence += 1
        stream = packed(frame.samples, depth)
        if number == 0 and default_image is None:
            chunks.append((b"IDAT", stream))
        else:
            chunks.append((b"fdAT", struct.pack(">I", sequence) + stream))
            sequence += 1
    return join([*chunks, (b"IEND", b"")])
