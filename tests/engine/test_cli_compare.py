"""`tinyjpg compare`: what it prints for people and for programs, and how it ends."""

from __future__ import annotations

import io
import json
import signal
import sys
from pathlib import Path

import numpy as np
import pytest

from corpus.generators.gif_structure import Frame
from corpus.generators.gif_structure import encode as encode_gif
from tests.engine.command import JPEG, PNG, Command, execute, write
from tests.engine.gif_samples import PALETTE, scene
from tests.images import encode, photo
from tinyjpg import Similarity, compare, ssimulacra2
from tinyjpg.cli.compare import meaning
from tinyjpg.cli.text import human_size

ROUGH = encode(photo(), "JPEG", quality=20)


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    return Command(monkeypatch, capfd)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, {"a.png": PNG, "b.jpg": JPEG, "c.jpg": ROUGH})


def animation(*steps: int) -> bytes:
    frames = [Frame(indices=scene(step), delay=10) for step in steps]
    return encode_gif(frames, PALETTE, loops=0)


def test_a_line_says_the_score_in_words_and_the_sizes(command: Command) -> None:
    report = command("compare", "a.png", "c.jpg")
    assert (report.code, report.err) == (0, "")
    score = ssimulacra2(PNG, ROUGH)
    assert 50 < score < 70
    shown = np.floor(score * 10) / 10
    sizes = f"{human_size(len(PNG))} -> {human_size(len(ROUGH))}"
    assert report.out == f"c.jpg: {shown:.1f} (fair), {sizes}\n"


