"""Pool.optimize is optimize, elsewhere: same results, same errors, from any thread."""

from __future__ import annotations

import dataclasses
import io
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import tinyjpg
from tests.engine.misbehaving_worker import COMMAND, image
from tinyjpg import (
    CorruptImageError,
    InvalidOptionError,
    Keep,
    LimitExceededError,
    Limits,
    MissingToolError,
    Options,
    Pool,
    TinyJPGError,
    UnsupportedFormatError,
)


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(2) as pool:
        yield pool


@pytest.fixture(scope="module")
def obedient() -> Iterator[Pool]:
    """A pool whose workers do what the image says."""
    with Pool(2, _command=COMMAND) as pool:
        yield pool


@pytest.fixture(scope="module")
def jpeg() -> bytes:
    ramp = np.add.outer(np.arange(64), np.arange(96)).astype(np.uint8)
    pixels = np.stack([ramp, ramp * 2, 255 - ramp], axis=2)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=95)
    return stream.getvalue()


def but_for_time(result: tinyjpg.Result) -> dict[str, Any]:
    fields = dataclasses.asdict(result)
    assert fields.pop("elapsed") >= 0
    return fields


@pytest.mark.parametrize("quality", [50, 80, 100])
def test_gives_the_same_result_as_in_process(pool: Pool, jpeg: bytes, quality: int) -> None:
    assert but_for_time(pool.optimize(jpeg, quality)) == but_for_time(
        tinyjpg.optimize(jpeg, quality)
    )


def test_returns_the_very_input_when_it_was_optimal(pool: Pool, jpeg: bytes) -> None:
    best = pool.optimize(jpeg, 100).data
    again = pool.optimize(best, 100)
    assert again.data is best
    assert again.method == "already optimal"
    assert again.saved == 0


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_takes_every_kind_of_bytes(pool: Pool, jpeg: bytes, kind: type) -> None:
    result = pool.optimize(kind(jpeg))
    assert type(result.data) is bytes
    assert result.data == pool.optimize(jpeg).data


@pytest.mark.parametrize(
    ("change", "arguments", "kind"),
    [
        (lambda _: b"", {}, UnsupportedFormatError),
        (lambda _: b"GIF is not it", {}, UnsupportedFormatError),
        (lambda data: data[: len(data) // 2], {}, CorruptImageError),
        (lambda data: data[:30], {}, CorruptImageError),
        (lambda data: data, {"options": Options(limits=Limits(max_pixels=10))}, LimitExceededError),
        (
            lambda data: data,
            {"options": Options(limits=Limits(max_input_bytes=10))},
            LimitExceededError,
        ),
        (lambda data: data, {"quality": 0}, InvalidOptionError),
        (lambda data: data, {"quality": 80.5}, InvalidOptionError),
        (lambda _: "a text", {}, InvalidOptionError),
    ],
)
def test_raises_the_same_error_as_in_process(
    pool: Pool, jpeg: bytes, change: Any, arguments: dict[str, Any], kind: type
) -> None:
    with pytest.raises(TinyJPGError) as here:
        tinyjpg.optimize(change(jpeg), **arguments)
    with pytest.raises(TinyJPGError) as there:
        pool.optimize(change(jpeg), **arguments)
    assert type(there.value) is type(here.value) is kind
    assert str(there.value) == str(here.value)


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, value in vars(tinyjpg.errors).items()
        if isinstance(value, type) and issubclass(value, TinyJPGError)
    ],
)
def test_every_error_crosses_with_its_class_and_message(obedient: Pool, name: str) -> None:
    with pytest.raises(TinyJPGError) as caught:
        obedient.optimize(image(f"error {name} the message, ü".encode()))
    assert type(caught.value) is getattr(tinyjpg.errors, name)
    assert str(caught.value) == "the message, ü"


def test_an_error_of_the_image_does_not_cost_the_worker() -> None:
    with Pool(1, _command=COMMAND) as pool:
        before = pool.optimize(image(b"")).method
        with pytest.raises(MissingToolError):
            pool.optimize(image(b"error MissingToolError gone"))
        assert pool.optimize(image(b"")).method == before


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"text", UnsupportedFormatError),
        (image(bytes(1000)), LimitExceededError),
        ("text", InvalidOptionError),
    ],
)
def test_what_needs_no_decoding_to_be_refused_bothers_no_worker(data: Any, kind: type) -> None:
    options = Options(limits=Limits(max_input_bytes=1000))
    with Pool(1, _command=("/no/such/program",)) as pool, pytest.raises(kind):
        pool.optimize(data, options=options)


