"""JPEG files of several pictures: every picture survives, or the file is returned as it is."""

from __future__ import annotations

import io
import re
import struct

import numpy as np
import pytest
from PIL import Image, ImageSequence

from tests.images import Pixels, photo, shown
from tests.shared import corpus, needs_shared
from tinyjpg import CorruptImageError, optimize
from tinyjpg.codecs.jpeg_pictures import _index, _pictures
from tinyjpg.containers.jpeg import Segment, parse
from tinyjpg.containers.jpeg_writer import insert_metadata

XMP = b"http://ns.adobe.com/xap/1.0/\0"


def two_pictures() -> bytes:
    """A stereo file as Pillow writes it."""
    left, right = (Image.fromarray(photo(120, 80, seed)) for seed in (1, 2))
    stream = io.BytesIO()
    left.save(stream, "MPO", save_all=True, append_images=[right], quality=95)
    return stream.getvalue()


def with_gain_map() -> bytes:
    """A file as HDR cameras write it: an MPF index and XMP that both tell the gain map's length."""
    stream = io.BytesIO()
    Image.fromarray(photo(40, 30, 5)[..., 0]).save(stream, "JPEG", quality=95)
    gain_map = stream.getvalue()
    xmp = b'<x hdrgm:Version="1.0"><Item:Length="%d"/></x>' % len(gain_map)
    stream = io.BytesIO()
    Image.fromarray(photo(120, 80)).save(stream, "JPEG", quality=95)

    def index(size: int, offset: int) -> Segment:
        entries = struct.pack(
            ">IIIHHIIIHH", 0x030000, size, 0, 0, 0, 0, len(gain_map), offset, 0, 0
        )
        fields = struct.pack(">H", 2) + struct.pack(">HHII", 0xB001, 4, 1, 2)
        fields += struct.pack(">HHIII", 0xB002, 7, len(entries), 8 + 2 + 24 + 4, 0)
        return Segment(0xE2, b"MPF\0MM\0*" + struct.pack(">I", 8) + fields + entries)

    texts = (Segment(0xE1, XMP + xmp),)
    primary = insert_metadata(stream.getvalue(), (*texts, index(0, 0)))
    header_at = primary.index(b"MPF\0") + 4
    primary = insert_metadata(
        stream.getvalue(), (*texts, index(len(primary), len(primary) - header_at))
    )
    return primary + gain_map


def pictures(data: bytes) -> list[Pixels]:
    return [
        np.asarray(frame.copy()) for frame in ImageSequence.Iterator(Image.open(io.BytesIO(data)))
    ]


@pytest.mark.parametrize("quality", [40, 80, 100])
def test_both_pictures_of_a_stereo_file_survive(quality: int) -> None:
    source = two_pictures()
    result = optimize(source, quality)
    assert result.method == "2 pictures repacked losslessly"
    assert result.output_size < len(source)
    before, after = pictures(source), pictures(result.data)
    assert len(after) == 2
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    assert optimize(result.data, quality).data == result.data


@pytest.mark.parametrize("quality", [40, 80, 100])
def test_a_gain_map_and_its_length_in_the_metadata_survive(quality: int) -> None:
    source = with_gain_map()
    result = optimize(source, quality)
    index = _index(parse(result.data))
    assert index is not None
    found = _pictures(result.data, index)
    assert found is not None
    gain_map = found[1].data
    assert result.data.endswith(gain_map)
    assert result.output_size < len(source)
    told = re.search(rb'Item:Length="(\d+)"', result.data)
    assert told is not None
    assert int(told[1]) == len(gain_map)
    assert b"hdrgm:Version" in result.data
    assert np.array_equal(np.asarray(shown(result.data)), np.asarray(shown(source)))
    old_gain_map = source[source.rindex(b"\xff\xd8\xff") :]
    assert np.array_equal(np.asarray(shown(gain_map)), np.asarray(shown(old_gain_map)))
    assert optimize(result.data, quality).data == result.data


def test_an_index_that_points_elsewhere_leaves_the_file_as_it_is() -> None:
    source = with_gain_map()
    at = source.index(b"MPF\0") + 4 + 8 + 2 + 24 + 4 + 16 + 8
    broken = source[:at] + (12345).to_bytes(4, "big") + source[at + 4 :]
    result = optimize(broken, 60)
    assert result.data == broken
    assert result.method == "already optimal"


def test_unknown_bytes_between_the_pictures_leave_the_file_as_it_is() -> None:
    source = two_pictures()
    with_video = source + b"\0\0\0\x18ftypmp42 a motion photo's video"
    assert optimize(with_video, 60).data == with_video


def test_a_truncated_first_picture_is_refused() -> None:
    with pytest.raises(CorruptImageError):
        optimize(with_gain_map()[:900], 80)


@needs_shared
def test_real_gain_maps_survive() -> None:
    sources = [
        path.read_bytes()
        for path in corpus("oddities")
        if re.search("ultra-hdr|gain-map", path.name)
    ]
    assert sources
    for source in sources:
        result = optimize(source, 80)
        index = _index(parse(result.data))
        assert index is not None
        found = _pictures(result.data, index)
        assert found is not None
        assert len(found) == 2
        assert result.output_size < len(source)
        assert np.array_equal(np.asarray(shown(result.data)), np.asarray(shown(source)))
