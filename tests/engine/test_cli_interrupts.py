"""A signal ends a run between two files, never within one."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.engine.command import JPEG, Command, contents, write
from tinyjpg.cli import place
from tinyjpg.cli.interrupts import Interrupted, Interrupts
from tinyjpg.files import write_atomically

SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    return Command(monkeypatch, capfd)


def send(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_a_signal_raises(number: signal.Signals, code: int) -> None:
    with Interrupts(), pytest.raises(Interrupted, match=number.name) as caught:
        send(number)
    assert caught.value.exit_code == code


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_a_signal_that_is_held_raises_afterwards(number: signal.Signals, code: int) -> None:
    done: list[signal.Signals] = []

    def act() -> None:
        with interrupts.held():
            send(number)
            done.append(number)

    with Interrupts() as interrupts, pytest.raises(Interrupted) as caught:
        act()
    assert done == [number]
    assert caught.value.exit_code == code


def test_in_the_end_signals_are_ignored() -> None:
    with Interrupts() as interrupts:
        interrupts.end()
        for number, _ in SIGNALS:
            send(number)


def test_former_handlers_come_back() -> None:
    before = [signal.getsignal(number) for number, _ in SIGNALS]
    with Interrupts():
        assert [signal.getsignal(number) for number, _ in SIGNALS] != before
    assert [signal.getsignal(number) for number, _ in SIGNALS] == before


def test_what_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Interrupts():
            send(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_file_that_is_being_replaced_is_finished_and_reported(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, {"a.jpg": JPEG, "b.jpg": JPEG})

    def write_and_interrupt(path: Path, data: bytes, **options: tuple[int, int] | None) -> None:
        send(signal.SIGINT)
        assert options == {"times_ns": None}
        write_atomically(path, data)

    monkeypatch.setattr(place, "write_atomically", write_and_interrupt)
    report = command("optimize", "--json", "--in-place", "a.jpg", "b.jpg")
    assert report.code == 130
    assert [(line["path"], line["status"]) for line in report.lines] == [("a.jpg", "optimised")]
    assert report.summary["interrupted"] is True
    after = contents(tmp_path)
    assert after["a.jpg"].endswith(b"cut")
    assert after["b.jpg"] == JPEG
