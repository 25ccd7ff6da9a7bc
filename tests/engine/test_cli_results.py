"""What is written and reported: savings, dates, permissions, failures, table and JSON."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.command import GIF, JPEG, PNG, Command, contents, write
from tests.engine.hardship import file_size_limit, unprivileged
from tinyjpg import DeadlineExceededError
from tinyjpg.cli.text import human_seconds, human_share, human_size, printable

CUT = JPEG[: len(JPEG) // 2 - 3] + b"cut"
NAMES = [b"line\nbreak.jpg", b"caf\xe9 \xff.jpg", "\N{SNOWMAN}.jpg".encode(), b"\x1b[31mred.jpg"]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    return Command(monkeypatch, capfd)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def elsewhere(_here: None) -> Iterator[Path]:
    """The current folder, of a user for whom permission bits bind."""
    with unprivileged() as folder:
        yield folder


def test_below_min_savings_the_original_stays(command: Command, tmp_path: Path) -> None:
    write(tmp_path, {"a.jpg": JPEG})
    command.engine.share = 0.95
    report = command("optimize", "--json", "--in-place", "--min-savings", "10", "a.jpg")
    assert report.code == 0
    assert contents(tmp_path) == {"a.jpg": JPEG}
    line = report.lines[0]
    assert (line["status"], line["output_size"], line["saved"]) == ("kept", len(JPEG), 0)
    assert line["reason"] == "would save 5.0 %, less than 10 %"


def test_below_min_savings_the_original_is_copied(command: Command, tmp_path: Path) -> None:
    write(tmp_path, {"a.jpg": JPEG})
    command.engine.share = 0.95
    assert command("optimize", "-o", "out", "--min-savings", "10", "a.jpg").code == 0
    assert contents(tmp_path) == {"a.jpg": JPEG, "out/a.jpg": JPEG}


def test_from_min_savings_on_the_result_is_taken(command: Command, tmp_path: Path) -> None:
    write(tmp_path, {"a.jpg": JPEG})
    assert command("optimize", "--in-place", "--min-savings", "49.9", "a.jpg").code == 0
    assert contents(tmp_path) == {"a.jpg": CUT}


@pytest.mark.parametrize("flags", [["--in-place"], ["-o", "out"], []])
def test_already_optimal_is_success_and_the_tree_is_complete(
    command: Command, tmp_path: Path, flags: list[str]
) -> None:
    write(tmp_path, {"a.jpg": CUT})
    before = (tmp_path / "a.jpg").stat()
    report = command("optimize", "--json", *flags, "a.jpg")
    assert report.code == 0
    assert set(contents(tmp_path).values()) == {CUT}
    assert len(contents(tmp_path)) == (1 if flags == ["--in-place"] else 2)
    assert (tmp_path / "a.jpg").stat().st_mtime_ns == before.st_mtime_ns
    assert (tmp_path / "a.jpg").stat().st_ino == before.st_ino
    line = report.lines[0]
    assert (line["status"], line["saved"]) == ("already optimal", 0)


@pytest.mark.parametrize("flags", [["--in-place"], ["-o", "out/deep"], []])
@pytest.mark.parametrize("share", [0.5, 0.99])
def test_a_dry_run_writes_nothing(
    command: Command, tmp_path: Path, flags: list[str], share: float
) -> None:
    write(tmp_path, {"a.jpg": JPEG})
    command.engine.share = share
    report = command("optimize", "--dry-run", "--json", "--min-savings", "5", *flags, "a.jpg")
    assert report.code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["a.jpg"]
    assert contents(tmp_path) == {"a.jpg": JPEG}
    assert report.lines[0]["status"] == ("optimised" if share == 0.5 else "kept")
    assert "Nothing was written" in command("optimize", "--dry-run", "a.jpg").err


@pytest.mark.parametrize(
    ("flags", "result"),
    [(["--in-place"], "p/a.jpg"), (["-o", "out"], "out/a.jpg"), ([], "p/a.min.jpg")],
)
@pytest.mark.parametrize("keep", [True, False])
def test_dates_are_kept_when_asked(
    command: Command, tmp_path: Path, flags: list[str], result: str, keep: bool
) -> None:
    write(tmp_path, {"p/a.jpg": JPEG})
    times = (1_000_000_000_000_000_000, 1_100_000_000_000_000_000)
    os.utime("p/a.jpg", ns=times)
    command("optimize", *(["--keep-dates"] if keep else []), *flags, "p")
    status = (tmp_path / result).stat()
    assert ((status.st_atime_ns, status.st_mtime_ns) == times) is keep


@pytest.mark.parametrize(
    ("original", "result"), [(0o600, 0o600), (0o644, 0o644), (0o666, 0o644), (0o444, 0o644)]
)
def test_a_result_is_as_private_as_its_original(
    command: Command, tmp_path: Path, original: int, result: int
) -> None:
    write(tmp_path, {"a.jpg": JPEG})
    (tmp_path / "a.jpg").chmod(original)
    umask = os.umask(0o022)
    try:
        command("optimize", "-o", "out", "a.jpg")
    finally:
        os.umask(umask)
    assert stat.S_IMODE((tmp_path / "out" / "a.jpg").stat().st_mode) == result


def test_in_place_a_file_changed_meanwhile_is_not_overwritten(
    command: Command, tmp_path: Path
) -> None:
    write(tmp_path, {"a.jpg": JPEG})
    command.engine.on_image = lambda path: path.write_bytes(b"edited")
    report = command("optimize", "--json", "--in-place", "a.jpg")
    assert report.code == 1
    assert contents(tmp_path) == {"a.jpg": b"edited"}
    assert report.lines[0]["error"]["type"] == "FileChangedError"
    assert "changed by another program" in report.err


@pytest.mark.parametrize("flags", [["--in-place"], ["-o", "out"], []])
def test_a_full_disk_fails_the_file_and_leaves_the_rest(
    command: Command, tmp_path: Path, flags: list[str]
) -> None:
    # One result fits below the limit, the other does not.
    write(tmp_path, {"large.png": PNG, "small.gif": GIF})
    with file_size_limit(len(PNG) // 2 - 100):
        report = command("optimize", "--json", *flags, "large.png", "small.gif")
    assert report.code == 1
    after = contents(tmp_path)
    assert after["large.png"] == PNG
    assert sum(data.endswith(b"cut") for data in after.values()) == 1
    assert len(after) == (2 if flags == ["--in-place"] else 3)
    assert report.by_name()["large.png"]["status"] == "failed"
    assert report.by_name()["small.gif"]["status"] == "optimised"
    assert report.err.count("\n") == 1
    assert "tinyjpg: large.png: cannot write " in report.err
    assert "File too large" in report.err


def test_a_read_only_folder_fails_with_one_line(command: Command, elsewhere: Path) -> None:
    write(elsewhere, {"p/a.jpg": JPEG, "b.jpg": JPEG})
    (elsewhere / "p").chmod(0o555)
    report = command("optimize", "--in-place", "--quiet", "p", "b.jpg")
    assert report.code == 1
    assert contents(elsewhere) == {"p/a.jpg": JPEG, "b.jpg": CUT}
    assert report.err == "tinyjpg: p/a.jpg: cannot write p/a.jpg: Permission denied\n"


def test_a_write_protected_original_is_not_replaced(command: Command, elsewhere: Path) -> None:
    write(elsewhere, {"a.jpg": JPEG})
    (elsewhere / "a.jpg").chmod(0o444)
    report = command("optimize", "--in-place", "a.jpg")
    assert report.code == 1
    assert contents(elsewhere) == {"a.jpg": JPEG}
    assert "write-protected" in report.err


@pytest.mark.parametrize("path", ["p", "p/a.jpg"])
def test_an_unreadable_file_fails_and_the_others_go_on(
    command: Command, elsewhere: Path, path: str
) -> None:
    write(elsewhere, {"p/a.jpg": JPEG, "b.jpg": JPEG})
    (elsewhere / "p" / "a.jpg").chmod(0)
    report = command("optimize", "--json", "--in-place", path, "b.jpg")
    assert report.code == 1
    assert (elsewhere / "b.jpg").read_bytes() == CUT
    assert report.err == "tinyjpg: p/a.jpg: cannot read it: Permission denied\n"
    assert report.by_name()["a.jpg"]["error"] == {
        "type": "PermissionError",
        "message": "cannot read it: Permission denied",
    }


def test_an_unreadable_folder_fails_and_the_others_go_on(command: Command, elsewhere: Path) -> None:
    write(elsewhere, {"p/x/a.jpg": JPEG, "p/b.jpg": JPEG})
    (elsewhere / "p" / "x").chmod(0)
    report = command("optimize", "-r", "--in-place", "p")
    (elsewhere / "p" / "x").chmod(0o700)
    assert report.code == 1
    assert "tinyjpg: p/x: cannot read it: Permission denied" in report.err
    assert contents(elsewhere) == {"p/x/a.jpg": JPEG, "p/b.jpg": CUT}


def test_an_error_of_the_engine_is_told_in_its_words(command: Command, tmp_path: Path) -> None:
    write(tmp_path, {"a.jpg": JPEG})

    def fail(_: object) -> None:
        raise DeadlineExceededError("the deadline passed before anything")

    command.engine.on_image = fail
    report = command("optimize", "--json", "a.jpg")
    assert (report.code, report.err) == (1, "tinyjpg: a.jpg: the deadline passed before anything\n")
    assert report.lines[0]["error"]["type"] == "DeadlineExceededError"


def test_a_json_line_tells_all(command: Command, tmp_path: Path) -> None:
    write(tmp_path, {"a.jpg": JPEG})
    report = command("optimize", "--json", "-o", "out", "a.jpg")
    assert report.err == ""
    assert report.lines == [
        {
            "path": "a.jpg",
            "output": "out/a.jpg",
            "status": "optimised",
            "format": "jpeg",
            "width": 4,
            "height": 3,
            "frames": 1,
            "input_size": len(JPEG),
            "output_size": len(CUT),
            "saved": round(1 - len(CUT) / len(JPEG), 6),
            "method": "cut",
            "score": 81.25,
            "probes": 3,
            "elapsed": 0.5,
            "reason": None,
            "error": None,
        }
    ]


def test_the_last_json_line_sums_up(command: Command, tmp_path: Path) -> None:
    write(tmp_path, {"p/a.jpg": JPEG, "p/b.jpg": CUT, "p/n.txt": b"x", "broken.jpg": b"x"})
    report = command("optimize", "--json", "--in-place", "p", "broken.jpg")
    summary = report.summary
    assert summary.pop("elapsed") >= 0
    assert summary == {
        "images": 2,
        "optimised": 1,
        "already_optimal": 1,
        "kept": 0,
        "skipped": 1,
        "failed": 1,
        "input_size": len(JPEG) + len(CUT),
        "output_size": 2 * len(CUT),
        "saved": round(1 - 2 * len(CUT) / (len(JPEG) + len(CUT)), 6),
        "interrupted": False,
    }


@pytest.mark.parametrize("name", NAMES)
def test_json_survives_any_name(command: Command, tmp_path: Path, name: bytes) -> None:
    write(tmp_path, {f"p/{os.fsdecode(name)}": JPEG})
    report = command("optimize", "--json", "-o", "out", "p")
    assert report.out.isascii()
    assert report.out.count("\n") == 2
    line = json.loads(report.out.splitlines()[0])
    assert os.fsencode(line["path"]) == b"p/" + name
    assert Path(line["output"]).read_bytes() == CUT


@pytest.mark.parametrize("name", NAMES)
def test_the_terminal_survives_any_name(command: Command, tmp_path: Path, name: bytes) -> None:
    write(tmp_path, {f"p/{os.fsdecode(name)}": JPEG, f"not{os.fsdecode(name)}": b"broken"})
    report = command("optimize", "-o", "out", "p", f"not{os.fsdecode(name)}")
    assert report.code == 1
    for path in ("p/", "not"):
        assert f"{path}{printable(os.fsdecode(name))}" in report.err
    assert "\x1b" not in report.err
    assert "\udce9" not in report.err


def test_the_table_lists_files_in_the_order_of_the_command_line(
    command: Command, tmp_path: Path
) -> None:
    write(tmp_path, {"b.jpg": JPEG, "p/c.png": PNG, "p/a.gif": GIF, "done.jpg": CUT})
    report = command("optimize", "--in-place", "b.jpg", "p", "done.jpg")
    assert report.out == ""
    lines = report.err.splitlines()
    assert lines[0].split() == ["File", "Format", "Before", "After", "Saved", "Score", "Method"]
    assert [line.split()[0] for line in lines[1:5]] == ["b.jpg", "p/a.gif", "p/c.png", "done.jpg"]
    sizes = [human_size(len(JPEG)), human_size(len(CUT)), "50.0 %", "81.2", "cut"]
    assert lines[1].split()[1:] == ["JPEG", *" ".join(sizes).split()]
    assert lines[5].startswith("4 images: ")
    assert lines[6] == "3 optimised, 1 already optimal"


def test_without_a_flag_the_summary_says_where_the_results_are(
    command: Command, tmp_path: Path
) -> None:
    write(tmp_path, {"a.jpg": JPEG})
    assert "named NAME.min.EXT" in command("optimize", "a.jpg").err
    assert "NAME" not in command("optimize", "-o", "out", "a.jpg").err


def test_many_files_are_summed_up_unless_asked_for(command: Command, tmp_path: Path) -> None:
    write(tmp_path, {f"p/{number}.jpg": JPEG for number in range(51)} | {"broken.jpg": b"x"})
    report = command("optimize", "--in-place", "p", "broken.jpg")
    assert report.err.startswith("tinyjpg: broken.jpg: this is")
    assert len(report.err.splitlines()) == 3
    report = command("optimize", "--in-place", "-v", "p")
    assert len(report.err.splitlines()) == 1 + 51 + 2


def test_verbose_lists_what_is_skipped(command: Command, tmp_path: Path) -> None:
    write(tmp_path, {"a.jpg": JPEG, "out/a.jpg": b"mine"})
    flags = ["--overwrite", "never", "-o", "out", "a.jpg"]
    assert "the output exists" not in command("optimize", *flags).err
    assert "skipped: the output exists" in command("optimize", "-v", *flags).err


def test_quiet_prints_failures_alone(command: Command, tmp_path: Path) -> None:
    write(tmp_path, {"a.jpg": JPEG, "broken.jpg": b"x"})
    report = command("optimize", "--quiet", "a.jpg")
    assert (report.code, report.out, report.err) == (0, "", "")
    report = command("optimize", "--quiet", "a.jpg", "broken.jpg")
    assert (report.code, report.out, report.err.count("\n")) == (1, "", 1)


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_the_table_fits_the_terminal(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("TTY_INTERACTIVE", "0")
    monkeypatch.setenv("COLUMNS", str(columns))
    write(tmp_path, {f"{'deep/' * 20}IMG_{number}.jpg": JPEG for number in range(3)})
    report = command("optimize", "-r", "-o", "out", "deep")
    text = re.sub(r"\x1b\[[?0-9;]*[a-z]", "", report.err)
    table = text[text.index("File") :].splitlines()[:4]
    assert all(len(line) <= columns for line in table)
    assert all(f"IMG_{number}.jpg" in table[number + 1] for number in range(3))
    assert all("50.0 %" in line and "81.2" in line for line in table[1:])


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (34_200_000, "34.2 MB"),
        (5 * 10**15, "5000.0 TB"),
    ],
)
def test_sizes_are_decimal(size: int, text: str) -> None:
    assert human_size(size) == text


def test_shares_and_seconds_read_well() -> None:
    assert [human_share(share) for share in (0, 0.0002, 0.5, 1)] == [
        "0.0 %",
        "<0.1 %",
        "50.0 %",
        "100.0 %",
    ]
    assert [human_seconds(value) for value in (0.04, 59.9, 192, 3840)] == [
        "0.0 s",
        "59.9 s",
        "3 min 12 s",
        "1 h 4 min",
    ]
