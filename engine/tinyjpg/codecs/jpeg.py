"""JPEG: mozjpeg at the quality asked for, or the same coefficients packed better.

What cannot be re-encoded without doubt (CMYK, odd colour spaces, 12-bit, arithmetic coding,
several pictures in one file) keeps its coefficients.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final, TypeVar

from tinyjpg import calibration
from tinyjpg.backends import mozjpeg, vips
from tinyjpg.candidates import Candidate
from tinyjpg.codecs import jpeg_pictures
from tinyjpg.containers import exif
from tinyjpg.containers.jpeg import (
    JpegHeader,
    Process,
    QuantisationTable,
    Segment,
    exif_segment,
    icc_segments,
    insert_metadata,
    is_exif,
    is_icc,
    is_jfif,
    parse,
    with_metadata,
)
from tinyjpg.errors import CorruptImageError
from tinyjpg.formats import Format
from tinyjpg.limits import Deadline
from tinyjpg.options import Keep
from tinyjpg.source import Request

T = TypeVar("T")

# Scan optimisation makes mozjpeg 40 % slower for 1.1 % fewer bytes (measured on 121 MP of camera
# photos): worth it only where the wait is not felt.
_SCAN_OPTIMISATION_PIXELS: Final = 1_000_000
# Steps of mozjpeg's quality scale by which the source must be finer than the target before
# another generation of loss is worth having.
_FINER_BY: Final = 3
# Repacking saves 3 to 20 % of the entropy-coded data, so a lossy result below this fraction of
# it cannot be beaten.
_REPACKING_CANNOT_REACH: Final = 0.7
# libjpeg's tables differ most in high frequencies, which matter least: compare the low ones.
_LOW_FREQUENCIES: Final = tuple(
    8 * down + across for down in range(6) for across in range(6 - down)
)
# An ICC profile is worth converting away where it is at least a fiftieth of the file.
_HEAVY_PROFILE: Final = 50
_CONVERSION_PIXELS: Final = 16_000_000
_CHROMA: Final = {"on": "4:2:0", "off": "4:4:4"}
_HUFFMAN: Final = frozenset({Process.BASELINE, Process.EXTENDED, Process.PROGRESSIVE})
# Left-over bytes after a complete scan: some cameras pad there, nothing is lost.
_HARMLESS: Final = re.compile(r"Corrupt JPEG data: \d+ extraneous bytes before marker 0x\w\w; ")


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
        lossy = _encode(data, header, request)
        yield lossy
        yield from _encode_as_srgb(data, header, request)
    else:
        _strictly(lambda fail_on: _decode(data, fail_on).avg())
    entropy_coded = len(data) - header.metadata_size()
    if lossy is not None and len(lossy.data) < _REPACKING_CANNOT_REACH * entropy_coded:
        return
    yield _without_metadata(data, header, metadata)
    if not _is_from_mozjpeg(header):
        yield _repack(data, metadata, request.deadline)


def _without_metadata(data: bytes, header: JpegHeader, metadata: tuple[Segment, ...]) -> Candidate:
    return Candidate(with_metadata(data, header, metadata), "metadata removed", score=100.0)


def _metadata(header: JpegHeader, keep: frozenset[Keep], orientation: int) -> tuple[Segment, ...]:
    """The metadata segments of an output whose pixels still need `orientation` applied."""
    segments = [_minimal_jfif(one) for one in header.segments if is_jfif(one)][:1]
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
            if one.is_metadata and not (is_jfif(one) or is_exif(one) or is_icc(one))
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
    return not _is_settled(header, request.quality)


def _is_settled(header: JpegHeader, quality: int) -> bool:
    """Whether the quantisation tables say that the source is at or below `quality` already."""
    target, _ = _settings(quality)
    return header.luma_table is not None and _coarseness(header.luma_table) >= _coarseness(
        _luma_table(min(100, target + _FINER_BY - 1))
    )


def _settings(quality: int) -> tuple[int, str]:
    """mozjpeg's Q and libvips' subsample mode for `quality`."""
    if quality <= calibration.JPEG_420_MAX_QUALITY:
        return round(calibration.JPEG_420.at(quality)), "on"
    return round(calibration.JPEG_444.at(quality)), "off"


@functools.cache
def _luma_table(q: int) -> QuantisationTable:
    """The luma table mozjpeg uses at its quality `q`, read from a picture it made."""
    grey = vips.black(8, 8)
    table = parse(vips.save(grey, Format.JPEG, Q=q, quant_table=3, keep="none")).luma_table
    assert table is not None  # noqa: S101  (mozjpeg always writes one)
    return table


def _coarseness(table: QuantisationTable) -> float:
    """Mean binary logarithm of the low-frequency quantisers."""
    return sum(math.log2(max(1, table[i])) for i in _LOW_FREQUENCIES) / len(_LOW_FREQUENCIES)


def _is_from_mozjpeg(header: JpegHeader) -> bool:
    """Whether mozjpeg made the file as this module does: packing its scans anew is not worth it.

    Leaving such files alone is also what makes a second pass return the same bytes.
    """
    return header.process is Process.PROGRESSIVE and header.luma_table in _tables_of_mozjpeg()


@functools.cache
def _tables_of_mozjpeg() -> frozenset[QuantisationTable]:
    return frozenset(_luma_table(q) for q in range(1, 101))


def _encode(data: bytes, header: JpegHeader, request: Request) -> Candidate:
    q, subsample_mode = _settings(request.quality)
    grey = len(header.components) == 1 or _has_equal_channels(data, header)
    jpeg = _strictly(
        lambda fail_on: _mozjpeg(
            _upright(data, header, fail_on), header, q, "on" if grey else subsample_mode, grey
        )
    )
    return Candidate(
        insert_metadata(jpeg, _metadata(header, request.keep, orientation=1)),
        f"mozjpeg Q{q} {'greyscale' if grey else _CHROMA[subsample_mode]}",
    )


def _encode_as_srgb(data: bytes, header: JpegHeader, request: Request) -> Iterator[Candidate]:
    """The picture without its profile, where that weighs much and sRGB holds all its colours."""
    profile = header.icc_profile
    if profile is None or len(header.components) != 3 or vips.is_srgb(profile):
        return
    if len(profile) * _HEAVY_PROFILE < len(data) or header.pixels > _CONVERSION_PIXELS:
        return
    with vips.decoding(Format.JPEG):
        image = vips.in_srgb(
            vips.upright(_decode(data, "error", sequential=False), header.orientation)
        )
    if image is None:
        return
    q, subsample_mode = _settings(request.quality)
    metadata = _metadata(replace(header, icc_profile=None), request.keep, orientation=1)
    yield Candidate(
        insert_metadata(_mozjpeg(image, header, q, subsample_mode, grey=False), metadata),
        f"converted to sRGB, mozjpeg Q{q} {_CHROMA[subsample_mode]}",
    )


def _mozjpeg(
    image: vips.Image, header: JpegHeader, q: int, subsample_mode: str, grey: bool
) -> bytes:
    if grey and image.bands == 3:
        image = image.extract_band(0).copy(interpretation="b-w")
    with vips.decoding(Format.JPEG):
        return vips.save(
            image,
            Format.JPEG,
            Q=q,
            interlace=True,
            optimize_coding=True,
            trellis_quant=True,
            overshoot_deringing=True,
            optimize_scans=header.pixels <= _SCAN_OPTIMISATION_PIXELS,
            quant_table=3,
            subsample_mode=subsample_mode,
            keep="none",
        )


def _upright(jpeg: bytes, header: JpegHeader, fail_on: str) -> vips.Image:
    if header.orientation == 1:
        return _decode(jpeg, fail_on)
    with vips.decoding(Format.JPEG):
        image = _decode(jpeg, fail_on, sequential=False)
        return vips.upright(image, header.orientation)


def _has_equal_channels(jpeg: bytes, header: JpegHeader) -> bool:
    """Whether R = G = B everywhere; colour is mostly found in a small strip of an eighth."""
    if header.icc_profile is not None and not vips.is_srgb(header.icc_profile):
        return False
    small = functools.partial(
        _decode, jpeg, "error", shrink=8 if min(header.width, header.height) >= 8 else 1
    )
    with vips.decoding(Format.JPEG):
        top = small()
        return (
            _is_grey(top.crop(0, 0, top.width, min(8, top.height)))
            and _is_grey(small())
            and _is_grey(_decode(jpeg, "error"))
        )


def _is_grey(image: vips.Image) -> bool:
    red, green, blue = image.bandsplit()
    return bool(((red != green) | (green != blue)).max() == 0)


def _repack(data: bytes, metadata: tuple[Segment, ...], deadline: Deadline) -> Candidate:
    """The same coefficients in mozjpeg's best scans."""
    jpeg = mozjpeg.repack(data, deadline)
    return Candidate(with_metadata(jpeg, parse(jpeg), metadata), "repacked losslessly", score=100.0)


def _decode(jpeg: bytes, fail_on: str, *, sequential: bool = True, shrink: int = 1) -> vips.Image:
    return vips.load(jpeg, Format.JPEG, sequential=sequential, fail_on=fail_on, shrink=shrink)


def _strictly(decode: Callable[[str], T]) -> T:
    """Call `decode` with libvips' strictest checks, and past damage that is none.

    Raises:
        CorruptImageError: the picture is truncated or damaged.
    """
    try:
        return _while_decoding(decode, "warning")
    except CorruptImageError as error:
        if _HARMLESS.search(str(error)) is None:
            raise
    return _while_decoding(decode, "error")


def _while_decoding(decode: Callable[[str], T], fail_on: str) -> T:
    with vips.decoding(Format.JPEG):
        return decode(fail_on)