def test_quality_and_options_arrive(obedient: Pool) -> None:
    options = Options(keep=frozenset({Keep.LOCATION, Keep.COPYRIGHT}))
    method = obedient.optimize(image(b""), 37, options=options).method
    assert method.endswith(
        "quality 37 [<Keep.COPYRIGHT: 'copyright'>, <Keep.LOCATION: 'location'>]"
    )


def test_the_deadline_of_the_limits_holds_in_the_worker(pool: Pool, jpeg: bytes) -> None:
    options = Options(limits=Limits(deadline=1e-9))
    try:
        result = pool.optimize(jpeg, options=options)
    except tinyjpg.DeadlineExceededError:
        return
    assert len(result.data) <= len(jpeg)


def test_large_data_goes_there_and_back_without_a_deadlock(obedient: Pool) -> None:
    data = image(b"shrink " + bytes(80_000_000))
    result = obedient.optimize(data)
    assert result.data == data[: len(data) // 2]
    assert result.input_size == len(data)


def test_a_worker_that_prints_a_lot_does_not_block(obedient: Pool) -> None:
    assert obedient.optimize(image(b"noise")).method.startswith("pid")


def test_many_threads_share_few_workers(obedient: Pool) -> None:
    data = [image(b"shrink " + str(number).encode() * 50_000) for number in range(60)]
    with ThreadPoolExecutor(16) as threads:
        results = list(threads.map(obedient.optimize, data))
    assert [result.data for result in results] == [item[: len(item) // 2] for item in data]


def test_a_worker_outlives_the_thread_that_started_it() -> None:
    methods: list[str] = []
    with Pool(1, _command=COMMAND) as pool:
        for _ in range(2):
            thread = threading.Thread(
                target=lambda: methods.append(pool.optimize(image(b"")).method)
            )
            thread.start()
            thread.join()
    assert methods[0] == methods[1]


def test_no_more_than_the_workers_asked_for_run_at_once(tmp_path: Path) -> None:
    go = tmp_path / "go"
    with Pool(2, _command=COMMAND) as pool:
        futures = [pool.submit(image(b"wait-for " + bytes(go))) for _ in range(6)]
        go.touch()
        assert len({future.result().method for future in futures}) <= 2
        assert pool.workers == 2


class TestSubmit:
    def test_gives_a_future(self, pool: Pool, jpeg: bytes) -> None:
        assert but_for_time(pool.submit(jpeg, 60).result()) == but_for_time(pool.optimize(jpeg, 60))

    def test_reads_a_path(self, pool: Pool, jpeg: bytes, tmp_path: Path) -> None:
        path = tmp_path / "image.jpg"
        path.write_bytes(jpeg)
        assert pool.submit(path).result().input_size == len(jpeg)

    def test_a_missing_file_is_the_futures_error(self, pool: Pool, tmp_path: Path) -> None:
        future = pool.submit(tmp_path / "missing.jpg")
        with pytest.raises(FileNotFoundError):
            future.result()

    def test_a_large_file_is_refused_unread(self, pool: Pool, tmp_path: Path) -> None:
        path = tmp_path / "large.jpg"
        with path.open("wb") as stream:
            stream.truncate(10**12)
        with pytest.raises(LimitExceededError, match="has 1,000,000,000,000 bytes"):
            pool.submit(path).result()

    def test_an_endless_device_is_refused(self, pool: Pool) -> None:
        options = Options(limits=Limits(max_input_bytes=5_000_000))
        with pytest.raises(LimitExceededError):
            pool.submit(Path("/dev/zero"), options=options).result()

    def test_an_error_of_the_image_is_the_futures_error(self, pool: Pool) -> None:
        with pytest.raises(UnsupportedFormatError):
            pool.submit(b"text").result()

    def test_a_wrong_quality_raises_at_once(self, pool: Pool) -> None:
        with pytest.raises(InvalidOptionError):
            pool.submit(b"", 101)

    def test_its_errors_do_not_keep_the_image_alive(self, pool: Pool) -> None:
        error = pool.submit(b"text").exception()
        assert error is not None
        assert error.__traceback__ is None


@pytest.mark.parametrize(
    "arguments",
    [
        {"workers": 0},
        {"workers": -1},
        {"workers": True},
        {"workers": 1.5},
        {"memory": 0},
        {"memory": 1000},
        {"memory": 1e9},
        {"timeout": 0},
        {"timeout": -1},
        {"timeout": float("nan")},
        {"timeout": float("inf")},
        {"timeout": "1"},
    ],
)
def test_refuses_a_wrong_argument(arguments: dict[str, Any]) -> None:
    with pytest.raises(InvalidOptionError, match=next(iter(arguments))):
        Pool(**arguments)


def test_takes_no_bounds() -> None:
    with Pool(1, memory=None, timeout=None, _command=COMMAND) as pool:
        assert pool.optimize(image(b"")).width == 1
