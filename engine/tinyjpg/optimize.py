"""The whole story on one page: sniff, probe, let candidates compete, pick, return."""

from __future__ import annotations

import time

from tinyjpg.candidates import Candidate, pick
from tinyjpg.codecs import CODECS
from tinyjpg.errors import InvalidOptionError
from tinyjpg.formats import sniff
from tinyjpg.limits import Deadline, Limits
from tinyjpg.options import Options, check_quality
from tinyjpg.result import Result
from tinyjpg.source import Header, Request

BytesLike = bytes | bytearray | memoryview

ALREADY_OPTIMAL = "already optimal"


def optimize(data: BytesLike, quality: int = 80, *, options: Options | None = None) -> Result:
    """Return the smallest file, in the same format, that looks like `data`.

    Args:
        data: a whole JPEG, PNG, WebP or GIF file.
        quality: 1 to 100. The SSIMULACRA2 score aimed at: 80 is not noticeable side by side,
            90 visually lossless, 100 pixel-identical.
        options: metadata to keep, limits and effort; see `Options`.

    Raises:
        InvalidOptionError: `quality` or the type of `data` is wrong.
        UnsupportedFormatError: `data` is not a JPEG, PNG, WebP or GIF.
        CorruptImageError: `data` is truncated or damaged.
        LimitExceededError: the image is larger than `options.limits` allow.
        DeadlineExceededError: time ran out before anything could be verified.
        MissingToolError: a native part of the engine is not installed.
    """
    started = time.perf_counter()
    options = options or Options()
    request = Request(
        quality=check_quality(quality),
        keep=options.keep,
        effort=options.effort,
        deadline=Deadline.after(options.limits.deadline),
    )
    original = as_bytes(data)
    header = probe(original, options.limits)
    winner = pick(
        Candidate(original, ALREADY_OPTIMAL, score=100.0),
        CODECS[header.format].candidates(original, header, request),
        request.deadline,
    )
    width, height = header.upright_size
    return Result(
        data=winner.data,
        format=header.format,
        width=width,
        height=height,
        frames=header.frames,
        input_size=len(original),
        method=winner.method,
        score=winner.score,
        probes=request.tally.probes,
        elapsed=time.perf_counter() - started,
    )


def probe(data: BytesLike, limits: Limits | None = None) -> Header:
    """Read the header of an image, decoding nothing, and check it against `limits`.

    Raises:
        UnsupportedFormatError: `data` is not a JPEG, PNG, WebP or GIF.
        CorruptImageError: the header is damaged.
        LimitExceededError: the image is larger than `limits` allow.
    """
    limits = limits or Limits()
    limits.check_size(len(data))
    original = as_bytes(data)
    header: Header = CODECS[sniff(original)].probe(original)
    limits.check_dimensions(header.width, header.height, header.frames)
    return header


def as_bytes(data: BytesLike) -> bytes:
    """`data` as bytes, copied only where it is not bytes already.

    Raises:
        InvalidOptionError: it is of another type.
    """
    if isinstance(data, bytes):
        return data
    if isinstance(data, (bytearray, memoryview)):
        return bytes(data)
    raise InvalidOptionError(
        f"data is {type(data).__name__}; give the bytes of a file, as from Path.read_bytes()"
    )
