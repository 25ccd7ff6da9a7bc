"""The public metric: files and arrays, stills and animations, and what cannot be compared."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

import tinyjpg
from corpus.generators import gif_structure, png_structure
from corpus.generators.pictures import soft_edge, with_alpha
from tests.engine import metric_oracle as oracle
from tests.engine.gif_samples import PALETTE, scene
from tests.engine.webp_files import animation as webp_animation
from tests.engine.webp_files import frame as webp_frame
from tests.engine.webp_files import picture as webp_picture
from tests.images import Pixels, encode, photo
from tests.shared import SHARED, needs_shared
from tinyjpg import (
    CorruptImageError,
    DeadlineExceededError,
    Format,
    InvalidOptionError,
    LimitExceededError,
    Limits,
    Reference,
    Similarity,
    TinyJPGError,
    UnsupportedFormatError,
    compare,
    scoring,
    ssimulacra2,
)
from tinyjpg.moments import Moment, moments

PHOTO = photo()
PNG = encode(PHOTO, "PNG")
JPEG = encode(PHOTO, "JPEG", quality=60)
FAST = {"PNG": {"compress_level": 1}}


def noisy(pixels: Pixels, strength: float, seed: int = 1) -> Pixels:
    random = np.random.default_rng(seed)
    changed = pixels + random.normal(0, strength, pixels.shape)
    return np.clip(np.rint(changed), 0, 255).astype(np.uint8)


@needs_shared
def test_golden_scores_through_files() -> None:
    assert SHARED is not None
    pairs = SHARED / "ssimulacra2" / "pairs"
    with (SHARED / "ssimulacra2" / "scores.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert len(rows) > 80
    references: dict[str, Reference] = {}
    wrong = []
    for row in rows:
        original, distorted = (
            (pairs / row[side]).read_bytes() for side in ("reference", "distorted")
        )
        if row["reference"] not in references:
            references[row["reference"]] = Reference(original)
        once = ssimulacra2(original, distorted)
        prepared = references[row["reference"]].score(distorted)
        if max(abs(one - float(row["score"])) for one in (once, prepared)) > 0.35:
            wrong.append((row, once, prepared))
    assert not wrong


class TestStills:
    def test_the_score_is_that_of_the_definition(self) -> None:
        distorted = noisy(PHOTO, 6)
        expected = oracle.score(PHOTO, distorted)
        assert 20 < expected < 95
        for original in (PNG, PHOTO, PHOTO.astype(np.uint16) * 257):
            for other in (encode(distorted, "PNG"), distorted, distorted.astype(np.uint16) * 257):
                assert ssimulacra2(original, other) == pytest.approx(expected, abs=0.01)
                assert Reference(original).score(other) == pytest.approx(expected, abs=0.01)

    @pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
    def test_any_bytes_are_taken(self, kind: Callable[[bytes], Any]) -> None:
        assert ssimulacra2(kind(PNG), kind(JPEG)) == ssimulacra2(PNG, JPEG)

    @pytest.mark.parametrize("other", ["JPEG", "PNG", "WEBP", "GIF"])
    @pytest.mark.parametrize("original", ["JPEG", "PNG", "WEBP", "GIF"])
    def test_formats_mix(self, original: str, other: str) -> None:
        one, two = encode(PHOTO, original), encode(noisy(PHOTO, 3), other)
        with Image.open(io.BytesIO(one)) as image:
            assert image.format == original
        assert -50 < ssimulacra2(one, two) < 100
        assert ssimulacra2(one, one) == 100.0

    def test_flat_arrays_are_grey(self) -> None:
        grey, distorted = PHOTO[..., 0], noisy(PHOTO[..., 0], 4)
        expected = oracle.score(np.dstack([grey] * 3), np.dstack([distorted] * 3))
        assert ssimulacra2(grey, distorted) == pytest.approx(expected, abs=0.01)
        assert ssimulacra2(grey, encode(distorted, "PNG")) == pytest.approx(expected, abs=0.01)

    def test_alpha_is_blended_over_two_greys(self) -> None:
        original = with_alpha(PHOTO, soft_edge(96, 64))
        distorted = noisy(original, 5)
        scores = [
            oracle.score(oracle.blended(original, grey), oracle.blended(distorted, grey))
            for grey in (0.1, 0.9)
        ]
        assert abs(scores[0] - scores[1]) > 0.1
        expected = pytest.approx(min(scores), abs=0.01)
        assert ssimulacra2(encode(original, "PNG"), distorted) == expected
        assert Reference(original).score(encode(distorted, "PNG")) == expected

    def test_alpha_may_be_in_one_of_the_two(self) -> None:
        translucent = with_alpha(PHOTO, soft_edge(96, 64))
        scores = [oracle.score(PHOTO, oracle.blended(translucent, grey)) for grey in (0.1, 0.9)]
        expected = pytest.approx(min(scores), abs=0.01)
        assert ssimulacra2(PHOTO, translucent) == expected
        prepared = Reference(PHOTO)
        assert prepared.score(translucent) == expected
        assert prepared.score(PHOTO) == 100.0

    def test_turned_and_upright_are_the_same_picture(self) -> None:
        exif = Image.Exif()
        exif[274] = 6
        turned = encode(np.rot90(PHOTO).copy(), "PNG", exif=exif.tobytes())
        assert ssimulacra2(PNG, turned) == 100.0

    def test_a_still_has_one_frame(self) -> None:
        found = compare(PNG, JPEG)
        assert found == Similarity((found.score,), found.score)
        assert (found.worst_frame, found.mean) == (0, ssimulacra2(PNG, JPEG))
        prepared = Reference(PNG).compare(JPEG)
        assert prepared.frames == (prepared.mean,)
        assert prepared.score == pytest.approx(found.score, abs=0.001)

    def test_strips_make_no_difference(self, monkeypatch: pytest.MonkeyPatch) -> None:
        exif = Image.Exif()
        exif[274] = 8
        turned = np.rot90(noisy(PHOTO, 5), -1).copy()
        wide = PHOTO.astype(np.uint16) * 257
        gamma = (b"gAMA", (60_000).to_bytes(4, "big"))
        others: list[Any] = [
            JPEG,
            encode(PHOTO, "JPEG", progressive=True),
            encode(noisy(PHOTO, 4), "PNG"),
            encode(PHOTO, "WEBP"),
            encode(PHOTO, "GIF"),
            encode(turned, "JPEG", exif=exif.tobytes()),
            encode(turned, "PNG", exif=exif.tobytes()),
            png_structure.encode(wide, png_structure.RGB, 16, before=[gamma], interlaced=True),
            png_structure.encode(with_alpha(PHOTO, soft_edge(96, 64)), png_structure.RGBA),
            wide,
        ]
        whole = [ssimulacra2(PNG, other) for other in others]
        assert len(set(whole)) == len(others)
        monkeypatch.setattr(scoring, "_STRIP_PIXELS", 96 * 7)
        assert [ssimulacra2(PNG, other) for other in others] == whole

    @pytest.mark.skipif(
        not sys.platform.startswith("linux"), reason="ru_maxrss is in KiB on Linux only"
    )
    @pytest.mark.parametrize("format", ["JPEG", "PNG"])
    def test_memory_does_not_grow_with_the_height(self, format: str, tmp_path: Path) -> None:
        for name, height in (("short", 1_000), ("tall", 16_000)):
            picture = np.tile(photo(512, 200), (height // 200, 1, 1))
            (tmp_path / name).write_bytes(encode(picture, format, **FAST.get(format, {})))
        program = (
            "import resource, sys\n"
            "from pathlib import Path\n"
            "from tinyjpg import ssimulacra2\n"
            "used = []\n"
            "for path in sys.argv[1:]:\n"
            "    data = Path(path).read_bytes()\n"
            "    assert ssimulacra2(data, data) == 100\n"
            "    used.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
            "print(used[1] - used[0])\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", program, tmp_path / "short", tmp_path / "tall"],
            capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        # Decoded, the taller one has 24 MiB, twice.
        files = (tmp_path / "tall").stat().st_size / 1024
        assert int(done.stdout) < 8 * 1024 + files

    def test_a_reference_does_not_follow_the_array(self) -> None:
        pixels = PHOTO.copy()
        prepared = Reference(pixels)
        pixels[...] = 0
        translucent = with_alpha(PHOTO, np.full((64, 96), 254, np.uint8))
        assert prepared.score(PHOTO) == 100.0
        assert prepared.score(translucent) > 90

    def test_a_reference_may_be_shared_between_threads(self) -> None:
        prepared = Reference(with_alpha(PHOTO, soft_edge(96, 64)))
        others = [encode(noisy(PHOTO, 1 + seed), "PNG") for seed in range(6)]
        expected = [prepared.score(one) for one in others]
        assert len(set(expected)) == 6
        with ThreadPoolExecutor(4) as threads:
            assert list(threads.map(prepared.score, others * 3)) == expected * 3


class TestMoments:
    def test_equal_delays_are_taken_one_by_one(self) -> None:
        assert list(moments([20, 30], [20, 30])) == [Moment(0, 0, 20), Moment(1, 1, 30)]

    def test_clocks_may_be_coarse(self) -> None:
        thirds = [100 / 3] * 300
        assert [one[:2] for one in moments(thirds, [30] * 300)] == [(at, at) for at in range(300)]

    def test_merged_frames_are_found_by_time(self) -> None:
        assert list(moments([20, 20, 30, 40], [40, 70])) == [
            Moment(0, 0, 20),
            Moment(1, 0, 20),
            Moment(2, 1, 30),
            Moment(3, 1, 40),
        ]

    def test_equally_many_frames_may_be_others(self) -> None:
        assert list(moments([20, 20, 60], [20, 60, 20])) == [
            Moment(0, 0, 20),
            Moment(1, 1, 20),
            Moment(2, 1, 40),
            Moment(2, 2, 20),
        ]

    def test_changes_that_nearly_coincide_are_one(self) -> None:
        assert [one[:2] for one in moments([33, 33, 34, 100], [67, 133])] == [
            (0, 0),
            (1, 0),
            (2, 1),
            (3, 1),
        ]

    @pytest.mark.parametrize("seed", range(20))
    def test_every_frame_has_its_moment(self, seed: int) -> None:
        random = np.random.default_rng(seed)
        first = random.uniform(10.1, 40, 30).tolist()
        second = [sum(first[at : at + 3]) for at in range(0, 30, 3)]
        second[-1] += random.uniform(-9.9, 9.9)
        for one, other in ((first, second), (second, first)):
            found = list(moments(one, other))
            assert {moment.first for moment in found} == set(range(len(one)))
            assert {moment.second for moment in found} == set(range(len(other)))
            assert min(moment.duration for moment in found) > 0
            assert sum(moment.duration for moment in found) == pytest.approx(sum(one), abs=10)

    @pytest.mark.parametrize(
        ("first", "second", "complaint"),
        [
            ([20, 20], [20, 31], "same time"),
            ([20, 20], [20, 20, 20], "same time"),
            ([0], [20, 20], "still image"),
            ([20, 20], [0], "still image"),
        ],
    )
    def test_what_does_not_match_is_refused(
        self, first: Sequence[float], second: Sequence[float], complaint: str
    ) -> None:
        with pytest.raises(InvalidOptionError, match=complaint):
            moments(first, second)


COLOURS = np.array(PALETTE, np.uint8)
Indices = npt.NDArray[np.uint8]


def pictures(count: int = 4, noise: int = 3) -> list[Indices]:
    return [scene(step, noise=noise) for step in range(count)]


def gif(frames: Sequence[Indices], delays: Sequence[int]) -> bytes:
    parts = [
        gif_structure.Frame(indices=one, delay=delay // 10)
        for one, delay in zip(frames, delays, strict=True)
    ]
    return gif_structure.encode(parts, PALETTE, loops=0)


def apng(frames: Sequence[Indices], delays: Sequence[int]) -> bytes:
    parts = [
        png_structure.Frame(samples=COLOURS[one], delay=(delay, 1000))
        for one, delay in zip(frames, delays, strict=True)
    ]
    return png_structure.animate(parts, png_structure.RGB)


def webp(frames: Sequence[Indices], delays: Sequence[int]) -> bytes:
    size = (frames[0].shape[1], frames[0].shape[0])
    parts = [
        webp_frame(webp_picture(COLOURS[one], lossless=True), size, duration=delay)
        for one, delay in zip(frames, delays, strict=True)
    ]
    return webp_animation(parts, *size)


ANIMATORS = [gif, apng, webp]


class TestAnimations:
    @pytest.mark.parametrize("make", ANIMATORS)
    @pytest.mark.parametrize("other", ANIMATORS)
    def test_frames_are_compared_in_any_mix_of_formats(
        self, make: Callable[..., bytes], other: Callable[..., bytes]
    ) -> None:
        frames, delays = pictures(), (100, 40, 40, 20)
        changed = [*frames[:2], np.roll(frames[2], 1, axis=1), np.minimum(frames[3], 40)]
        found = compare(make(frames, delays), other(changed, delays))
        expected = [
            100.0 if before is after else ssimulacra2(COLOURS[before], COLOURS[after])
            for before, after in zip(frames, changed, strict=True)
        ]
        assert found.frames == pytest.approx(expected, abs=1e-6)
        assert found.frames[:2] == (100.0, 100.0)
        assert max(found.frames[2:]) < 95
        assert found.score == min(expected)
        assert found.worst_frame == expected.index(min(expected))
        assert found.mean == pytest.approx(np.average(expected, weights=delays))

    def test_the_worst_frame_counts(self) -> None:
        frames, delays = pictures(), (100,) * 4
        one, other = gif(frames, delays), gif([*frames[:3], frames[2]], delays)
        assert ssimulacra2(one, other) == compare(one, other).score < 50
        assert Reference(one).score(other) == ssimulacra2(one, other)
        assert Reference(one).compare(other) == compare(one, other)

    def test_merged_frames_do_no_harm(self) -> None:
        first, second = pictures(2)
        apart = gif([first, first, second, second], (50, 50, 30, 30))
        merged = gif([first, second], (100, 60))
        assert compare(apart, merged) == Similarity((100.0,) * 4, 100.0)
        assert compare(merged, apart) == Similarity((100.0,) * 2, 100.0)

    def test_frames_merged_wrongly_show(self) -> None:
        first, second, third = pictures(3)
        found = compare(gif([first, second, third], (50, 50, 100)), gif([first, third], (100, 100)))
        assert found.worst_frame == 1
        assert (found.frames[0], found.frames[2]) == (100.0, 100.0)
        again = compare(gif([first, third], (100, 100)), gif([first, second, third], (50, 50, 100)))
        assert again.worst_frame == 0
        assert again.score == pytest.approx(found.score, abs=5)
        assert again.score < 90

    def test_a_later_frame_is_told_from_the_one_before(self) -> None:
        frames = pictures(6, noise=0)
        shifted = compare(gif(frames, (100,) * 6), gif([frames[0], *frames[:5]], (100,) * 6))
        assert shifted.frames[0] == 100.0
        assert max(shifted.frames[1:]) < 95

    def test_a_single_frame_is_a_still(self) -> None:
        one = pictures(1)
        assert compare(gif(one, (100,)), COLOURS[one[0]]).frames == (100.0,)
        assert ssimulacra2(apng(one, (100,)), webp(one, (40,))) == 100.0

    @pytest.mark.parametrize("prepare", [lambda one: one, Reference])
    def test_what_does_not_match_is_refused(self, prepare: Callable[[bytes], Any]) -> None:
        frames = pictures()
        animated = gif(frames, (100,) * 4)

        def attempt(original: bytes, other: bytes) -> float:
            prepared = prepare(original)
            if isinstance(prepared, Reference):
                return prepared.score(other)
            return ssimulacra2(original, other)

        with pytest.raises(InvalidOptionError, match="still image and an animation"):
            attempt(animated, gif(frames[:1], (100,)))
        with pytest.raises(InvalidOptionError, match="still image and an animation"):
            attempt(gif(frames[:1], (100,)), animated)
        with pytest.raises(InvalidOptionError, match="same time"):
            attempt(animated, gif(frames[:3], (100,) * 3))
        with pytest.raises(InvalidOptionError, match="equal size"):
            attempt(animated, gif([one[:-1] for one in frames], (100,) * 4))


class TestRefusals:
    @pytest.mark.parametrize(
        ("image", "complaint"),
        [
            (PHOTO.astype(np.float32) / 255, "float32"),
            (np.full((16, 16, 3), np.nan), "float64"),
            (np.full((16, 16, 3), np.inf), "float64"),
            (PHOTO.astype(np.int32), "int32"),
            (PHOTO > 100, "bool"),
            (np.zeros((16, 16, 5), np.uint8), "shape"),
            (np.zeros(256, np.uint8), "shape"),
            (np.zeros((7, 16, 3), np.uint8), "16 x 7"),
            (np.zeros((16, 7), np.uint16), "7 x 16"),
            (encode(photo(7, 16), "PNG"), "7 x 16"),
            (encode(photo(16, 7), "JPEG"), "16 x 7"),
            ("photo.jpg", "given as str"),
            (None, "given as NoneType"),
            ([[0, 1], [2, 3]], "given as list"),
        ],
    )
    def test_what_is_no_image_to_score_is_refused(self, image: Any, complaint: str) -> None:
        for attempt in (
            partial(ssimulacra2, image, PHOTO),
            partial(ssimulacra2, PNG, image),
            partial(Reference, image),
            partial(Reference(PNG).score, image),
        ):
            with pytest.raises(InvalidOptionError, match=complaint):
                attempt()

    def test_different_sizes_are_refused_before_decoding(self) -> None:
        # Damage beyond the header is not reached.
        other = encode(photo(95, 64), "JPEG")
        damaged = other[: other.index(b"\xff\xda")] + b"\xff\xda\0\2garbage\xff\xd9"
        for attempt in (partial(ssimulacra2, PNG, damaged), partial(Reference(PNG).score, damaged)):
            with pytest.raises(InvalidOptionError, match="96 x 64 and 95 x 64 pixels"):
                attempt()

    def test_other_files_are_refused(self) -> None:
        with pytest.raises(UnsupportedFormatError):
            ssimulacra2(PNG, b"BM not for us")
        with pytest.raises(UnsupportedFormatError):
            Reference(b"")

    def test_limits_are_checked_from_the_header(self) -> None:
        bomb = png_structure.join(
            [png_structure.header(50_000, 50_000, 8, 2), (b"IDAT", b""), (b"IEND", b"")]
        )
        limits = Limits(max_pixels=96 * 64)
        assert ssimulacra2(PNG, JPEG, limits=limits) == ssimulacra2(PNG, JPEG)
        for attempt in (
            partial(ssimulacra2, PNG, bomb),
            partial(Reference, bomb),
            partial(ssimulacra2, PNG, JPEG, limits=Limits(max_pixels=96 * 64 - 1)),
            partial(Reference, PNG, limits=Limits(max_input_bytes=99)),
            partial(Reference(PHOTO, limits=Limits(max_pixels=99)).score, PNG),
        ):
            with pytest.raises((LimitExceededError, CorruptImageError)):
                attempt()

    def test_the_deadline_is_kept(self) -> None:
        limits = Limits(deadline=1e-9)
        for attempt in (
            partial(ssimulacra2, PNG, JPEG, limits=limits),
            partial(Reference, PNG, limits=limits),
        ):
            with pytest.raises(DeadlineExceededError):
                attempt()

    @pytest.mark.parametrize("format", list(Format))
    def test_hostile_bytes_are_typed_errors(self, format: Format) -> None:
        data = bytearray(encode(PHOTO, format.upper()))
        random = np.random.default_rng(3)
        failed = 0
        for _ in range(60):
            broken = data.copy()
            for at in random.integers(12, len(data), 6):
                broken[at] = random.integers(256)
            try:
                score = ssimulacra2(PNG, broken)
            except TinyJPGError:
                failed += 1
            else:
                assert score <= 100
        assert failed


def test_importing_the_package_loads_neither_numpy_nor_libvips() -> None:
    program = (
        "import sys, tinyjpg\n"
        "assert tinyjpg.Reference and tinyjpg.ssimulacra2 and tinyjpg.compare\n"
        "loaded = {'pyvips', 'numpy', 'tinyjpg.metric'} & set(sys.modules)\n"
        "assert not loaded, loaded\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_the_names_are_documented() -> None:
    for name in ("Reference", "Similarity", "compare", "ssimulacra2"):
        assert getattr(tinyjpg, name).__doc__
