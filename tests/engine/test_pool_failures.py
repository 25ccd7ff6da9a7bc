"""A worker that crashes, hangs, eats memory or lies fails one image, never the caller."""

from __future__ import annotations

import io
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.engine.misbehaving_worker import COMMAND, image
from tests.engine.processes import wait_for_death, wait_for_text
from tests.engine.worker_messages import message, result
from tinyjpg import Pool, WorkerError

MEBIBYTE = 1024 * 1024


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(1, memory=512 * MEBIBYTE, _command=COMMAND) as pool:
        yield pool


def worker_id(pool: Pool) -> int:
    return int(pool.optimize(image(b"")).method.split()[1])


def fail(pool: Pool, order: bytes) -> WorkerError:
    """Have `order` done, see it fail, and see that the next image gets a fresh worker."""
    before = worker_id(pool)
    with pytest.raises(WorkerError) as caught:
        pool.optimize(image(order))
    wait_for_death(before)
    assert worker_id(pool) != before
    return caught.value


def test_a_crash(pool: Pool) -> None:
    error = fail(pool, b"crash")
    assert "crashed on this image: Segmentation fault (signal 11)" in str(error)


def test_an_exit(pool: Pool) -> None:
    assert "failed on this image: exit status 3" in str(fail(pool, b"exit 3"))
    assert "failed on this image: exit status 0" in str(fail(pool, b"exit 0"))


def test_an_unforeseen_exception(pool: Pool) -> None:
    error = fail(pool, b"bug")
    assert "failed on this image: ZeroDivisionError: a bug in a codec" in str(error)
    assert any("Traceback" in note for note in error.__notes__)


def test_too_much_memory(pool: Pool) -> None:
    assert pool.optimize(image(b"eat 100000000")).method == "100000000"
    assert "ran out of its memory of 512 MiB on this image" in str(fail(pool, b"eat 1000000000"))


@pytest.mark.parametrize("order", [b"eat-as-libvips", b"eat-as-oxipng"])
def test_memory_that_ran_out_inside_a_codec_is_not_blamed_on_the_image(
    pool: Pool, order: bytes
) -> None:
    assert "ran out of its memory" in str(fail(pool, order))


def test_too_much_memory_inside_a_real_codec() -> None:
    stream = io.BytesIO()
    Image.new("RGB", (6000, 6000)).save(stream, "PNG", compress_level=1)
    with (
        Pool(1, memory=256 * MEBIBYTE) as pool,
        pytest.raises(WorkerError, match="ran out of its memory of 256 MiB"),
    ):
        pool.optimize(stream.getvalue())


def test_a_worker_killed_while_idle_is_replaced_unnoticed(pool: Pool) -> None:
    before = worker_id(pool)
    os.kill(before, signal.SIGKILL)
    wait_for_death(before)
    assert worker_id(pool) != before


def test_a_worker_killed_from_outside_while_busy(tmp_path: Path) -> None:
    started = tmp_path / "started"
    with Pool(1, _command=COMMAND) as pool:
        future = pool.submit(image(b"started " + bytes(started)))
        os.kill(int(wait_for_text(started)), signal.SIGKILL)
        with pytest.raises(WorkerError, match="killed from outside"):
            future.result()


class TestTimeout:
    def test_ends_a_hang(self) -> None:
        with Pool(1, timeout=1.0, _command=COMMAND) as pool:
            assert "took longer than 1.0 s" in str(fail(pool, b"hang"))

    def test_takes_along_what_the_worker_started(self, tmp_path: Path) -> None:
        started = tmp_path / "grandchild"
        with Pool(1, timeout=1.0, _command=COMMAND) as pool:
            fail(pool, b"grandchild " + bytes(started))
        wait_for_death(int(wait_for_text(started)))

    def test_ends_a_worker_that_reads_nothing(self) -> None:
        # The image does not fit into the socket, so sending it has to be given up.
        script = "import time; from tinyjpg import wire; import os; os.write(0, wire.encode("
        script += "wire.READY)); time.sleep(1000)"
        command = (COMMAND[0], "-c", script)
        with (
            Pool(1, timeout=0.5, _command=command) as pool,
            pytest.raises(WorkerError, match="took longer"),
        ):
            pool.optimize(image(bytes(10_000_000)))


class TestStart:
    def test_no_such_program(self) -> None:
        with (
            Pool(1, _command=("/no/such/program",)) as pool,
            pytest.raises(WorkerError, match=r"cannot be started: .*No such file"),
        ):
            pool.optimize(image(b""))

    def test_a_program_that_ends(self) -> None:
        command = (COMMAND[0], "-c", "raise ImportError('no module named libvips')")
        with Pool(1, _command=command) as pool:
            for _ in range(2):
                with pytest.raises(WorkerError, match="failed while starting: ImportError: no mod"):
                    pool.optimize(image(b""))

    def test_a_program_that_talks_nonsense(self) -> None:
        command = (COMMAND[0], "-c", "import os; os.write(0, b'HTTP/1.1 200 OK' * 99)")
        with Pool(1, _command=command) as pool, pytest.raises(WorkerError, match="protocol"):
            pool.optimize(image(b""))


@pytest.mark.parametrize(
    "reply", [b"\0" * 200, message({}), message(result(unchanged=False), b"<html>")]
)
def test_a_reply_that_makes_no_sense(pool: Pool, reply: bytes) -> None:
    assert "broke its protocol" in str(fail(pool, b"raw " + reply))


def test_a_result_that_is_larger_than_the_input(pool: Pool) -> None:
    assert "is the most there can be" in str(fail(pool, b"grow"))


def test_a_reply_before_the_image_was_read() -> None:
    script = "import os; from tinyjpg import wire; os.write(0, wire.encode(wire.READY)); "
    script += f"os.read(0, 1); os.write(0, {message(result())!r}); os.read(0, 1)"
    command = (COMMAND[0], "-c", script)
    with (
        Pool(1, _command=command) as pool,
        pytest.raises(WorkerError, match="replied before it had the image"),
    ):
        pool.optimize(image(bytes(10_000_000)))


def test_a_reply_that_stops_half_way() -> None:
    with (
        Pool(1, timeout=1.0, _command=COMMAND) as pool,
        pytest.raises(WorkerError, match="took longer"),
    ):
        pool.optimize(image(b"raw " + message(result())[:-3]))


def test_workers_fail_in_parallel_without_touching_each_other() -> None:
    orders = [b"crash", b"", b"exit 1", b"", b"bug", b""] * 2
    with Pool(3, _command=COMMAND) as pool:
        futures = [pool.submit(image(order)) for order in orders]
        failed = [future.exception() is not None for future in futures]
    assert failed == [order != b"" for order in orders]
