"""The candidates for a GIF: stripped, packed losslessly, and with colours altered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from operator import attrgetter
from typing import Final

from tinyjpg.candidates import Candidate
from tinyjpg.codecs.gif_compare import check
from tinyjpg.codecs.gif_frames import Decoder
from tinyjpg.codecs.gif_lossy import cheapest_lossy
from tinyjpg.codecs.gif_pack import squeeze
from tinyjpg.containers.gif import GifHeader
from tinyjpg.containers.gif_blocks import COMMENT, Extension, Gif, write
from tinyjpg.containers.gif_marker import is_marker, marked
from tinyjpg.containers.gif_reader import read
from tinyjpg.options import Keep
from tinyjpg.source import Request

# Playing a GIF to verify it takes up to 20 bytes a pixel of its canvas.
_MOST_CANVAS_PIXELS: Final = 1 << 26


def candidates(data: bytes, header: GifHeader, request: Request) -> Iterator[Candidate]:
    """Ways to store the GIF `data`, each verified to show what it shows.

    Raises:
        CorruptImageError: image data is damaged or cut short.
        DeadlineExceededError: time ran out before the image was decoded once.
        MissingToolError: gifsicle is not installed.
    """
    gif = read(data)
    decoder = Decoder(request.deadline)
    agreed = check(gif, decoder)
    if header.doubts or not agreed:
        return
    stripped = _stripped(gif, request.keep)
    made_at = header.made_at
    yield _candidate(stripped, made_at, "stripped of metadata")
    settled = made_at is not None and made_at <= request.quality
    if settled or header.width * header.height > _MOST_CANVAS_PIXELS:
        return
    packed = squeeze(stripped, decoder)
    yield _candidate(packed, made_at, "packed losslessly by gifsicle")
    if request.lossless:
        return
    found = cheapest_lossy(packed, request, decoder)
    if found is not None:
        yield _candidate(found.gif, request.quality, found.method, found.score)


def _candidate(gif: Gif, made_at: int | None, method: str, score: float = 100.0) -> Candidate:
    return Candidate(write(gif if made_at is None else marked(gif, made_at)), method, score)


def _stripped(gif: Gif, keep: frozenset[Keep]) -> Gif:
    """`gif` without the extensions nobody asked to keep, stale marks and trailing bytes."""
    return replace(
        gif,
        loops=tuple(next(same) for _, same in groupby(gif.loops, key=attrgetter("repeats"))),
        extensions=tuple(one for one in gif.extensions if _is_kept(one, keep)),
        trailing=0,
    )


def _is_kept(extension: Extension, keep: frozenset[Keep]) -> bool:
    if is_marker(extension):
        return False
    return Keep.ALL in keep or (Keep.COPYRIGHT in keep and extension.label == COMMENT)
