"""The command as a process: real images, signals, pipes, a terminal, start-up."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pty
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.engine.command import (
    BUFFERED,
    COMMAND,
    GIF,
    JPEG,
    PATIENCE,
    PNG,
    UNBUFFERED,
    WEBP,
    contents,
    execute,
    write,
)
from tests.engine.processes import wait_for_death
from tests.images import encode, photo

linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@pytest.fixture(scope="module")
def slow() -> bytes:
    """An image that keeps a core busy for a while."""
    return encode(photo(900, 600), "JPEG", quality=97)


@contextlib.contextmanager
def running(*arguments: str | Path, **options: object) -> Iterator[subprocess.Popen[bytes]]:
    """The command, started; killed in the end should it still run."""
    process = subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,  # type: ignore[call-overload]
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def children_of(process: subprocess.Popen[bytes]) -> set[int]:
    tasks = Path(f"/proc/{process.pid}/task").iterdir()
    return {int(pid) for task in tasks for pid in (task / "children").read_text().split()}


def test_all_formats_become_smaller_and_stay_pictures(tmp_path: Path) -> None:
    originals = {"a.jpg": JPEG, "b.png": PNG, "x/c.gif": GIF, "x/d.webp": WEBP}
    write(tmp_path / "p", originals)
    report = execute("optimize", "-r", "--json", "-o", tmp_path / "out", tmp_path / "p")
    assert (report.code, report.err) == (0, "")
    results = contents(tmp_path / "out")
    assert set(results) == set(originals)
    for name, data in results.items():
        assert len(data) <= len(originals[name])
        with Image.open(io.BytesIO(data)) as image:
            image.load()
    assert len(results["a.jpg"]) < len(JPEG)
    assert report.summary["images"] == 4
    assert report.summary["output_size"] == sum(map(len, results.values()))
    for line in report.lines:
        assert line["format"] in {"jpeg", "png", "gif", "webp"}
        assert line["output_size"] == Path(line["output"]).stat().st_size


def test_a_second_run_in_place_changes_nothing(tmp_path: Path) -> None:
    write(tmp_path, {"a.jpg": JPEG})
    assert execute("optimize", "--in-place", tmp_path).code == 0
    once = contents(tmp_path)
    assert len(once["a.jpg"]) < len(JPEG)
    report = execute("optimize", "--in-place", "--json", tmp_path)
    assert (report.code, report.lines[0]["status"]) == (0, "already optimal")
    assert contents(tmp_path) == once


def test_standard_input_becomes_standard_output() -> None:
    done = subprocess.run(
        [*COMMAND, "optimize", "-"], input=JPEG, capture_output=True, timeout=PATIENCE, check=True
    )
    assert len(done.stdout) < len(JPEG)
    with Image.open(io.BytesIO(done.stdout)) as image:
        image.load()
        assert (image.format, image.size) == ("JPEG", (96, 64))
    assert b"1 image: " in done.stderr


def test_a_broken_image_on_standard_input_prints_nothing() -> None:
    done = subprocess.run(
        [*COMMAND, "optimize", "-"],
        input=JPEG[: len(JPEG) // 2],
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"tinyjpg: -: ")


@linux
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_ends_the_run_in_good_order(
    tmp_path: Path, slow: bytes, number: signal.Signals, code: int
) -> None:
    names = [f"{index:02}.jpg" for index in range(40)]
    write(tmp_path, dict.fromkeys(names, slow))
    with running("optimize", "--json", "--in-place", "-j", "2", tmp_path) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        workers = children_of(process)
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == code
    for worker in workers:
        wait_for_death(worker)
    lines = [json.loads(line) for line in [first, *out.splitlines()]]
    summary = lines.pop()["summary"]
    assert err == b""
    assert summary["interrupted"] is True
    assert 1 <= len(lines) == summary["images"] < len(names)
    # What is reported has been replaced, the rest is as it was, and nothing else is there.
    after = contents(tmp_path)
    assert sorted(after) == names
    replaced = {name for name, data in after.items() if data != slow}
    assert replaced == {Path(line["path"]).name for line in lines}
    for name in replaced:
        Image.open(tmp_path / name).load()


@linux
def test_a_background_job_ignores_the_interrupts_of_the_terminal(
    tmp_path: Path, slow: bytes
) -> None:
    names = [f"{index}.jpg" for index in range(3)]
    write(tmp_path, dict.fromkeys(names, slow))

    def ignore() -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    with running(
        "optimize", "--json", "--in-place", "-j", "1", tmp_path, preexec_fn=ignore
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
        assert process.returncode == 0
    assert slow not in contents(tmp_path).values()


@linux
@pytest.mark.parametrize("environment", [BUFFERED, UNBUFFERED], ids=["buffered", "unbuffered"])
def test_when_nobody_reads_on_the_run_ends_quietly(
    tmp_path: Path, slow: bytes, environment: dict[str, str]
) -> None:
    write(tmp_path, {f"{index:02}.jpg": slow for index in range(20)})
    flags = ["--json", "--in-place", "-j", "2"]
    with running("optimize", *flags, tmp_path, env=environment) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        workers = children_of(process)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(PATIENCE) == 128 + signal.SIGPIPE
    for worker in workers:
        wait_for_death(worker)
    assert slow in contents(tmp_path).values()
    assert all(name.endswith(".jpg") for name in contents(tmp_path))


def test_when_nobody_reads_the_table_the_run_ends_quietly(tmp_path: Path) -> None:
    write(tmp_path, {"a.jpg": JPEG})
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [*COMMAND, "optimize", str(tmp_path)],
            stderr=writer,
            env=BUFFERED,
            timeout=PATIENCE,
            check=False,
        )
    finally:
        os.close(writer)
    assert done.returncode == 128 + signal.SIGPIPE
    assert set(contents(tmp_path)) == {"a.jpg", "a.min.jpg"}


def test_a_disk_that_is_really_full_costs_nothing_but_the_result(tmp_path: Path) -> None:
    # A file system of 64 kB, seen by this process alone; the image leaves no room on it.
    script = (
        'mount -t tmpfs -o size=64k none "$1" && cp "$2" "$1/a.jpg" || exit 77\n'
        'head -c 60000 /dev/zero >"$1/filling" 2>&-\n'
        'shift 2; "$@"; code=$?\n'
        'cmp "$FROM" "$TO/a.jpg" && [ "$(ls -A "$TO" | wc -l)" = 2 ] || exit 78\n'
        "exit $code\n"
    )
    original, disk = tmp_path / "original.jpg", tmp_path / "disk"
    original.write_bytes(encode(photo(120, 80), "JPEG", quality=97))
    disk.mkdir()
    unshare = ["unshare", "--mount", "--map-root-user", "sh", "-c", script, "sh"]
    try:
        done = subprocess.run(
            [*unshare, disk, original, *COMMAND, "optimize", "--in-place", disk],
            capture_output=True,
            env={**os.environ, "FROM": str(original), "TO": str(disk)},
            timeout=PATIENCE,
            check=False,
        )
    except FileNotFoundError:
        pytest.skip("the system has no unshare")
    if done.returncode == 77 or b"unshare" in done.stderr:
        pytest.skip("this user may not mount a file system of its own")
    assert done.returncode == 1, done.stdout
    assert b"a.jpg: No space left on device" in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
@pytest.mark.parametrize("arguments", [["optimize", "--json", "a.jpg"], ["optimize", "-"]])
def test_a_full_disk_behind_standard_output_is_told(tmp_path: Path, arguments: list[str]) -> None:
    write(tmp_path, {"a.jpg": JPEG})
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*COMMAND, *arguments],
            input=JPEG,
            stdout=full,
            stderr=subprocess.PIPE,
            cwd=tmp_path,
            env=BUFFERED,
            timeout=PATIENCE,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == (b"tinyjpg: cannot write to standard output: No space left on device\n")


def on_a_terminal(*arguments: str | Path, stdout: int | None = None) -> tuple[int, str]:
    """Run the command with standard error, and unless told otherwise output, on a terminal."""
    ours, theirs = pty.openpty()
    seen = bytearray()

    def read() -> None:
        # On Linux a terminal whose other end is closed is an error, not an end.
        with contextlib.suppress(OSError):
            while select.select([ours], [], [], PATIENCE)[0] and (data := os.read(ours, 65536)):
                seen.extend(data)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        done = subprocess.run(
            [*COMMAND, *map(str, arguments)],
            stdin=theirs,
            stdout=theirs if stdout is None else stdout,
            stderr=theirs,
            env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", "LANG": "C.UTF-8"},
            timeout=PATIENCE,
            check=False,
        )
    finally:
        os.close(theirs)
        reader.join()
        os.close(ours)
    return done.returncode, seen.decode()


HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
BAR = "\N{BOX DRAWINGS HEAVY HORIZONTAL}"


def test_a_terminal_shows_a_bar_and_a_table(tmp_path: Path) -> None:
    write(tmp_path, {"a.jpg": JPEG})
    code, seen = on_a_terminal("optimize", tmp_path)
    assert code == 0
    assert BAR in seen
    assert "0/1" in seen
    assert "a.jpg" in seen
    assert "1 image: " in seen


def test_json_for_a_program_leaves_the_bar_to_people(tmp_path: Path) -> None:
    write(tmp_path, {"a.jpg": JPEG})
    with (tmp_path / "report").open("wb") as report:
        code, seen = on_a_terminal("optimize", "--json", tmp_path / "a.jpg", stdout=report.fileno())
    assert code == 0
    assert BAR in seen
    assert "1 image: " not in seen
    assert len((tmp_path / "report").read_text().splitlines()) == 2


def test_the_terminal_gets_its_cursor_back_when_nobody_reads_on(tmp_path: Path) -> None:
    write(tmp_path, {"a.jpg": JPEG, "b.jpg": JPEG})
    reader, writer = os.pipe()
    os.close(reader)
    try:
        code, seen = on_a_terminal("optimize", "--json", tmp_path, stdout=writer)
    finally:
        os.close(writer)
    assert code == 128 + signal.SIGPIPE
    assert seen.count(HIDE_CURSOR) == seen.count(SHOW_CURSOR) == 1
    assert "Traceback" not in seen


@pytest.mark.parametrize("flag", ["--quiet", "--json"])
def test_no_bar_disturbs_json_on_a_terminal_or_quiet(tmp_path: Path, flag: str) -> None:
    write(tmp_path, {"a.jpg": JPEG})
    code, seen = on_a_terminal("optimize", flag, tmp_path)
    assert code == 0
    assert BAR not in seen


def test_an_image_is_not_poured_into_a_terminal() -> None:
    code, seen = on_a_terminal("optimize", "-")
    assert code == 2
    assert "standard output is a terminal" in seen


def test_start_up_loads_neither_libvips_nor_numpy() -> None:
    program = (
        "import sys\n"
        "from tinyjpg.cli.app import run\n"
        "for arguments in (['--version'], ['--help'], ['optimize', '--help']):\n"
        "    assert run(arguments) == 0\n"
        "loaded = {'pyvips', 'numpy'} & set(sys.modules)\n"
        "assert not loaded, loaded\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, timeout=PATIENCE, check=False
    )
    assert (done.returncode, done.stderr.decode()) == (0, "")
    assert done.stdout.startswith(b"tinyjpg ")


def test_the_console_script_runs(tmp_path: Path) -> None:
    script = Path(sys.executable).with_name("tinyjpg")
    if not script.exists():
        pytest.skip("the package is not installed as a console script")
    done = subprocess.run(
        [script, "--version"], capture_output=True, timeout=PATIENCE, check=True, text=True
    )
    assert done.stdout.startswith("tinyjpg ")
    failed = subprocess.run(
        [script, "optimize", tmp_path / "nowhere"], capture_output=True, check=False
    )
    assert failed.returncode == 1
