"""The corpus is what it says it is, judged by Pillow and by reading the bytes."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageOps
from PIL.Image import DecompressionBombError

from corpus import Case, Optimised, Photograph, Refused, cases, photographs
from corpus.generators.gif_structure import Frame, encode
from corpus.generators.pictures import grey_photo
from tinyjpg import Format, LimitExceededError

CASES = {case.name: case for case in cases()}
# Pillow reads no 12-bit JPEG.
UNREADABLE = {"jpeg/twelve_bits_keep_every_pixel"}
OPTIMISED = [
    case
    for case in CASES.values()
    if isinstance(case.expectation, Optimised) and case.name not in UNREADABLE
]
REFUSED = [case for case in CASES.values() if isinstance(case.expectation, Refused)]

# A picture with a gain map is one still picture to Pillow; its second is looked for below.
ONE_PICTURE_TO_PILLOW = {"jpeg/gain_map_is_kept"}
# Pillow counts the picture for viewers without animation as a frame.
DEFAULT_IMAGE = "png/animation_apart_from_its_default_image_keeps_both"
# Where a GIF clears an area, Pillow paints the background colour; every browser shows nothing.
CLEARED_AREAS = {
    "gif/patches_cleared_keep_every_frame",
    "gif/patches_on_a_cleared_screen_keep_every_frame",
}


def opened(data: bytes) -> Any:
    return Image.open(io.BytesIO(data))


def frames(image: Any) -> Iterator[Any]:
    for number in range(getattr(image, "n_frames", 1)):
        image.seek(number)
        image.load()
        yield image


def shows_through(image: Any) -> bool:
    if image.mode in ("I;16", "RGB") and isinstance(image.info.get("transparency"), (int, tuple)):
        return True
    return bool(image.convert("RGBA").getextrema()[3][0] < 255)


# --- the manifest -------------------------------------------------------------------------------


@pytest.mark.parametrize("photograph", photographs(), ids=str)
def test_photograph_is_the_one_in_the_manifest(photograph: Photograph) -> None:
    data = photograph.read()
    assert hashlib.sha256(data).hexdigest() == photograph.sha256
    image = opened(data)
    assert image.format == photograph.format.upper()
    assert image.size == (photograph.width, photograph.height)
    assert ("grey" in photograph.tags) == (image.mode == "L")
    assert photograph.format.value in photograph.tags
    assert photograph.licence
    assert photograph.source.startswith("http")


def test_manifest_has_both_formats_and_no_name_twice() -> None:
    names = [photograph.name for photograph in photographs()]
    assert len(set(names)) == len(names)
    assert len(photographs("jpeg")) >= 5
    assert len(photographs("png", "colour")) >= 4
    assert set(photographs("jpeg")).isdisjoint(photographs("png"))


def test_photograph_that_is_not_installed_says_what_to_do() -> None:
    known = photographs()[0]
    facts = {name: getattr(known, name) for name in known.__dataclass_fields__}
    for change in ({"package": "no-such-package"}, {"file": "no/such/file.jpg"}):
        with pytest.raises(FileNotFoundError, match=r"\./run setup"):
            Photograph(**{**facts, **change}).path()


# --- all cases ----------------------------------------------------------------------------------


def test_names_are_unique_and_begin_with_the_format() -> None:
    assert len(CASES) == len(cases())
    assert all(case.name.split("/")[0] == case.format.value for case in CASES.values())
    assert {case.format for case in CASES.values()} == set(Format)


def test_cases_are_the_same_in_every_process() -> None:
    program = (
        "import hashlib, corpus\n"
        "for case in corpus.cases():\n"
        "    print(case.name, hashlib.sha256(case.make()).hexdigest())\n"
    )
    root = Path(__file__).parents[2]
    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
    )
    theirs = dict(line.split() for line in answer.stdout.splitlines())
    ours = {name: hashlib.sha256(case.make()).hexdigest() for name, case in CASES.items()}
    assert theirs == ours


@pytest.mark.parametrize("case", OPTIMISED, ids=str)
def test_case_has_the_facts_it_states(case: Case) -> None:
    assert isinstance(case.expectation, Optimised)
    expected = case.expectation
    image = opened(case.make())
    assert image.format in {case.format.upper(), "MPO"}
    assert ImageOps.exif_transpose(image).size == (expected.width, expected.height)

    delays, translucent = [], False
    for number, frame in enumerate(frames(image)):
        if case.name == DEFAULT_IMAGE and number == 0:
            continue
        delays.append(frame.info.get("duration", 0))
        translucent = translucent or shows_through(frame)
    pictures = 1 if case.name in ONE_PICTURE_TO_PILLOW else expected.pictures
    assert len(delays) == max(expected.frames, pictures)
    assert case.name in CLEARED_AREAS or translucent == expected.alpha
    if expected.frames > 1:
        assert tuple(delays) == expected.delays
        assert image.info.get("loop") == expected.loops
    for word in expected.drops:
        assert word in case.make()


@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_refused_case_is_defective(case: Case) -> None:
    data = case.make()
    if case.name in LENIENT:
        assert LENIENT[case.name](data)
        return
    assert isinstance(case.expectation, Refused)
    too_large = case.expectation.error is LimitExceededError
    with pytest.raises(DecompressionBombError if too_large else OSError):
        list(frames(opened(data)))


def _lower_half_is_flat(data: bytes) -> bool:
    lower = np.asarray(opened(data))[48:].astype(int)
    return bool(np.ptp(lower[..., 0]) < 60 and (lower == lower[-1]).all())


def _fewer_rows_than_stated(data: bytes) -> bool:
    image = opened(data)
    image.load()
    return not np.asarray(image)[-1].any()


# What Pillow lets pass, and how the defect shows all the same.
LENIENT: dict[str, Callable[[bytes], bool]] = {
    "jpeg/last_rows_missing_is_refused": _lower_half_is_flat,
    "png/rows_missing_is_refused": _fewer_rows_than_stated,
    "png/missing_palette_is_refused": lambda data: b"PLTE" not in data,
    "png/frame_bomb_is_refused": lambda data: opened(data).n_frames > 5_000,
    "gif/frame_bomb_is_refused": lambda data: data.count(b"\x2c\0\0\0\0\1\0\1\0") > 5_000,
}


# --- the hand-made writers ----------------------------------------------------------------------


def colour_or_grey(data: bytes) -> npt.NDArray[np.uint8]:
    return np.asarray(opened(data).convert("RGBA"))


@pytest.mark.parametrize("name", [name for name in CASES if "_bit_interlaced_is_optim" in name])
def test_interlaced_png_shows_the_same_as_the_plain_one(name: str) -> None:
    plain = CASES[name.replace("_interlaced", "")].make()
    assert np.array_equal(colour_or_grey(CASES[name].make()), colour_or_grey(plain))


def test_gif_writer_writes_the_indices_it_is_given() -> None:
    indices = grey_photo(203, 131)
    palette = [(value, value, value) for value in range(256)]
    for interlaced in (False, True):
        data = encode([Frame(indices=indices, interlaced=interlaced)], palette)
        assert np.array_equal(np.asarray(opened(data).convert("L")), indices)
