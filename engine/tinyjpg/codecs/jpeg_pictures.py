"""JPEG files of several pictures (MPF, Ultra HDR gain maps): all packed losslessly, or none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tinyjpg.backends import mozjpeg, vips
from tinyjpg.candidates import Candidate
from tinyjpg.containers import exif, mpf
from tinyjpg.containers.jpeg import (
    JpegHeader,
    Process,
    Segment,
    is_exif,
    is_jfif,
    is_mpf,
    is_xmp,
    parse,
)
from tinyjpg.containers.jpeg_writer import bare, exif_segment, with_metadata
from tinyjpg.errors import CorruptImageError
from tinyjpg.formats import Format
from tinyjpg.options import Keep
from tinyjpg.source import Request

# The container directory of an Ultra HDR file (XMP) repeats the length of each further picture.
_ITEM_LENGTH: Final = re.compile(rb'(Item:Length(?:="|>))(\d+)')


@dataclass(frozen=True, slots=True)
class _Picture:
    data: bytes
    header: JpegHeader


def candidates(data: bytes, header: JpegHeader, request: Request) -> Iterator[Candidate]:
    """See `codecs.Codec.candidates`; yields nothing where a picture might not survive."""
    request.deadline.check("the JPEG could be decoded")
    with vips.decoding(Format.JPEG):
        _decode(data).avg()
    index = _index(header)
    if index is None:
        return
    pictures = _pictures(data, index)
    if pictures is None:
        return
    packed = tuple(_pack(picture, request) for picture in pictures)
    joined = _join(index, pictures, packed)
    if _same_pictures(pictures, joined):
        yield Candidate(joined, f"{len(pictures)} pictures repacked losslessly", score=100.0)


def _index(header: JpegHeader) -> mpf.PictureIndex | None:
    segment = next((one for one in header.segments if is_mpf(one)), None)
    return None if segment is None else mpf.read(segment)


def _pictures(data: bytes, index: mpf.PictureIndex) -> tuple[_Picture, ...] | None:
    """The pictures of the file; None where the index is wrong or leaves bytes unaccounted for."""
    places = index.places(mpf.header_offset(data, index))
    starts = [place.start for place in places]
    if starts != sorted(set(starts)) or starts[0] != 0:
        return None
    pictures = []
    for start, end in zip(starts, [*starts[1:], len(data)], strict=True):
        try:
            header = parse(data[start:end])
        except CorruptImageError:
            return None
        if data[end - header.trailing : end].strip(b"\0"):
            return None
        pictures.append(_Picture(data[start : end - header.trailing], header))
    return tuple(pictures)


def _pack(picture: _Picture, request: Request) -> bytes:
    metadata = _metadata(picture.header, request.keep)
    stripped = with_metadata(picture.data, picture.header, metadata)
    packable = picture.header.process in (Process.BASELINE, Process.EXTENDED, Process.PROGRESSIVE)
    if not packable or picture.header.bit_depth != 8:
        return stripped
    repacked = mozjpeg.repack(bare(picture.data, picture.header), request.deadline)
    packed = with_metadata(repacked, parse(repacked), metadata)
    return min(stripped, packed, key=len)


def _metadata(header: JpegHeader, keep: frozenset[Keep]) -> tuple[Segment, ...]:
    """All metadata, for it ties the pictures together, but what EXIF tells of the photographer."""
    segments = list(header.segments)
    if Keep.ALL not in keep:
        segments = [one for one in segments if not is_exif(one)]
        block = exif.select(header.exif, keep, header.orientation)
        segment = None if block is None else exif_segment(block)
        if segment is not None:
            after_jfif = 1 if segments and is_jfif(segments[0]) else 0
            segments.insert(after_jfif, segment)
    return tuple(one for one in segments if one.is_metadata)


def _join(
    index: mpf.PictureIndex, pictures: tuple[_Picture, ...], packed: tuple[bytes, ...]
) -> bytes:
    """One file of the packed pictures, every place in it that tells a length or offset renewed."""
    lengths = {len(old.data): len(new) for old, new in zip(pictures[1:], packed[1:], strict=True)}
    first = parse(packed[0])
    metadata = tuple(
        _with_lengths(one, lengths) if is_xmp(one) else one
        for one in first.segments
        if one.is_metadata
    )
    primary = with_metadata(packed[0], first, metadata)
    places = [mpf.Place(0, len(primary))]
    for other in packed[1:]:
        places.append(mpf.Place(places[-1].start + places[-1].size, len(other)))
    renewed = index.moved(tuple(places), mpf.header_offset(primary, index))
    metadata = tuple(renewed if is_mpf(one) else one for one in metadata)
    return b"".join((with_metadata(packed[0], first, metadata), *packed[1:]))


def _with_lengths(segment: Segment, lengths: dict[int, int]) -> Segment:
    def renew(match: re.Match[bytes]) -> bytes:
        length = int(match[2])
        return match[1] + str(lengths.get(length, length)).encode()

    return Segment(segment.marker, _ITEM_LENGTH.sub(renew, segment.payload))


def _same_pictures(pictures: tuple[_Picture, ...], joined: bytes) -> bool:
    index = _index(parse(joined))
    renewed = None if index is None else _pictures(joined, index)
    return (
        renewed is not None
        and len(renewed) == len(pictures)
        and all(
            _same_picture(old.data, new.data) for old, new in zip(pictures, renewed, strict=True)
        )
    )


def _same_picture(old: bytes, new: bytes) -> bool:
    with vips.decoding(Format.JPEG):
        return vips.equal(_decode(old), _decode(new))


def _decode(jpeg: bytes) -> vips.Image:
    return vips.load(jpeg, Format.JPEG, fail_on="error")
