"""JPEG: encoded anew at the quality asked for, or the same coefficients packed better.

What cannot be re-encoded without doubt (CMYK, odd colour spaces, 12-bit, arithmetic coding,
several pictures in one file) keeps its coefficients.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from tinyjpg.backends import mozjpeg, vips
from tinyjpg.candidates import Candidate
from tinyjpg.codecs import jpeg_pictures
from tinyjpg.codecs.jpeg_picture import Picture, strictly
from tinyjpg.codecs.jpeg_scales import scale_of
from tinyjpg.codecs.jpeg_search import smallest
from tinyjpg.codecs.jpeg_settled import is_packed, is_settled
from tinyjpg.containers import exif
from tinyjpg.containers.jpeg import (
    JpegHeader,
    Process,
    Segment,
    is_exif,
    is_icc,
    is_jfif,
    is_mark,
    parse,
)
from tinyjpg.containers.jpeg_writer import (
    exif_segment,
    icc_segments,
    insert_metadata,
    mark_segment,
    with_metadata,
)
from tinyjpg.formats import Format
from tinyjpg.limits import Deadline
from tinyjpg.options import Keep
from tinyjpg.source import Request

# Repacking saves 3 to 20 % of the entropy-coded data, so a lossy result below this fraction of
# it cannot be beaten.
_REPACKING_CANNOT_REACH: Final = 0.7
# An ICC profile is worth converting away where it is at least a fiftieth of the file.
_HEAVY_PROFILE: Final = 50
_HUFFMAN: Final = frozenset({Process.BASELINE, Process.EXTENDED, Process.PROGRESSIVE})


def candidates(data: bytes, header: JpegHeader, request: Request) -> Iterator[Candidate]:
    """See `codecs.Codec.candidates`."""
    if header.has_pictures_index or header.has_gain_map:
        yield from jpeg_pictures.candidates(data, header, request)
        return
    request.deadline.check("the JPEG could be decoded")
    metadata = _metadata(header, request.keep, header.orientation)
    if not _is_repackable(header):
        yield _without_metadata(data, header, metadata)
        return
    lossy = None
    if _may_be_lossy(header, request):
        lossy = _lossy(data, header, request)
        if lossy is not None:
            yield lossy
    else:
        strictly(lambda fail_on: vips.load(data, Format.JPEG, fail_on=fail_on).avg())
    entropy_coded = len(data) - header.metadata_size()
    if lossy is not None and len(lossy.data) < _REPACKING_CANNOT_REACH * entropy_coded:
        return
    yield _without_metadata(data, header, metadata)
    # Marked files are this engine's own, which a second pass leaves alone.
    if header.marked_quality is None and not is_packed(header):
        yield _repack(data, metadata, request.deadline)


def _without_metadata(data: bytes, header: JpegHeader, metadata: tuple[Segment, ...]) -> Candidate:
    return Candidate(with_metadata(data, header, metadata), "metadata removed", score=100.0)


def _metadata(header: JpegHeader, keep: frozenset[Keep], orientation: int) -> tuple[Segment, ...]:
    """The metadata segments of an output whose pixels still need `orientation` applied."""
    segments = [_minimal_jfif(one) for one in header.segments if is_jfif(one)][:1]
    if header.marked_quality is not None:
        segments += [one for one in header.segments if is_mark(one)]
    block = exif.select(header.exif, keep, orientation)
    if block is not None:
        segment = exif_segment(block) or exif_segment(
            exif.select(None, frozenset(), orientation) or b""
        )
        segments += [segment] if segment is not None else []
    if header.icc_profile is not None and not vips.is_srgb(header.icc_profile):
        segments += icc_segments(header.icc_profile)
    if Keep.ALL in keep:
        segments += [
            one
            for one in header.segments
            if one.is_metadata and not (is_jfif(one) or is_exif(one) or is_icc(one) or is_mark(one))
        ]
    return tuple(segments)


def _minimal_jfif(segment: Segment) -> Segment:
    """A JFIF segment (ITU-T T.871, 10.1) without its thumbnail."""
    if not segment.payload.startswith(b"JFIF\0") or len(segment.payload) < 14:
        return Segment(segment.marker, b"JFIF\0\1\1\0\0\1\0\1\0\0")
    return Segment(segment.marker, segment.payload[:12] + b"\0\0")


def _is_repackable(header: JpegHeader) -> bool:
    return (
        header.process in _HUFFMAN and header.bit_depth == 8 and len(header.components) in (1, 3, 4)
    )


def _may_be_lossy(header: JpegHeader, request: Request) -> bool:
    if request.lossless or len(header.components) == 4:
        return False
    if header.icc_profile is not None and not vips.is_ordinary(header.icc_profile):
        return False
    return not is_settled(header, request.quality)


def _lossy(data: bytes, header: JpegHeader, request: Request) -> Candidate | None:
    """The smallest file that was found to reach the quality."""
    picture = Picture(data, header)
    profile = picture.icc_profile
    is_converted = (
        profile is not None
        and len(profile) * _HEAVY_PROFILE >= len(data)
        and picture.convert_to_srgb()
    )
    found = smallest(picture, request)
    if found is None:
        return None
    kept = replace(header, marked_quality=None, icc_profile=picture.icc_profile)
    metadata = _metadata(kept, request.keep, orientation=1)
    made = with_metadata(found.jpeg, parse(found.jpeg), metadata)
    made = insert_metadata(made, (mark_segment(made, request.quality),))
    method = f"encoded at {scale_of(found.setting) / 256:.2f}, {found.manner}"
    return Candidate(
        made, f"converted to sRGB, {method}" if is_converted else method, score=found.score
    )


def _repack(data: bytes, metadata: tuple[Segment, ...], deadline: Deadline) -> Candidate:
    """The same coefficients in mozjpeg's best scans."""
    jpeg = mozjpeg.repack(data, deadline)
    return Candidate(with_metadata(jpeg, parse(jpeg), metadata), "repacked losslessly", score=100.0)
