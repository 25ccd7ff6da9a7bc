"""optimize_many streams outcomes, holds few images, and leaves nothing behind."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import tinyjpg
from tests.engine.misbehaving_worker import COMMAND, image
from tests.engine.processes import children, wait_for_death, wait_for_text
from tinyjpg import (
    CorruptImageError,
    InvalidOptionError,
    Keep,
    LimitExceededError,
    Limits,
    Options,
    Outcome,
    Pool,
    UnsupportedFormatError,
    WorkerError,
    optimize_many,
)


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(2, _command=COMMAND) as pool:
        yield pool


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "image.png"
    path.write_bytes(image(b""))
    return path


def test_every_image_comes_back_once_under_its_key(pool: Pool, file: Path, tmp_path: Path) -> None:
    images: dict[str, Any] = {
        "bytes": image(b""),
        "bytearray": bytearray(image(b"")),
        "memoryview": memoryview(image(b"")),
        "file": file,
        "missing": tmp_path / "missing.png",
        "folder": tmp_path,
        "text": b"text",
        "corrupt": image(b"error CorruptImageError broken"),
        "crash": image(b"crash"),
    }
    outcomes = list(optimize_many(images.items(), pool=pool))
    assert len(outcomes) == len(images)
    found = {outcome.key: type(outcome.error) for outcome in outcomes}
    fine = type(None)
    assert found == {
        "bytes": fine,
        "bytearray": fine,
        "memoryview": fine,
        "file": fine,
        "missing": FileNotFoundError,
        "folder": IsADirectoryError,
        "text": UnsupportedFormatError,
        "corrupt": CorruptImageError,
        "crash": WorkerError,
    }
    assert all((outcome.result is None) == (outcome.error is not None) for outcome in outcomes)


def test_paths_are_their_own_keys(pool: Pool, file: Path) -> None:
    (outcome,) = optimize_many([file], pool=pool)
    assert outcome.key is file
    assert outcome.unwrap().input_size == file.stat().st_size


def test_no_images_no_outcomes(pool: Pool) -> None:
    assert list(optimize_many([], pool=pool)) == []


def test_quality_and_options_reach_every_image(pool: Pool) -> None:
    options = Options(keep=frozenset({Keep.ALL}), limits=Limits(max_input_bytes=100))
    images = [(1, image(b"")), (2, image(bytes(100)))]
    outcomes = {
        outcome.key: outcome for outcome in optimize_many(images, 33, options=options, pool=pool)
    }
    assert "quality 33 [<Keep.ALL" in outcomes[1].unwrap().method
    assert isinstance(outcomes[2].error, LimitExceededError)


def test_outcomes_come_as_they_finish(pool: Pool, tmp_path: Path) -> None:
    go = tmp_path / "go"
    stream = optimize_many(
        [("slow", image(b"wait-for " + bytes(go))), ("a", image(b""))], pool=pool
    )
    assert next(stream).key == "a"
    go.touch()
    assert [outcome.key for outcome in stream] == ["slow"]


def test_images_are_taken_as_room_becomes_free(pool: Pool) -> None:
    taken = 0

    def endless() -> Iterator[tuple[int, bytes]]:
        nonlocal taken
        while True:
            taken += 1
            yield taken, image(b"")

    stream = optimize_many(endless(), pool=pool)
    for received, _ in zip(range(1, 21), stream, strict=False):
        assert taken - received <= 2 * pool.workers
    stream.close()  # type: ignore[attr-defined]


def test_finished_outcomes_do_not_wait_for_more_images(pool: Pool) -> None:
    seen: list[int] = []
    outstanding: list[int] = []

    def slow_input() -> Iterator[tuple[int, bytes]]:
        for key in range(12):
            outstanding.append(key - len(seen))
            # Long enough for the image before to be finished, mostly.
            pool.optimize(image(b""))
            yield key, image(b"")

    for outcome in optimize_many(slow_input(), pool=pool):
        seen += [outcome.key]
    assert sorted(seen) == list(range(12))
    # Waiting for the room to be full would keep this one below it.
    assert min(outstanding[4:]) < 2 * pool.workers - 1


def test_files_are_read_late(pool: Pool, file: Path, tmp_path: Path) -> None:
    go = tmp_path / "go"
    late = tmp_path / "late.png"
    slow = image(b"wait-for " + bytes(go))
    stream = optimize_many([(0, file), (1, slow), (2, slow), (3, late)], pool=pool)
    assert next(stream).key == 0
    late.write_bytes(image(b""))
    go.touch()
    assert {outcome.key: outcome.error for outcome in stream} == {1: None, 2: None, 3: None}


def test_closing_early_stops_what_is_in_work(tmp_path: Path) -> None:
    started = tmp_path / "started"
    images = [(1, image(b"")), (2, image(b"started " + bytes(started))), (3, image(b""))]
    with Pool(2, _command=COMMAND) as pool:
        stream = optimize_many(images, pool=pool)
        next(stream)
        pid = int(wait_for_text(started))
        stream.close()  # type: ignore[attr-defined]
        wait_for_death(pid)
        # The pool is the caller's and goes on.
        assert pool.optimize(image(b"")).width == 1


def test_an_exception_of_the_input_passes_through(tmp_path: Path) -> None:
    started = tmp_path / "started"

    def images() -> Iterator[tuple[int, bytes]]:
        yield 1, image(b"started " + bytes(started))
        wait_for_text(started)
        raise ZeroDivisionError("of the input")

    with Pool(1, _command=COMMAND) as pool:
        with pytest.raises(ZeroDivisionError, match="of the input"):
            list(optimize_many(images(), pool=pool))
        wait_for_death(int(wait_for_text(started)))


def test_its_own_pool_is_gone_afterwards() -> None:
    before = children()
    outcomes = list(optimize_many([(1, b"\xff\xd8\xff"), (2, b"\xff\xd8\xff")], workers=1))
    assert {type(outcome.error) for outcome in outcomes} == {CorruptImageError}
    assert children() == before


def test_its_own_pool_is_gone_when_closed_early() -> None:
    before = children()
    stream = optimize_many(((key, b"\xff\xd8\xff") for key in range(100)), workers=1)
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert children() == before


def test_a_closed_pool_is_an_error_of_the_call() -> None:
    closed = Pool(1)
    closed.close()
    with pytest.raises(WorkerError, match="closed"):
        list(optimize_many([(1, image(b""))], pool=closed))


@pytest.mark.parametrize("item", [b"bytes", "text", 7, (1, "text"), (1, b"", 3), None])
def test_refuses_what_is_no_image(pool: Pool, item: Any) -> None:
    with pytest.raises(InvalidOptionError, match="paths"):
        list(optimize_many([item], pool=pool))


def test_wrong_arguments_show_before_the_first_outcome(pool: Pool) -> None:
    with pytest.raises(InvalidOptionError, match="quality"):
        optimize_many([], 101)
    with pytest.raises(InvalidOptionError, match="workers"):
        optimize_many([], workers=0)
    with pytest.raises(InvalidOptionError, match="both"):
        optimize_many([], pool=pool, workers=1)


class TestOutcome:
    def test_unwraps_its_result(self, pool: Pool) -> None:
        result = pool.optimize(image(b""))
        assert Outcome("key", result=result).unwrap() is result

    def test_raises_its_error(self) -> None:
        with pytest.raises(FileNotFoundError, match="gone"):
            Outcome("key", error=FileNotFoundError("gone")).unwrap()

    def test_is_frozen(self) -> None:
        with pytest.raises(dataclasses.FrozenInstanceError):
            Outcome("key").key = "other"  # type: ignore[misc]


def test_is_exported() -> None:
    assert tinyjpg.optimize_many is optimize_many
    assert tinyjpg.Outcome is Outcome
