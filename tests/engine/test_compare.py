"""The public metric on files and arrays: stills, and what cannot be compared."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import tinyjpg
from corpus.generators import png_structure
from corpus.generators.pictures import soft_edge, with_alpha
from tests.engine import metric_oracle as oracle
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
        not sys.platform.startswith("linux"), reason="/proc/self/status is there on Linux only"
    )
    @pytest.mark.parametrize("format", ["JPEG", "PNG"])
    def test_memory_does_not_grow_with_the_height(self, format: str, tmp_path: Path) -> None:
        for name, height in (("short", 1_000), ("tall", 16_000)):
            # Plain, so that the files, which libvips copies, are small.
            picture = np.full((height, 512, 3), 90, np.uint8)
            picture[::16, ::16] = 200
            (tmp_path / name).write_bytes(encode(picture, format, **FAST.get(format, {})))
        program = (
            "import re, sys\n"
            "from pathlib import Path\n"
            "from tinyjpg import ssimulacra2\n"
            "used = []\n"
            "for path in sys.argv[1:]:\n"
            "    data = Path(path).read_bytes()\n"
            "    assert ssimulacra2(data, data) == 100\n"
            # Not ru_maxrss, which begins with that of the process that started this one.
            "    status = Path('/proc/self/status').read_text()\n"
            "    used.append(int(re.search(r'VmHWM:\\s+(\\d+)', status)[1]))\n"
            "print(used[1] - used[0])\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", program, tmp_path / "short", tmp_path / "tall"],
            capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        # Decoded, the taller one has 24 MiB, twice.
        assert int(done.stdout) < 12 * 1024

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
