"""What the flags ask of the engine, what they forbid each other, and `tinyjpg info`."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.engine.command import JPEG, PNG, Command, contents, write
from tests.images import encode, photo
from tinyjpg import Keep, Limits
from tinyjpg.cli.app import run
from tinyjpg.pool import DEFAULT_MEMORY, DEFAULT_TIMEOUT

MEBIBYTE = 1024 * 1024
FLAGS = (
    *("--quality", "--lossless", "--output", "--in-place", "--suffix", "--recursive", "--jobs"),
    *("--dry-run", "--json", "--min-savings", "--keep", "--keep-dates", "--overwrite", "--quiet"),
    *("--verbose", "--timeout", "--memory", "--max-input-bytes", "--max-pixels", "--max-frames"),
    "--effort",
)


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    return Command(monkeypatch, capfd)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, {"a.jpg": JPEG})


@pytest.mark.parametrize(
    ("flags", "quality"),
    [
        ([], 80),
        (["-q", "1"], 1),
        (["--quality", "90"], 90),
        (["--lossless"], 100),
        (["--lossless", "-q", "100"], 100),
    ],
)
def test_quality(command: Command, flags: list[str], quality: int) -> None:
    assert command("optimize", *flags, "a.jpg").code == 0
    assert command.engine.calls[0][0] == quality


@pytest.mark.parametrize(
    ("flags", "effort"), [([], 5), (["--effort", "1"], 1), (["--effort", "9"], 9)]
)
def test_effort(command: Command, flags: list[str], effort: int) -> None:
    assert command("optimize", *flags, "a.jpg").code == 0
    assert command.engine.calls[0][1].effort == effort


@pytest.mark.parametrize(
    ("flags", "keep"),
    [
        ([], set()),
        (["--keep", "copyright"], {Keep.COPYRIGHT}),
        (["--keep", "copyright,creation"], {Keep.COPYRIGHT, Keep.CREATION}),
        (
            ["--keep", "creation, location", "--keep", "all"],
            {Keep.CREATION, Keep.LOCATION, Keep.ALL},
        ),
    ],
)
def test_keep(command: Command, flags: list[str], keep: set[Keep]) -> None:
    assert command("optimize", *flags, "a.jpg").code == 0
    assert command.engine.calls[0][1].keep == keep


@pytest.mark.parametrize(
    ("flags", "pool", "deadline"),
    [
        ([], (None, DEFAULT_MEMORY, DEFAULT_TIMEOUT), None),
        (["-j", "3"], (3, DEFAULT_MEMORY, DEFAULT_TIMEOUT), None),
        (["--jobs", "1", "--memory", "512"], (1, 512 * MEBIBYTE, DEFAULT_TIMEOUT), None),
        (["--timeout", "20"], (None, DEFAULT_MEMORY, 20.0), 16.0),
    ],
)
def test_what_the_pool_may_cost(
    command: Command, flags: list[str], pool: tuple[object, ...], deadline: float | None
) -> None:
    assert command("optimize", *flags, "a.jpg").code == 0
    assert command.engine.pools == [pool]
    assert command.engine.calls[0][1].limits == Limits(deadline=deadline)


def test_limits(command: Command) -> None:
    flags = ["--max-input-bytes", "7", "--max-pixels", "8", "--max-frames", "9"]
    report = command("optimize", *flags, "a.jpg")
    limits = Limits(max_input_bytes=7, max_pixels=8, max_frames=9)
    assert command.engine.calls[0][1].limits == limits
    assert report.code == 1
    assert "the limit is 7" in report.err


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--lossless", "-q", "80"], "contradict"),
        (["-o", "out", "--in-place"], "exclude each other"),
        (["-o", "out", "--suffix", ".x"], "exclude each other"),
        (["--in-place", "--suffix", ".x"], "exclude each other"),
        (["--in-place", "--overwrite", "never"], "drop one"),
        (["--suffix", ""], "--suffix is empty"),
        (["--suffix", "/x"], "not part of a file name"),
        (["-q", "0"], "--quality"),
        (["-q", "101"], "--quality"),
        (["-q", "high"], "--quality"),
        (["--effort", "0"], "--effort"),
        (["--effort", "10"], "--effort"),
        (["-j", "0"], "--jobs"),
        (["--min-savings", "-1"], "--min-savings"),
        (["--min-savings", "101"], "--min-savings"),
        (["--min-savings", "nan"], "--min-savings"),
        (["--keep", "colour"], "--keep colour is unknown; choose from copyright"),
        (["--keep", "copyright,,all"], "--keep"),
        (["--overwrite", "maybe"], "--overwrite"),
        (["--timeout", "0"], "--timeout"),
        (["--memory", "1"], "--memory"),
        (["--max-pixels", "0"], "--max-pixels"),
        (["--colour"], "--colour"),
        ([""], "one of the names is empty"),
        (["-"], "stands alone"),
    ],
)
def test_a_wrong_command_line_is_refused(
    command: Command, tmp_path: Path, flags: list[str], message: str
) -> None:
    report = command("optimize", *flags, "a.jpg")
    assert (report.code, report.out) == (2, "")
    assert message in report.err
    assert contents(tmp_path) == {"a.jpg": JPEG}
    assert command.engine.seen == []


def test_without_arguments_help_is_shown(command: Command) -> None:
    report = command()
    assert (report.code, report.err) == (2, "")
    assert "optimize" in report.out


@pytest.mark.parametrize("arguments", [["optimize"], ["info"], ["optimise", "a.jpg"], ["--x"]])
def test_an_incomplete_command_line_is_refused(command: Command, arguments: list[str]) -> None:
    report = command(*arguments)
    assert (report.code, report.out) == (2, "")
    assert report.err.startswith("tinyjpg: ")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["-o", "out"], "writes standard output"),
        (["--in-place"], "writes standard output"),
        (["--suffix", ".x"], "writes standard output"),
        (["--json"], "carries the image"),
        (["-"], "stands alone"),
    ],
)
def test_standard_output_holds_the_image_alone(
    command: Command, flags: list[str], message: str
) -> None:
    report = command("optimize", *flags, "-")
    assert (report.code, report.out) == (2, "")
    assert message in report.err


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_names_every_flag(command: Command, flag: str) -> None:
    report = command("optimize", flag)
    assert report.code == 0
    for name in FLAGS:
        assert name in report.out


def feed(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def test_info_prints_a_line_each(command: Command, tmp_path: Path) -> None:
    write(tmp_path, {"b.png": encode(photo(20, 10), "PNG"), "c\n.jpg": JPEG})
    report = command("info", "a.jpg", "b.png", "c\n.jpg")
    assert (report.code, report.err) == (0, "")
    jpeg, png, odd = report.out.splitlines()
    assert jpeg.startswith("a.jpg: JPEG, 96 x 64 pixels, 8 bits, ")
    assert png.startswith("b.png: PNG, 20 x 10 pixels, 8 bits, ")
    assert odd.startswith("c\\n.jpg: JPEG")


def test_info_tells_what_a_viewer_shows(command: Command, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6
    turned = encode(photo(), "JPEG", exif=exif.tobytes(), icc_profile=bytes(200))
    write(tmp_path, {"turned.jpg": turned})
    report = command("info", "--json", "turned.jpg")
    (line,) = report.lines
    assert (line["width"], line["height"], line["orientation"]) == (64, 96, 6)
    assert (line["size"], line["icc_profile"]) == (len(turned), 200)
    assert line["exif"] > 0
    text = command("info", "turned.jpg").out
    assert "64 x 96 pixels" in text
    assert "orientation 6" in text
    assert "ICC profile of 200 B" in text


def test_info_is_no_judge_of_size(command: Command, tmp_path: Path) -> None:
    at = JPEG.index(b"\xff\xc0") + 5
    huge = JPEG[:at] + b"\xff\xff\xff\xff" + JPEG[at + 4 :]
    write(tmp_path, {"huge.jpg": huge})
    report = command("info", "huge.jpg")
    assert report.code == 0
    assert "65535 x 65535 pixels" in report.out


def test_info_goes_on_after_a_failure(command: Command, tmp_path: Path) -> None:
    write(tmp_path, {"notes.txt": b"hello"})
    names = ["notes.txt", "nowhere.jpg", ".", "a.jpg"]
    report = command("info", *names)
    assert report.code == 1
    assert report.out.startswith("a.jpg: JPEG")
    errors = report.err.splitlines()
    assert [line.split(":")[1].strip() for line in errors] == names[:3]
    report = command("info", "--json", *names)
    lines = [json.loads(line) for line in report.out.splitlines()]
    assert [line["path"] for line in lines] == names
    assert [line["error"] is None for line in lines] == [False, False, False, True]


def test_info_reads_standard_input(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    feed(monkeypatch, PNG)
    report = command("info", "-")
    assert (report.code, report.out[:7]) == (0, "-: PNG,")


def test_a_stream_that_is_too_long_is_refused(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed(monkeypatch, JPEG)
    report = command("optimize", "--max-input-bytes", str(len(JPEG) - 1), "-")
    assert (report.code, report.out) == (1, "")
    assert report.err.startswith("tinyjpg: -: the file has")


def test_a_stream_below_min_savings_passes_unchanged(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed(monkeypatch, JPEG)
    output = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(output))
    command.engine.share = 0.95
    assert run(["optimize", "--min-savings", "10", "-"]) == 0
    assert output.getvalue() == JPEG


def test_a_dry_run_of_a_stream_reports_alone(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed(monkeypatch, JPEG)
    report = command("optimize", "--dry-run", "--json", "-")
    assert report.code == 0
    assert (report.lines[0]["path"], report.lines[0]["output"]) == ("-", "-")
    assert report.lines[0]["status"] == "optimised"
