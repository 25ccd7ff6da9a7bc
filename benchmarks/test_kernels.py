"""What the engine spends its time in, one kernel at a time; `./run bench kernels` runs it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from corpus import photographs
from tinyjpg import Format, probe
from tinyjpg.backends import mozjpeg, vips
from tinyjpg.limits import Deadline
from tinyjpg.metric import Pixels, Reference, compare
from tinyjpg.native import available_instruction_sets, force_instruction_set

Benchmark = Any  # pytest-benchmark's fixture; it has no public type
_MEGA = 1_000_000


def _jpeg() -> bytes:
    return next(one for one in photographs("jpeg") if one.name == "china.jpg").read()


@pytest.fixture(scope="module")
def original() -> Pixels:
    """A photograph of about a megapixel."""
    pixels = vips.pixels(vips.load(_jpeg(), Format.JPEG))
    return np.ascontiguousarray(np.tile(pixels, (2, 2, 1)))


@pytest.fixture(scope="module")
def large(original: Pixels) -> tuple[Pixels, Pixels]:
    """2048 x 2048 pixels of it, and the same with a little noise."""
    height, width, bands = original.shape
    repeats = (-(-2048 // height), -(-2048 // width), 1)
    pixels = np.ascontiguousarray(np.tile(original, repeats)[:2048, :2048])
    noise = np.random.default_rng(1).integers(-6, 7, (2048, 2048, bands), np.int16)
    return pixels, (pixels.astype(np.int16) + noise).clip(0, 255).astype(np.uint8)


def _measure(benchmark: Benchmark, pixels: Pixels, kernel: Callable[[], object]) -> None:
    benchmark.extra_info["megapixels"] = pixels.shape[0] * pixels.shape[1] / _MEGA
    benchmark(kernel)


@pytest.fixture(params=available_instruction_sets())
def _instruction_set(request: pytest.FixtureRequest) -> Iterator[None]:
    force_instruction_set(request.param)
    yield
    force_instruction_set(None)


@pytest.mark.usefixtures("_instruction_set")
def test_metric_prepare_reference(benchmark: Benchmark, large: tuple[Pixels, Pixels]) -> None:
    original, _ = large
    _measure(benchmark, original, lambda: Reference(original))


@pytest.mark.usefixtures("_instruction_set")
def test_metric_score_against_reference(benchmark: Benchmark, large: tuple[Pixels, Pixels]) -> None:
    original, distorted = large
    reference = Reference(original)
    _measure(benchmark, original, lambda: reference.score(distorted))


@pytest.mark.usefixtures("_instruction_set")
def test_metric_compare_at_once(benchmark: Benchmark, large: tuple[Pixels, Pixels]) -> None:
    original, distorted = large
    _measure(benchmark, original, lambda: compare(original, distorted))


def test_jpeg_decode(benchmark: Benchmark, original: Pixels) -> None:
    jpeg = vips.save(_image(original), Format.JPEG, Q=90)
    _measure(benchmark, original, lambda: vips.pixels(vips.load(jpeg, Format.JPEG)))


def test_jpeg_encode_mozjpeg(benchmark: Benchmark, original: Pixels) -> None:
    image = _image(original)
    settings: dict[str, Any] = {
        "Q": 85,
        "interlace": True,
        "optimize_coding": True,
        "trellis_quant": True,
        "overshoot_deringing": True,
        "quant_table": 3,
    }
    _measure(benchmark, original, lambda: vips.save(image, Format.JPEG, **settings))


def test_jpeg_repack(benchmark: Benchmark, original: Pixels) -> None:
    jpeg = vips.save(_image(original), Format.JPEG, Q=90)
    _measure(benchmark, original, lambda: mozjpeg.repack(jpeg, Deadline()))


def test_jpeg_probe(benchmark: Benchmark) -> None:
    jpeg = _jpeg()
    benchmark.extra_info["megabytes"] = len(jpeg) / _MEGA
    benchmark(lambda: probe(jpeg))


def _image(pixels: Pixels) -> vips.Image:
    height, width, bands = pixels.shape
    return vips.Image.new_from_memory(pixels, width, height, bands, "uchar").copy(
        interpretation="srgb"
    )
