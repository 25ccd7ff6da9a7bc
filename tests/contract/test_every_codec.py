"""What holds for every format: the four promises, over synthetic cases and real files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from corpus import Case, Optimised, Refused, cases, photographs
from tests.promises import check
from tests.shared import corpus
from tests.viewer import view
from tinyjpg import (
    CorruptImageError,
    Format,
    ImageError,
    UnsupportedFormatError,
    optimize,
    probe,
)
from tinyjpg.options import Keep, Options

QUALITIES = (50, 80, 100)

# Pillow cannot show it, so its entropy-coded data has to be there byte for byte.
BEYOND_PILLOW = ("jpeg/twelve_bits_keep_every_pixel",)

# Cut off or damaged on purpose, which Pillow passes over in silence.
KNOWN_DAMAGED = ("truncated", "ultrahdr", "pngsuite__x")

# Viewers disagree about what it shows, and Pillow refuses it: it comes back as it is.
LEFT_ALONE = ("apng_sequence_repeat_chunk",)

# Each is optimised twice and played twice, which takes minutes for the longest animations: they
# have their turn where TINYJPG_LONG_TESTS is set.
_MOST_PIXELS = 10**9 if os.environ.get("TINYJPG_LONG_TESTS") else 25_000_000


def is_quick(path: Path) -> bool:
    """Whether the file has few enough pixels (frames counted) for a run of all tests."""
    try:
        return probe(path.read_bytes()).pixels <= _MOST_PIXELS
    except ImageError:
        return True


REAL = [
    path
    for path in (
        *(photograph.path() for photograph in photographs()),
        *corpus("logo_png", "ui_png", "photo_jpeg", "pngsuite", "webp", "gif", "oddities"),
        # The photographic PNGs are many megabytes and alike: every third will do.
        *corpus("photo_png")[::3],
    )
    if is_quick(path)
]


def check_or_refuse(path: Path, quality: int) -> None:
    """Assert the promises for a real file, or that an independent decoder rejects it too."""
    source = path.read_bytes()
    try:
        result = optimize(source, quality)
    except (CorruptImageError, UnsupportedFormatError):
        if not any(word in path.name for word in KNOWN_DAMAGED):
            with pytest.raises((OSError, ValueError, SyntaxError, EOFError)):
                view(source)
        return
    if any(word in path.name for word in LEFT_ALONE):
        assert result.data == source
        return
    check(source, result, quality)


@pytest.mark.parametrize("quality", QUALITIES)
@pytest.mark.parametrize("case", cases(), ids=str)
def test_a_synthetic_case_comes_out_as_its_name_says(case: Case, quality: int) -> None:
    source = case.make()
    expected = case.expectation
    if isinstance(expected, Refused):
        with pytest.raises(expected.error):
            optimize(source, quality)
        return
    result = optimize(source, quality)
    assert (result.width, result.height) == (expected.width, expected.height)
    assert not any(secret in result.data for secret in expected.drops)
    if case.name in BEYOND_PILLOW:
        scans = source.index(b"\xff\xda")
        assert result.data.endswith(source[scans:])
        return
    before, after = check(source, result, quality)
    assert after.size == (expected.width, expected.height)
    assert result.frames == expected.frames
    if expected.lossless:
        pairs = zip(before.frames, after.frames, strict=True)
        assert all(old.digest == new.digest for old, new in pairs)
    # Pillow overlooks some transparency (16-bit tRNS, cleared areas of a GIF).
    assert after.frames[0].opaque == before.frames[0].opaque


@pytest.mark.parametrize("path", REAL, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_real_file_keeps_the_promises(path: Path) -> None:
    check_or_refuse(path, 80)


@pytest.mark.parametrize("quality", [50, 100])
@pytest.mark.parametrize("path", REAL[::9], ids=lambda path: f"{path.parent.name}/{path.name}")
def test_other_qualities_keep_the_promises(path: Path, quality: int) -> None:
    check_or_refuse(path, quality)


@pytest.mark.parametrize("case", cases(), ids=str)
def test_keeping_everything_still_keeps_the_promises(case: Case) -> None:
    if not isinstance(case.expectation, Optimised):
        pytest.skip("this case is refused whatever is kept")
    source = case.make()
    options = Options(keep=frozenset({Keep.ALL}))
    result = optimize(source, 80, options=options)
    assert result.output_size <= len(source)
    assert optimize(result.data, 80, options=options).data == result.data
    if case.name not in BEYOND_PILLOW:
        assert view(result.data).size == view(source).size


@pytest.mark.parametrize("format", list(Format))
def test_every_format_has_cases_of_both_kinds(format: Format) -> None:
    kinds = {type(case.expectation) for case in cases() if case.format is format}
    assert kinds == {Optimised, Refused}