def test_scores_are_rounded_down(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    almost = Similarity((79.96,), 79.96)
    monkeypatch.setattr("tinyjpg.cli.compare.compare", lambda *_, **__: almost)
    report = command("compare", "a.png", "b.jpg")
    assert report.out.startswith("b.jpg: 79.9 (not noticeable side by side), ")


def test_one_original_is_compared_with_each(command: Command) -> None:
    report = command("compare", "--json", "a.png", "b.jpg", "c.jpg", "a.png")
    assert report.code == 0
    assert [line["path"] for line in report.lines] == ["b.jpg", "c.jpg", "a.png"]
    assert {line["reference"] for line in report.lines} == {"a.png"}
    for line, data in zip(report.lines, (JPEG, ROUGH, PNG), strict=True):
        assert line["score"] == pytest.approx(ssimulacra2(PNG, data), abs=0.002)
    assert report.lines[2]["score"] == 100
    assert report.lines[2]["meaning"] == "shown identically"


def test_json_has_everything(command: Command) -> None:
    (line,) = command("compare", "a.png", "b.jpg", "--json").lines
    score = round(ssimulacra2(PNG, JPEG), 3)
    assert line == {
        "reference": "a.png",
        "path": "b.jpg",
        "score": score,
        "meaning": meaning(score),
        "mean": score,
        "worst_frame": 0,
        "frames": [score],
        "width": 96,
        "height": 64,
        "reference_format": "png",
        "format": "jpeg",
        "reference_size": len(PNG),
        "size": len(JPEG),
        "error": None,
    }


def test_of_an_animation_the_worst_frame_and_the_mean_are_told(
    command: Command, tmp_path: Path
) -> None:
    one, other = animation(0, 1, 2, 3), animation(0, 1, 1, 3)
    write(tmp_path, {"one.gif": one, "other.gif": other})
    found = compare(one, other)
    text = command("compare", "one.gif", "other.gif").out
    assert f"other.gif: {np.floor(found.score * 10) / 10:.1f} (" in text
    assert "worst frame 3 of 4, " in text
    assert f"mean {np.floor(found.mean * 10) / 10:.1f}, " in text
    (line,) = command("compare", "one.gif", "other.gif", "--json").lines
    assert line["worst_frame"] == 2
    assert line["frames"] == [round(score, 3) for score in found.frames]
    assert (line["score"], line["mean"]) == (round(found.score, 3), round(found.mean, 3))


@pytest.mark.parametrize(
    ("score", "words"),
    [
        (100.0, "shown identically"),
        (99.9999, "visually lossless"),
        (89.5, "visually lossless"),
        (89.499, "not noticeable side by side"),
        (79.5, "not noticeable side by side"),
        (79.499, "noticeable but not annoying"),
        (70.0, "noticeable but not annoying"),
        (50.0, "fair"),
        (30.0, "poor"),
        (29.4, "very poor"),
        (-200.0, "very poor"),
    ],
)
def test_scores_have_a_meaning(score: float, words: str) -> None:
    assert meaning(score) == words


def test_what_cannot_be_compared_is_reported_and_the_rest_goes_on(
    command: Command, tmp_path: Path
) -> None:
    write(
        tmp_path,
        {
            "notes.txt": b"hello",
            "small.png": encode(photo(20, 10), "PNG"),
            "cut.jpg": JPEG[: len(JPEG) // 2],
            "moving.gif": animation(0, 1),
        },
    )
    names = ["notes.txt", "nowhere.jpg", ".", "small.png", "cut.jpg", "moving.gif", "b.jpg"]
    report = command("compare", "a.png", *names)
    assert report.code == 1
    assert report.out.startswith("b.jpg: ")
    errors = report.err.splitlines()
    assert len(errors) == 6
    assert all(name in error for name, error in zip(names[:6], errors, strict=True))
    assert "96 x 64 and 20 x 10 pixels" in errors[3]
    report = command("compare", "--json", "a.png", *names)
    lines = report.lines
    assert [line["path"] for line in lines] == names
    assert [line["score"] is None for line in lines] == [True] * 6 + [False]
    assert lines[1]["error"]["type"] == "FileNotFoundError"
    assert lines[4]["error"]["type"] == "CorruptImageError"


def test_without_the_original_there_is_nothing_to_compare(command: Command) -> None:
    report = command("compare", "--json", "nowhere.png", "b.jpg", "c.jpg")
    assert report.code == 1
    assert report.err == "tinyjpg: nowhere.png: cannot read it: No such file or directory\n"
    assert [(line["path"], line["score"]) for line in report.lines] == [
        ("b.jpg", None),
        ("c.jpg", None),
    ]


@pytest.mark.parametrize("flag", ["--max-pixels", "--max-input-bytes"])
def test_limits_are_kept(command: Command, flag: str) -> None:
    report = command("compare", flag, "99", "a.png", "b.jpg")
    assert (report.code, report.out) == (1, "")
    assert "the limit is 99" in report.err


@pytest.mark.parametrize("place", [0, 1])
def test_one_of_the_images_may_come_from_standard_input(
    command: Command, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    names = ["a.png", "b.jpg"]
    data = (PNG, JPEG)[place]
    names[place] = "-"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    (line,) = command("compare", "--json", *names).lines
    assert line["score"] == pytest.approx(ssimulacra2(PNG, JPEG), abs=0.001)
    assert line[("reference", "path")[place]] == "-"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "Missing argument"),
        (["a.png"], "Missing argument"),
        (["-", "-"], "standard input"),
        (["a.png", ""], "empty"),
        (["a.png", "b.jpg", "--quality", "3"], "No such option"),
    ],
)
def test_a_wrong_command_line_is_refused(
    command: Command, arguments: list[str], complaint: str
) -> None:
    report = command("compare", *arguments)
    assert (report.code, report.out) == (2, "")
    assert complaint in report.err


def test_names_cannot_move_the_cursor(command: Command, tmp_path: Path) -> None:
    write(tmp_path, {"c\n\x1b[31m.jpg": JPEG})
    report = command("compare", "a.png", "c\n\x1b[31m.jpg")
    assert report.out.startswith("c\\n\\x1b[31m.jpg: ")
    assert len(report.out.splitlines()) == 1


def test_too_little_memory_is_a_failure_and_no_crash(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(*_: object, **__: object) -> None:
        raise MemoryError("there is not enough memory to score 96 x 64 pixels")

    monkeypatch.setattr("tinyjpg.cli.compare.compare", exhausted)
    report = command("compare", "a.png", "b.jpg")
    assert (report.code, report.out) == (1, "")
    assert "not enough memory" in report.err


def test_a_signal_ends_it_quietly(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("tinyjpg.cli.compare.compare", interrupted)
    report = command("compare", "a.png", "b.jpg")
    assert (report.code, report.out, report.err) == (130, "", "")


def test_it_runs_as_a_process(tmp_path: Path) -> None:
    report = execute("compare", "--json", "a.png", "b.jpg", cwd=tmp_path)
    assert (report.code, report.err) == (0, "")
    assert json.loads(report.out)["score"] == pytest.approx(ssimulacra2(PNG, JPEG), abs=0.001)
