"""The comparison with peers: running encoders, the report. No figure is tested."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from benchmarks import images, peer_runs, peers_compared, peers_tables, report, sweep_cache
from benchmarks.__main__ import main as bench
from benchmarks.curves import Point
from benchmarks.peer_runs import Available, PeerRun, Runner, SetRun, Usual
from benchmarks.peers.encoders.client import Encoded, EncodeError, Encoder
from benchmarks.peers.encoders.table import ENCODERS, OURS, EncoderFacts, Scale
from benchmarks.peers.session import PeerFailedError
from benchmarks.scoring import Judge, Score
from benchmarks.sources import Choice, Source, SourceSet, by_format, default_sets, evenly
from benchmarks.sweep_cache import Known, SweepCache
from tests.engine.wave_pictures import picture, saved
from tinyjpg import optimize
from tinyjpg.formats import Format

FAKE = Path(__file__).with_name("fake_encoder.py")
EVERYTHING = Choice(None, frozenset(Format))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three JPEG files of different sizes."""
    place = tmp_path / "mine"
    place.mkdir()
    for side in (128, 144, 160):
        data = saved(picture(side, side), "JPEG", quality=97, subsampling=0)
        (place / f"{side}.jpg").write_bytes(data)
    return place


@pytest.fixture(autouse=True)
def apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither the results nor the cache of the checkout are touched."""
    monkeypatch.setattr(report, "_RESULTS", tmp_path / "results")
    monkeypatch.setattr(sweep_cache, "FILE", tmp_path / "cache" / "peers.jsonl")


def _fake(log: Path, how: str = "well") -> EncoderFacts:
    return EncoderFacts(
        f"fake {how}",
        {Format.JPEG: Scale(1, 100, 80)},
        "`quality`",
        lambda: [sys.executable, str(FAKE), str(log), how],
    )


def _available(**facts: EncoderFacts) -> Available:
    available = Available(facts)
    available.find(list(facts))
    return available


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[SweepCache]:
    opened = SweepCache(tmp_path / "cache.jsonl")
    yield opened
    opened.close()


def _runner(available: Available, cache: SweepCache, scratch: Path) -> Runner:
    place = scratch / "scratch"
    place.mkdir(exist_ok=True)
    return Runner(available, cache, place, 80, lambda _: None)


class TestRunner:
    def test_measures_the_usual_setting_and_sweeps(
        self, folder: Path, tmp_path: Path, cache: SweepCache
    ) -> None:
        log = tmp_path / "log"
        available = _available(**{OURS: _fake(log), "fake": _fake(log)})
        (chosen,) = by_format(images.folder(folder), EVERYTHING)
        run = _runner(available, cache, tmp_path).run(chosen)
        fake = run.peers["fake"]
        assert [usual.bytes for usual in fake.usual if usual] == [
            len(saved(_reopened(one.path), "JPEG", quality=80)) for one in chosen.sources
        ]
        assert all(usual and usual.encoded.cpu == 0.5 for usual in fake.usual)
        assert all(points and len(points) > 2 for points in fake.curves)
        assert fake.peak > 5_000_000
        assert not list((tmp_path / "scratch").iterdir())
        # The same encoder against itself: as large as itself.
        equal = peers_tables.equal_score(run.peers[OURS].curves, fake.curves, 80)
        assert equal.images == 3
        assert equal.geometric == equal.total == equal.lossy == pytest.approx(1)

        asked = log.read_text().splitlines()
        _runner(available, cache, tmp_path).run(chosen)
        again = log.read_text().splitlines()[len(asked) :]
        assert set(again) == {"80"}, "what was swept before is remembered"

    def test_an_encoder_that_refuses_or_dies_is_left_without_images(
        self, folder: Path, tmp_path: Path, cache: SweepCache
    ) -> None:
        log = tmp_path / "log"
        available = _available(refuse=_fake(log, "refuse"), die=_fake(log, "die"))
        (chosen,) = by_format(images.folder(folder), EVERYTHING)
        run = _runner(available, cache, tmp_path).run(chosen)
        for name, message in (("refuse", "not today"), ("die", "ended with status 3")):
            peer = run.peers[name]
            assert peer.usual == [None] * 3
            assert peer.curves == [None] * 3
            shown = peers_tables.failures(peer)
            assert shown is not None
            assert message in shown

    def test_a_damaged_picture_counts_as_failed(
        self, tmp_path: Path, cache: SweepCache, monkeypatch: pytest.MonkeyPatch, folder: Path
    ) -> None:
        monkeypatch.setattr(Judge, "score", lambda *_: Score(-20.0, 60.0))
        (chosen,) = by_format(images.folder(folder), Choice(1, frozenset(Format)))
        run = _runner(_available(fake=_fake(tmp_path / "log")), cache, tmp_path).run(chosen)
        assert run.peers["fake"].usual == [None]
        assert "another picture" in str(peers_tables.failures(run.peers["fake"]))


def _reopened(path: Path) -> Image.Image:
    with Image.open(path) as image:
        image.load()
        return image


class TestEncoders:
    @pytest.mark.parametrize(
        ("name", "image_format"),
        [
            (OURS, "JPEG"),
            ("pillow", "JPEG"),
            ("pillow", "WEBP"),
            ("gifsicle", "GIF"),
            ("jpegli", "JPEG"),
        ],
    )
    def test_write_an_image_of_the_same_format(
        self, name: str, image_format: str, tmp_path: Path
    ) -> None:
        source, output = tmp_path / "source", tmp_path / "output"
        source.write_bytes(saved(picture(), image_format))
        with Encoder(ENCODERS[name].command()) as encoder:
            encoded = encoder.encode(source, output, 60)
        assert encoded.cpu > 0
        assert encoder.peak > 5_000_000
        with Image.open(output) as result:
            assert (result.format, result.size) == (image_format, (128, 128))

    def test_jpegli_keeps_colours_and_orientation(self, tmp_path: Path) -> None:
        """Its package does not; without them its results would score as other pictures."""
        source, output = tmp_path / "source", tmp_path / "output"
        exif = Image.Exif()
        exif[0x0112] = 6
        profile = bytes(range(256)) * 300
        options = {"exif": exif, "icc_profile": profile, "quality": 95}
        source.write_bytes(saved(picture().crop((0, 0, 128, 96)), "JPEG", **options))
        with Encoder(ENCODERS["jpegli"].command()) as encoder:
            encoder.encode(source, output, 90)
        with Image.open(output) as result:
            assert result.size == (96, 128)
            assert result.info["icc_profile"] == profile
            assert result.info["progressive"]

    def test_ours_tells_method_and_score(self, tmp_path: Path) -> None:
        source, output = tmp_path / "source.png", tmp_path / "output.png"
        source.write_bytes(saved(picture(), "PNG"))
        with Encoder(ENCODERS[OURS].command()) as encoder:
            encoded = encoder.encode(source, output, 100)
        expected = optimize(source.read_bytes(), 100)
        assert (encoded.method, encoded.score) == (expected.method, expected.score)
        assert output.read_bytes() == expected.data

    def test_an_image_that_is_refused_is_not_the_end(self, tmp_path: Path) -> None:
        source, output = tmp_path / "source", tmp_path / "output"
        source.write_text("no image")
        with Encoder(ENCODERS["pillow"].command()) as encoder:
            with pytest.raises(EncodeError, match="UnidentifiedImageError"):
                encoder.encode(source, output, 80)
            source.write_bytes(saved(picture(), "JPEG"))
            encoder.encode(source, output, 80)

    def test_a_process_that_ends_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(PeerFailedError, match="ended with status 2"):
            Encoder([sys.executable, str(tmp_path / "nothing.py")])

    def test_a_process_is_killed_when_the_run_is_broken_off(self, tmp_path: Path) -> None:
        facts = _fake(tmp_path / "log")
        with pytest.raises(KeyboardInterrupt), Encoder(facts.command()) as encoder:
            raise KeyboardInterrupt
        assert encoder._process.returncode == -signal.SIGKILL

    @pytest.mark.parametrize(
        ("name", "how"),
        [
            ("cwebp", "apt install webp"),
            ("cwebp_slow", "apt install webp"),
            ("pngquant_oxipng", "apt install pngquant"),
            ("sharp_webp", "install Node.js"),
        ],
    )
    def test_a_missing_one_is_noted_with_how_to_get_it(
        self, name: str, how: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", os.devnull)
        available = Available()
        available.find([name])
        assert not available.commands
        assert how in available.missing[0]
        parts = list(peers_compared._parts([], available, 80, 1.0))
        assert available.missing[0] in parts


class TestReport:
    def test_a_part_is_printed_and_saved_on_demand(
        self, folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        arguments = ["peers", "--folder", str(folder), "--peer", "pillow", "--limit", "2"]
        assert bench(arguments) == 0
        shown = capsys.readouterr().out
        assert str(tmp_path) not in shown
        assert "## mine\n\n2 of 3 files, 0.0 megapixels" in shown
        assert f"| TinyJPG | JPEG, PNG, WEBP, GIF | {ENCODERS[OURS].how} | tinyjpg " in shown
        rows = [line.split(" | ") for line in shown.splitlines()]
        assert {row[0]: len(row) for row in rows if row[0] in ("| TinyJPG", "| Pillow")}
        for score in (70, 80, 90):
            assert any(row[0] == f"| Pillow at {score}" and len(row) == 6 for row in rows)
        assert any(row[0] == "| mine" and len(row) == 10 for row in rows)
        results = tmp_path / "results"
        assert not results.exists()

        assert bench([*arguments, "--save"]) == 0
        text = (results / "peers.md").read_text()
        for name in ("peers-scores.svg", "peers-rates.svg"):
            assert f"]({name})" in text
            assert b"<svg" in (results / name).read_bytes()[:600]
            assert (results / name).stat().st_size < 200_000

    def test_a_part_by_format_does_not_replace_the_whole(
        self, folder: Path, tmp_path: Path
    ) -> None:
        arguments = ["--folder", str(folder), "--peer", "pillow", "--limit", "1", "--save"]
        assert bench(["peers", *arguments, "--format", "jpeg"]) == 0
        found = sorted(path.name for path in (tmp_path / "results").iterdir())
        assert found == ["peers-jpeg-rates.svg", "peers-jpeg-scores.svg", "peers-jpeg.md"]
        text = (tmp_path / "results" / "peers-jpeg.md").read_text()
        assert "](peers-jpeg-scores.svg)" in text

    def test_a_run_that_is_broken_off_says_so(
        self, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def interrupt(*_: object) -> SetRun:
            raise KeyboardInterrupt

        monkeypatch.setattr(Runner, "run", interrupt)
        assert bench(["peers", "--folder", str(folder), "--peer", "pillow"]) == 130
        assert "what was swept is kept" in capsys.readouterr().err

    def test_nothing_to_measure_is_said(
        self, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit):
            bench(["peers", "--folder", str(folder), "--format", "gif"])
        assert "name another --folder or --format" in capsys.readouterr().err

    def test_consistency_leaves_lossless_results_out(self) -> None:
        scores = (80.0, 80.5, 100.0)
        usual: list[Usual | None] = [
            Usual(900, Score(score, score), Encoded(1.0, "m", score - 0.25, 3)) for score in scores
        ]
        chosen = SourceSet("mine", Format.PNG, (Source(Path("x"), 1.0),) * 3, 3)
        ours = PeerRun(ENCODERS[OURS], usual, [None] * 3)
        table = peers_tables.consistency([SetRun(chosen, (1000,) * 3, {OURS: ours})])
        assert table.splitlines()[2] == (
            "| mine | 2 | 1 | 80.25 | 0.35 | 80.00 | 80.00 | 0.35 | 79.75 | 3.0 |"
        )

    def test_the_usual_setting_is_shown_with_the_mean_frame_of_animations(self) -> None:
        usual: list[Usual | None] = [
            Usual(300, Score(78.0, 84.0), Encoded(0.5)),
            None,
            Usual(500, Score(82.0, 88.0), Encoded(2.5)),
        ]
        chosen = SourceSet("mine", Format.GIF, (Source(Path("x"), 2.0),) * 3, 3)
        peer = PeerRun(ENCODERS["gifsicle"], usual, [None] * 3, peak=3 << 20)
        columns, _, row = peers_tables.usual(
            SetRun(chosen, (1000,) * 3, {"gifsicle": peer})
        ).splitlines()
        assert columns.split(" | ")[4:8] == ["score", "std", "min", "mean frame"]
        assert row == "| gifsicle | 2 | 800 | 0.400 | 80.0 | 2.8 | 78.0 | 86.0 | 0.75 | 3 |"

    def test_ratios_are_over_the_images_that_both_reach(self) -> None:
        ours = [[Point(0, 80.0, 100)], [Point(0, 100.0, 400)], [Point(0, 60.0, 1)], None]
        peer = [[Point(0, 80.0, 200)], [Point(0, 90.0, 200)], [Point(0, 90.0, 9)], None]
        one = peers_tables.equal_score(ours, peer, 80)
        assert (one.images, one.lossless) == (2, 1)
        assert one.geometric == pytest.approx(1.0)
        assert one.total == pytest.approx(500 / 400)
        assert one.lossy == pytest.approx(0.5)
        none = peers_tables.equal_score(ours, peer, 95)
        assert (none.images, none.geometric, none.total, none.lossy) == (0, None, None, None)


class TestSources:
    def test_are_evenly_chosen_by_size(self) -> None:
        sources = [Source(Path(f"{number}"), number) for number in (5, 1, 9, 3, 7, 2, 8, 4, 6)]
        assert [one.megapixels for one in evenly(sources, 3)] == [2, 5, 8]
        assert [one.megapixels for one in evenly(sources, 20)] == list(range(1, 10))

    def test_are_as_many_as_the_budget_of_their_format_allows(self) -> None:
        sources = [Source(Path(f"{number}"), number) for number in range(1, 10)]
        choice = Choice(4, frozenset(Format), budget={Format.PNG: 15.0})
        assert [one.megapixels for one in choice.of(sources, Format.PNG)] == [2, 5, 8]
        assert len(choice.of(sources, Format.JPEG)) == 4
        assert len(EVERYTHING.of(sources, Format.PNG)) == 9

    def test_are_of_one_format_and_large_enough(self, folder: Path) -> None:
        (folder / "tiny.png").write_bytes(saved(picture(side=100), "PNG"))
        (folder / "text.txt").write_text("no image")
        (folder / "large.png").write_bytes(saved(picture(side=200), "PNG"))
        (folder / "one.png").write_bytes(saved(picture(), "PNG"))
        small = Choice(None, frozenset(Format), megapixels=0.03)
        sets = list(by_format(images.folder(folder), small))
        assert [(one.name, len(one.sources)) for one in sets] == [
            ("mine (JPEG)", 3),
            ("mine (PNG)", 1),
        ]
        only = Choice(None, frozenset({Format.PNG}))
        (png,) = by_format(images.folder(folder), only)
        assert [one.path.name for one in png.sources] == ["one.png", "large.png"]

    def test_png_photographs_are_also_jpeg_and_webp(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        place = tmp_path / "corpora" / "photo_png"
        place.mkdir(parents=True)
        (place / "one.png").write_bytes(saved(picture(), "PNG"))
        monkeypatch.setenv("TINYJPG_SHARED", str(tmp_path))
        sets = list(default_sets(EVERYTHING, tmp_path / "scratch"))
        assert [one.name for one in sets] == [
            "photo_png",
            "photo_png as JPEG",
            "photo_png as WebP",
        ]
        judge = Judge((place / "one.png").read_bytes())
        jpeg, webp = (judge.score(one.sources[0].path.read_bytes()).worst for one in sets[1:])
        assert jpeg > 85
        assert webp == 100.0
        assert [path.name for path in place.iterdir()] == ["one.png"]


class TestCache:
    def test_survives_a_broken_off_line_and_is_forgotten_on_demand(self, tmp_path: Path) -> None:
        file = tmp_path / "deep" / "cache.jsonl"
        first = SweepCache(file)
        first.put("a", Known(10, 80.0, 81.0))
        first.close()
        with file.open("a") as stream:
            stream.write('\n["b", 12, 8')
        second = SweepCache(file)
        assert second.get("a") == Known(10, 80.0, 81.0)
        assert second.get("b") is None
        second.put("c", Known(1, 2.0, 3.0))
        second.close()
        third = SweepCache(file)
        assert third.get("c") == Known(1, 2.0, 3.0)
        third.close()
        fresh = SweepCache(file, fresh=True)
        assert fresh.get("a") is None
        fresh.close()

    def test_keys_tell_encoder_source_and_setting_apart(self) -> None:
        keys = {
            sweep_cache.key(encoder, source, setting)
            for encoder in ("a 1", "a 2")
            for source in ("x", "y")
            for setting in (1, 2)
        }
        assert len(keys) == 8
        assert sweep_cache.key("a 1", "x", 1) in keys
        assert len(peer_runs.SCORES) == 3
