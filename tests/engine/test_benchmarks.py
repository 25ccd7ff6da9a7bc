"""The harness of the benchmarks works; how fast anything is, is not tested."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks import images, report
from benchmarks.__main__ import BENCHMARKS
from benchmarks.__main__ import main as bench
from benchmarks.peers import sharp
from benchmarks.peers.session import PeerFailedError, PeerMissingError, Session
from benchmarks.peers.table import PEERS
from corpus import cases
from tinyjpg import optimize

OURS = [name for name in PEERS if name.startswith("tinyjpg")]


@pytest.fixture
def jpeg(tmp_path: Path) -> Path:
    path = tmp_path / "colour.jpg"
    path.write_bytes(next(one for one in cases() if one.name == "jpeg/colour_is_optimised").make())
    return path


@pytest.mark.parametrize("name", OURS)
def test_a_round_optimises_every_image(name: str, jpeg: Path) -> None:
    expected = optimize(jpeg.read_bytes(), 60)
    with Session(PEERS[name].command(), [jpeg, jpeg, jpeg], 60, workers=2) as session:
        for _ in range(2):
            done = session.round()
            assert [one.bytes for one in done.outputs] == [expected.output_size] * 3
            assert {one.method for one in done.outputs} == {expected.method}
            assert 0 < max(done.image_seconds) <= done.seconds
    assert session.version.startswith("tinyjpg ")
    assert session.peak > 10_000_000


def test_a_process_that_ends_early_is_an_error(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    text = tmp_path / "text.jpg"
    text.write_text("not an image")
    session = Session(PEERS["tinyjpg_threads"].command(), [text], 80, warm_up=False)
    with session, pytest.raises(PeerFailedError, match="status 1"):
        session.round()
    assert "UnsupportedFormatError" in capfd.readouterr().err


def test_sharp_is_left_out_where_node_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(PeerMissingError, match=r"install Node\.js"):
        sharp.command()


def test_photographs_out_of_packages_stand_in_for_the_corpora(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TINYJPG_SHARED", str(tmp_path))
    assert images.corpora() is None
    assert {path.name for path in images.jpeg_photographs().paths} >= {"china.jpg", "rocket.jpg"}
    assert [len(one.paths) > 3 for one in images.all_folders(but=frozenset())] == [True, True]


def test_folders_of_the_corpora_are_found_and_left_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, jpeg: Path
) -> None:
    for name in ("photo_jpeg", "hostile"):
        folder = tmp_path / "corpora" / name
        folder.mkdir(parents=True)
        (folder / "one.jpg").write_bytes(jpeg.read_bytes())
    monkeypatch.setenv("TINYJPG_SHARED", str(tmp_path))
    assert [one.name for one in images.all_folders(but=frozenset({"hostile"}))] == ["photo_jpeg"]
    assert [path.name for path in images.jpeg_photographs().paths] == ["one.jpg"]


def test_bytes_of_a_folder_are_added_up(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    jpeg: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "corpora" / "mine"
    folder.mkdir(parents=True)
    (folder / "good.jpg").write_bytes(jpeg.read_bytes())
    (folder / "bad.jpg").write_bytes(jpeg.read_bytes()[:200])
    monkeypatch.setenv("TINYJPG_SHARED", str(tmp_path))
    assert bench(["bytes", "-j", "1", "mine"]) == 0
    size = optimize(jpeg.read_bytes()).output_size
    row = f"| mine | 2 | {jpeg.stat().st_size:,} | {size:,} |"
    shown = capsys.readouterr().out
    assert row in shown
    assert "| 1 CorruptImageError |" in shown
    with pytest.raises(SystemExit):
        bench(["bytes", "no-such-folder"])
    assert "there are mine" in capsys.readouterr().err


def test_names_are_listed_and_unknown_ones_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench(["--help"]) == 0
    listed = capsys.readouterr().out
    assert all(f"  {name} " in listed for name in BENCHMARKS)
    assert bench(["speed"]) == 2
    assert "no benchmark is called speed" in capsys.readouterr().err


def test_reports_name_what_was_measured_and_no_path() -> None:
    shown = report.environment("sharp 1.2.3")
    assert "pyvips-binary" in shown
    assert "sharp 1.2.3" in shown
    assert sys.prefix not in shown
    assert report.table(["a", "b"], [["x", "1"]]) == "| a | b |\n| --- | ---: |\n| x | 1 |"
