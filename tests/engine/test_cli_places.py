"""Which files a run takes and where their results go."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.engine.command import GIF, JPEG, PNG, WEBP, Command, contents, write
from tinyjpg.cli.settings import Beside, UsageError


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    return Command(monkeypatch, capfd)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def made(folder: Path) -> set[str]:
    """Names of the files below `folder` that the engine made."""
    return {name for name, data in contents(folder).items() if data.endswith(b"cut")}


def test_by_default_results_lie_beside_their_originals(command: Command, tmp_path: Path) -> None:
    write(tmp_path, {"p/a.jpg": JPEG, "p/b.png": PNG})
    before = contents(tmp_path)
    assert command("optimize", "p").code == 0
    after = contents(tmp_path)
    assert made(tmp_path) == {"p/a.min.jpg", "p/b.min.png"}
    assert {name: after[name] for name in before} == before


@pytest.mark.parametrize("paths", [["p"], ["p/a.jpg", "p/a.min.jpg"]])
def test_results_of_a_former_run_are_not_optimised(
    command: Command, tmp_path: Path, paths: list[str]
) -> None:
    write(tmp_path, {"p/a.jpg": JPEG})
    command("optimize", "p")
    report = command("optimize", "--json", *paths)
    assert report.code == 0
    assert set(contents(tmp_path)) == {"p/a.jpg", "p/a.min.jpg"}
    assert (report.summary["optimised"], report.summary["skipped"]) == (1, 1)


@pytest.mark.parametrize(
    ("suffix", "original", "result"),
    [
        (".min", "photo.jpg", "photo.min.jpg"),
        ("-small", "photo.JPEG", "photo-small.JPEG"),
        (".min", "photo", "photo.min"),
        (".min", "Screen at 12.30", "Screen at 12.30.min"),
        (".min", "a.b.webp", "a.b.min.webp"),
        (".jpg", "photo.jpg", "photo.jpg.jpg"),
    ],
)
def test_the_suffix_goes_before_the_extension_and_is_known_again(
    suffix: str, original: str, result: str
) -> None:
    beside = Beside(suffix)
    assert beside.name(original) == result
    assert beside.made(result)
    assert not beside.made(original)


@pytest.mark.parametrize("suffix", ["", "a/b", "../x", "a\0b"])
def test_a_suffix_that_leads_elsewhere_is_refused(suffix: str) -> None:
    with pytest.raises(UsageError, match="--suffix"):
        Beside(suffix)


def test_suffix_names_the_results(command: Command, tmp_path: Path) -> None:
    write(tmp_path, {"a.jpg": JPEG})
    assert command("optimize", "--suffix", "_web", "a.jpg").code == 0
    assert made(tmp_path) == {"a_web.jpg"}


def test_in_place_replaces_the_originals(command: Command, tmp_path: Path) -> None:
    write(tmp_path, {"p/a.jpg": JPEG, "b.png": PNG})
    assert command("optimize", "--in-place", "p", "b.png").code == 0
    assert set(contents(tmp_path)) == made(tmp_path) == {"p/a.jpg", "b.png"}


def test_under_an_output_folder_folders_keep_their_tree(command: Command, tmp_path: Path) -> None:
    write(tmp_path, {"p/a.jpg": JPEG, "p/x/y/b.png": PNG, "q/c.gif": GIF})
    report = command("optimize", "-r", "-o", "new/out", "p", "q/c.gif")
    assert report.code == 0
    assert set(contents(tmp_path / "new" / "out")) == {"a.jpg", "x/y/b.png", "c.gif"}
    assert made(tmp_path / "p") == set()


def test_folders_are_entered_only_when_asked(command: Command, tmp_path: Path) -> None:
    write(tmp_path, {"p/a.jpg": JPEG, "p/x/b.png": PNG, "p/y/c.gif": GIF})
    report = command("optimize", "p")
    assert made(tmp_path) == {"p/a.min.jpg"}
    assert "2 folders inside were not entered; add -r" in report.err
    report = command("optimize", "-r", "p")
    assert made(tmp_path) == {"p/a.min.jpg", "p/x/b.min.png", "p/y/c.min.gif"}
    assert "not entered" not in report.err


def test_images_in_folders_are_told_by_content(command: Command, tmp_path: Path) -> None:
    write(tmp_path, {"p/notes.txt": b"hello", "p/fake.jpg": b"no picture", "p/empty.png": b""})
    write(tmp_path, {"p/really.jpeg.png": JPEG, "p/odd.bin": WEBP})
    report = command("optimize", "--json", "p")
    assert report.code == 0
    assert made(tmp_path) == {"p/really.jpeg.min.png", "p/odd.bin.min"}
    assert set(report.by_name()) == {"really.jpeg.png", "odd.bin"}
    assert report.by_name()["really.jpeg.png"]["format"] == "jpeg"
    assert report.summary["skipped"] == 3


def test_what_is_named_has_to_be_an_image(command: Command, tmp_path: Path) -> None:
    write(tmp_path, {"notes.txt": b"hello", "a.jpg": JPEG})
    report = command("optimize", "notes.txt", "a.jpg")
    assert report.code == 1
    assert "tinyjpg: notes.txt: this is unknown data" in report.err
    assert made(tmp_path) == {"a.min.jpg"}


def test_what_is_not_there_fails_and_the_others_go_on(command: Command, tmp_path: Path) -> None:
    write(tmp_path, {"a.jpg": JPEG})
    report = command("optimize", "nowhere.jpg", "a.jpg")
    assert report.code == 1
    assert report.err.startswith("tinyjpg: nowhere.jpg: cannot read it: No such file")
    assert made(tmp_path) == {"a.min.jpg"}


def test_a_folder_without_images_is_no_failure(command: Command, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    report = command("optimize", "empty")
    assert (report.code, report.err) == (0, "No images were found.\n")


def test_hidden_files_and_folders_are_left_out_unless_named(
    command: Command, tmp_path: Path
) -> None:
    write(tmp_path, {"p/a.jpg": JPEG})
    write(tmp_path / "p" / ".git" / "lfs", {"a.jpg": JPEG})
    (tmp_path / "p" / ".b.jpg").write_bytes(JPEG)
    command("optimize", "-r", "--in-place", "p")
    assert made(tmp_path) == {"p/a.jpg"}
    command("optimize", "-r", "--in-place", "p/.b.jpg", "p/.git")
    assert made(tmp_path) == {"p/a.jpg", "p/.b.jpg", "p/.git/lfs/a.jpg"}


def test_pipes_and_dangling_links_in_folders_are_left_out(command: Command, tmp_path: Path) -> None:
    write(tmp_path, {"p/a.jpg": JPEG})
    os.mkfifo(tmp_path / "p" / "pipe.jpg")
    (tmp_path / "p" / "dangling.jpg").symlink_to("nowhere")
    report = command("optimize", "--json", "p")
    assert report.code == 0
    assert (report.summary["images"], report.summary["skipped"]) == (1, 2)


def test_a_pipe_that_is_named_fails_at_once(command: Command, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    report = command("optimize", "pipe.jpg")
    assert report.code == 1
    assert "not a regular file" in report.err


def test_a_loop_of_links_ends(command: Command, tmp_path: Path) -> None:
    write(tmp_path, {"p/x/a.jpg": JPEG})
    (tmp_path / "p" / "x" / "back").symlink_to(tmp_path / "p")
    (tmp_path / "p" / "self").symlink_to("self")
    assert command("optimize", "-r", "p").code == 0
    assert made(tmp_path / "p") == {"x/a.min.jpg"}


def test_in_place_a_named_link_stays_and_its_target_is_replaced(
    command: Command, tmp_path: Path
) -> None:
    write(tmp_path, {"p/a.jpg": JPEG})
    (tmp_path / "link.jpg").symlink_to("p/a.jpg")
    assert command("optimize", "--in-place", "link.jpg").code == 0
    assert (tmp_path / "link.jpg").is_symlink()
    assert (tmp_path / "p" / "a.jpg").read_bytes().endswith(b"cut")


def test_in_place_a_link_in_a_folder_leads_nowhere_else(command: Command, tmp_path: Path) -> None:
    write(tmp_path, {"elsewhere/a.jpg": JPEG, "p/b.jpg": JPEG})
    (tmp_path / "p" / "link.jpg").symlink_to("../elsewhere/a.jpg")
    report = command("optimize", "--json", "--in-place", "p")
    assert (tmp_path / "elsewhere" / "a.jpg").read_bytes() == JPEG
    assert (report.summary["images"], report.summary["skipped"]) == (1, 1)


def test_elsewhere_a_link_in_a_folder_is_read(command: Command, tmp_path: Path) -> None:
    write(tmp_path, {"elsewhere/a.jpg": JPEG})
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "link.jpg").symlink_to("../elsewhere/a.jpg")
    assert command("optimize", "-o", "out", "p").code == 0
    assert made(tmp_path) == {"out/link.jpg"}
    assert not (tmp_path / "out" / "link.jpg").is_symlink()


def test_an_image_named_twice_is_optimised_once(command: Command, tmp_path: Path) -> None:
    write(tmp_path, {"p/a.jpg": JPEG})
    (tmp_path / "link.jpg").symlink_to("p/a.jpg")
    command("optimize", "--in-place", "p", "p/a.jpg", "./p/../p/a.jpg", "link.jpg")
    assert len(command.engine.seen) == 1


@pytest.mark.parametrize("paths", [["a/x.jpg", "b/x.jpg"], ["a", "b"], ["a/x.jpg", "b"]])
def test_two_images_with_one_output_are_refused_before_anything_is_written(
    command: Command, tmp_path: Path, paths: list[str]
) -> None:
    write(tmp_path, {"a/x.jpg": JPEG, "b/x.jpg": JPEG, "c.jpg": JPEG})
    report = command("optimize", "-o", "out", "c.jpg", *paths)
    assert report.code == 2
    assert "a/x.jpg and b/x.jpg would both be written to out/x.jpg" in report.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("output", ["p", "./p/", "link"])
def test_an_output_that_is_an_original_is_refused(
    command: Command, tmp_path: Path, output: str
) -> None:
    write(tmp_path, {"p/a.jpg": JPEG})
    (tmp_path / "link").symlink_to("p")
    report = command("optimize", "-o", output, "p")
    assert report.code == 2
    assert "would replace the original p/a.jpg" in report.err
    assert made(tmp_path) == set()


def test_an_output_folder_inside_the_input_is_not_entered(command: Command, tmp_path: Path) -> None:
    write(tmp_path, {"p/a.jpg": JPEG})
    for _ in range(2):
        assert command("optimize", "-r", "-o", "p/out", "p").code == 0
    assert made(tmp_path) == {"p/out/a.jpg"}


def test_an_output_folder_that_is_a_file_is_refused(command: Command, tmp_path: Path) -> None:
    write(tmp_path, {"a.jpg": JPEG, "b.png": PNG})
    report = command("optimize", "-o", "b.png", "a.jpg")
    assert (report.code, made(tmp_path)) == (2, set())
    assert "b.png is a file; name a folder" in report.err


def test_an_output_folder_named_like_an_image_is_refused(command: Command, tmp_path: Path) -> None:
    write(tmp_path, {"a.jpg": JPEG})
    report = command("optimize", "a.jpg", "-o", "small.jpg")
    assert (report.code, set(contents(tmp_path))) == (2, {"a.jpg"})
    assert "looks like a file" in report.err
    (tmp_path / "dir.jpg").mkdir()
    assert command("optimize", "a.jpg", "-o", "dir.jpg").code == 0


def test_overwrite_never_leaves_what_is_there(command: Command, tmp_path: Path) -> None:
    write(tmp_path, {"a.jpg": JPEG, "b.jpg": JPEG, "out/a.jpg": b"mine"})
    report = command("optimize", "--json", "--overwrite", "never", "-o", "out", "a.jpg", "b.jpg")
    assert report.code == 0
    assert (tmp_path / "out" / "a.jpg").read_bytes() == b"mine"
    assert made(tmp_path) == {"out/b.jpg"}
    line = report.by_name()["a.jpg"]
    assert (line["status"], line["reason"]) == ("skipped", "the output exists")
    assert len(command.engine.seen) == 1


def test_overwrite_never_minds_what_has_come_meanwhile(command: Command, tmp_path: Path) -> None:
    write(tmp_path, {"a.jpg": JPEG})
    command.engine.on_image = lambda _: write(tmp_path, {"a.min.jpg": 2 * JPEG})
    report = command("optimize", "--json", "--overwrite", "never", "a.jpg")
    assert report.lines[0]["status"] == "skipped"
    assert contents(tmp_path)["a.min.jpg"] == 2 * JPEG


def test_overwrite_smaller_replaces_what_is_larger(command: Command, tmp_path: Path) -> None:
    write(tmp_path, {"a.jpg": JPEG, "b.jpg": JPEG, "out/a.jpg": b"tiny", "out/b.jpg": JPEG})
    report = command("optimize", "--json", "--overwrite", "smaller", "-o", "out", "a.jpg", "b.jpg")
    assert report.code == 0
    assert (tmp_path / "out" / "a.jpg").read_bytes() == b"tiny"
    assert made(tmp_path) == {"out/b.jpg"}
    assert report.by_name()["a.jpg"]["status"] == "skipped"


@pytest.mark.parametrize("flags", [[], ["--overwrite", "always"]])
def test_by_default_what_is_there_is_replaced(
    command: Command, tmp_path: Path, flags: list[str]
) -> None:
    write(tmp_path, {"a.jpg": JPEG, "out/a.jpg": b"tiny"})
    assert command("optimize", *flags, "-o", "out", "a.jpg").code == 0
    assert made(tmp_path) == {"out/a.jpg"}
