"""What users import, pinned; and the arguments of the one function."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest

import tinyjpg
from tests.images import encode, photo
from tinyjpg import (
    CorruptImageError,
    DeadlineExceededError,
    Format,
    ImageError,
    InvalidOptionError,
    Keep,
    LimitExceededError,
    Limits,
    Options,
    TinyJPGError,
    UnsupportedFormatError,
    optimize,
    probe,
)
from tinyjpg.candidates import Candidate, pick
from tinyjpg.limits import Deadline

PHOTO = encode(photo(), "JPEG", quality=97)


def test_the_public_names_are_these() -> None:
    assert sorted(tinyjpg.__all__) == [
        "CorruptImageError",
        "DeadlineExceededError",
        "Format",
        "Header",
        "ImageError",
        "InvalidOptionError",
        "Keep",
        "LimitExceededError",
        "Limits",
        "MissingToolError",
        "Options",
        "Outcome",
        "Pool",
        "Reference",
        "Result",
        "Similarity",
        "TinyJPGError",
        "UnsupportedFormatError",
        "WorkerError",
        "compare",
        "optimize",
        "optimize_many",
        "probe",
        "ssimulacra2",
    ]
    assert all(hasattr(tinyjpg, name) for name in tinyjpg.__all__)


def test_the_errors_form_one_tree() -> None:
    errors = [getattr(tinyjpg, name) for name in tinyjpg.__all__ if name.endswith("Error")]
    assert all(issubclass(error, TinyJPGError) for error in errors)
    assert issubclass(CorruptImageError, ImageError)
    assert issubclass(InvalidOptionError, ValueError)
    assert issubclass(DeadlineExceededError, TimeoutError)


def test_the_engine_never_imports_the_server() -> None:
    program = (
        "import sys, tinyjpg, tinyjpg.cli\n"
        "sys.exit(any(name.startswith('tinyjpg_server') for name in sys.modules))"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_bytes_are_taken(kind: type) -> None:
    assert optimize(kind(PHOTO)).data == optimize(PHOTO).data


def test_a_result_adds_up() -> None:
    result = optimize(PHOTO)
    assert result.format is Format.JPEG
    assert (result.width, result.height, result.frames) == (96, 64, 1)
    assert result.input_size == len(PHOTO)
    assert result.output_size == len(result.data)
    assert result.saved == pytest.approx(1 - len(result.data) / len(PHOTO))
    assert result.elapsed > 0


@pytest.mark.parametrize("quality", [0, 101, -1, 80.0, "80", None, True])
def test_a_quality_out_of_range_is_refused(quality: object) -> None:
    with pytest.raises(InvalidOptionError, match="1 to 100"):
        optimize(PHOTO, quality)  # type: ignore[arg-type]


@pytest.mark.parametrize("data", ["text", None, 3, np.zeros(4)])
def test_what_is_no_file_is_refused(data: object) -> None:
    with pytest.raises(InvalidOptionError, match="bytes of a file"):
        optimize(data)  # type: ignore[arg-type]


def test_unknown_metadata_is_refused() -> None:
    with pytest.raises(InvalidOptionError, match="cannot keep colour"):
        Options(keep=["colour"])  # type: ignore[arg-type]


def test_metadata_may_be_named_by_strings() -> None:
    assert Options(keep=["location", "all"]).keep == {Keep.LOCATION, Keep.ALL}  # type: ignore[arg-type]


@pytest.mark.parametrize("effort", [0, 10, -1, 5.0, "5", None, True])
def test_an_effort_out_of_range_is_refused(effort: object) -> None:
    with pytest.raises(InvalidOptionError, match="whole number from 1 to 9"):
        Options(effort=effort)  # type: ignore[arg-type]


def test_the_effort_is_five_unless_it_is_given() -> None:
    assert optimize(PHOTO).data == optimize(PHOTO, options=Options(effort=5)).data


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"", "an empty file"),
        (b"\0\0\0\x1cftypavif", "AVIF"),
        (b"\0\0\0\x1cftypheic", "HEIC"),
        (b"BM1234", "BMP"),
        (b"%PDF-1.7", "PDF"),
        (b"<svg xmlns=", "SVG"),
        (b"II*\0\x08\0\0\0", "TIFF"),
        (b"RIFF\0\0\0\0WAVE", "not WebP"),
        (b"hello world", "68 65 6c 6c 6f"),
    ],
)
def test_other_formats_are_named_and_refused(data: bytes, named: str) -> None:
    with pytest.raises(UnsupportedFormatError, match=named):
        optimize(data)


def test_a_file_over_the_byte_limit_is_refused_unread() -> None:
    with pytest.raises(LimitExceededError, match="max_input_bytes"):
        optimize(PHOTO, options=Options(limits=Limits(max_input_bytes=len(PHOTO) - 1)))
    optimize(PHOTO, options=Options(limits=Limits(max_input_bytes=len(PHOTO))))


def test_an_image_over_the_pixel_limit_is_refused_from_its_header() -> None:
    with pytest.raises(LimitExceededError, match="max_pixels"):
        optimize(PHOTO, options=Options(limits=Limits(max_pixels=96 * 64 - 1)))
    header_alone = PHOTO[: PHOTO.index(b"\xff\xda")] + b"\xff\xda\0\2garbage\xff\xd9"
    with pytest.raises(LimitExceededError, match="max_pixels"):
        probe(header_alone, Limits(max_pixels=96 * 64 - 1))


def test_frames_count_into_the_pixels() -> None:
    limits = Limits(max_pixels=100, max_frames=10)
    limits.check_dimensions(5, 5, 4)
    with pytest.raises(LimitExceededError, match="max_pixels"):
        limits.check_dimensions(5, 5, 5)
    with pytest.raises(LimitExceededError, match="max_frames"):
        limits.check_dimensions(1, 1, 11)


@pytest.mark.parametrize("wrong", [0, -1, 1.5, True, "9"])
def test_a_limit_has_to_be_positive(wrong: object) -> None:
    with pytest.raises(InvalidOptionError, match="max_pixels"):
        Limits(max_pixels=wrong)  # type: ignore[arg-type]
    with pytest.raises(InvalidOptionError, match="deadline"):
        Limits(deadline=0)


def test_a_deadline_that_allows_nothing_is_an_error() -> None:
    with pytest.raises(DeadlineExceededError, match=r"Limits\.deadline"):
        optimize(PHOTO, options=Options(limits=Limits(deadline=1e-9)))


def test_the_smallest_candidate_wins() -> None:
    original = Candidate(b"12345", "input", 100.0)
    small, smaller = Candidate(b"1234", "small", 100.0), Candidate(b"123", "smaller", 100.0)
    assert pick(original, [small, smaller], Deadline()) is smaller
    assert pick(original, [smaller, small], Deadline()) is smaller


def test_nothing_larger_or_equal_replaces_the_input() -> None:
    original = Candidate(b"12345", "input", 100.0)
    rivals = [Candidate(b"54321", "equal", 100.0), Candidate(b"123456", "larger", 100.0)]
    assert pick(original, rivals, Deadline()) is original
    assert pick(original, [], Deadline()) is original


def test_no_candidate_is_made_once_time_is_up() -> None:
    made = []

    def candidates() -> Iterator[Candidate]:
        for size in (4, 3, 2):
            made.append(size)
            yield Candidate(bytes(size), str(size), 100.0)

    best = pick(Candidate(bytes(5), "input", 100.0), candidates(), Deadline(at=0.0))
    assert made == [4]
    assert best.method == "4"


def test_what_was_found_before_time_ran_out_is_kept() -> None:
    def candidates() -> Iterator[Candidate]:
        yield Candidate(bytes(4), "found", 100.0)
        raise DeadlineExceededError("too late for the next")

    assert pick(Candidate(bytes(5), "input", 100.0), candidates(), Deadline()).method == "found"


def test_running_out_of_time_with_nothing_found_is_an_error() -> None:
    def candidates() -> Iterator[Candidate]:
        raise DeadlineExceededError("too late for any")
        yield

    with pytest.raises(DeadlineExceededError):
        pick(Candidate(bytes(5), "input", 100.0), candidates(), Deadline())
