"""What a Pool leaves behind: no process, no descriptor, no thread, no secret, no noise."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import CancelledError
from pathlib import Path

import pytest

from tests.engine.misbehaving_worker import COMMAND, image
from tests.engine.processes import (
    children,
    descriptors,
    wait_for_death,
    wait_for_text,
)
from tinyjpg import Pool, WorkerError

ROOT = Path(__file__).parents[2]

linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def worker_id(pool: Pool) -> int:
    return int(pool.optimize(image(b"")).method.split()[1])


@linux
def test_descriptors_and_zombies_do_not_pile_up() -> None:
    children_before, descriptors_before = children(), descriptors()
    with Pool(2, timeout=1.0, _command=COMMAND) as pool:
        for order in (b"", b"crash", b"exit 1", b"raw nonsense, and more of it", b"hang", b""):
            if order:
                with pytest.raises(WorkerError):
                    pool.optimize(image(order))
            else:
                pool.optimize(image(order))
            assert len(children()) <= len(children_before) + 1
    assert children() == children_before
    assert descriptors() == descriptors_before


@linux
def test_a_pool_that_is_not_used_starts_nothing() -> None:
    before = children()
    with Pool(4):
        assert children() == before


def test_workers_are_recycled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinyjpg.crew.IMAGES_PER_CHILD", 2)
    with Pool(1, _command=COMMAND) as pool:
        seen = [worker_id(pool) for _ in range(4)]
    assert seen[0] == seen[1] != seen[2] == seen[3]


class TestWorkerProcess:
    def test_sees_no_secrets(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SECRET", "swordfish")
        monkeypatch.setenv("TINYJPG_DATABASE", "swordfish")
        with Pool(1, _command=COMMAND) as pool:
            environ = json.loads(pool.optimize(image(b"environ")).method)
        assert "swordfish" not in str(environ)
        assert environ["PATH"] == os.environ["PATH"]
        assert environ["VIPS_CONCURRENCY"] == environ["RAYON_NUM_THREADS"] == "1"
        assert environ["VIPS_BLOCK_UNTRUSTED"] == "1"

    @linux
    def test_has_nothing_open_but_its_own_ends(self, tmp_path: Path) -> None:
        with (tmp_path / "secret").open("wb") as stream, Pool(2, _command=COMMAND) as pool:
            os.set_inheritable(stream.fileno(), True)
            first = pool.submit(image(b"state"))
            state = json.loads(pool.optimize(image(b"state")).method)
            first.result()
        kinds = sorted(name.partition(":")[0] for name in state["descriptors"])
        # stdin and stdout; stderr and the lifeline; the socket.
        assert kinds == ["/dev/null", "/dev/null", "pipe", "pipe", "socket"]

    @linux
    def test_is_alone_in_its_session_and_first_to_go(self) -> None:
        with Pool(1, _command=COMMAND) as pool:
            state = json.loads(pool.optimize(image(b"state")).method)
        assert state["session"]
        assert state["group"]
        assert state["core"] == "0"
        assert state["oom"] == "1000"

    def test_finds_modules_where_this_process_finds_them(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "only_here.py").write_text("import os\n", encoding="ascii")
        monkeypatch.syspath_prepend(str(tmp_path))
        command = (
            sys.executable,
            "-P",
            "-c",
            f"import only_here, runpy; runpy.run_path({COMMAND[-1]!r}, run_name='__main__')",
        )
        with Pool(1, _command=command) as pool:
            assert pool.optimize(image(b"")).width == 1

    def test_does_not_import_from_the_current_folder(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "json.py").write_text("raise SystemExit('hijacked')", encoding="ascii")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "path", ["", *sys.path])
        with Pool(1, _command=COMMAND) as pool:
            assert pool.optimize(image(b"")).width == 1


class TestClose:
    def test_ends_what_is_in_flight_with_a_clear_error(self, tmp_path: Path) -> None:
        started, pool = tmp_path / "started", Pool(1, _command=COMMAND)
        running = pool.submit(image(b"started " + bytes(started)))
        queued = pool.submit(image(b""))
        pid = int(wait_for_text(started))
        pool.close()
        wait_for_death(pid)
        for future in (running, queued):
            with pytest.raises(WorkerError, match="the pool was closed"):
                future.result()

    def test_ends_a_direct_call_and_one_that_waits(self, tmp_path: Path) -> None:
        started, pool = tmp_path / "started", Pool(1, _command=COMMAND)
        errors: list[WorkerError] = []

        def call(order: bytes) -> None:
            with pytest.raises(WorkerError, match="the pool was closed") as caught:
                pool.optimize(image(order))
            errors.append(caught.value)

        threads = [threading.Thread(target=call, args=(b"started " + bytes(started),))]
        threads[0].start()
        wait_for_text(started)
        threads.append(threading.Thread(target=call, args=(b"",)))
        threads[1].start()
        pool.close()
        for thread in threads:
            thread.join()
        assert len(errors) == 2

    def test_twice_is_fine(self) -> None:
        pool = Pool(1, _command=COMMAND)
        worker_id(pool)
        pool.close()
        pool.close()
        assert "closed" in repr(pool)

    def test_then_every_use_is_refused(self) -> None:
        pool = Pool(1)
        pool.close()
        with pytest.raises(WorkerError, match="closed"):
            pool.optimize(image(b""))
        with pytest.raises(WorkerError, match="closed"):
            pool.submit(image(b""))
        with pytest.raises(WorkerError, match="closed"), pool:
            pass

    def test_leaves_no_thread(self) -> None:
        before = set(threading.enumerate())
        with Pool(3, _command=COMMAND) as pool:
            for future in [pool.submit(image(b"")) for _ in range(6)]:
                future.result()
        for thread in set(threading.enumerate()) - before:
            thread.join(30)
            assert not thread.is_alive()


class TestCancel:
    def test_a_queued_call(self, tmp_path: Path) -> None:
        started = tmp_path / "started"
        with Pool(1, _command=COMMAND) as pool:
            pool.submit(image(b"started " + bytes(started)))
            wait_for_text(started)
            queued = pool.submit(image(b""))
            assert queued.cancel()
            with pytest.raises(CancelledError):
                queued.result()

    def test_a_call_in_work_kills_its_worker_only(self, tmp_path: Path) -> None:
        started = tmp_path / "started"
        with Pool(2, _command=COMMAND) as pool:
            running = pool.submit(image(b"started " + bytes(started)))
            pid = int(wait_for_text(started))
            other = worker_id(pool)
            assert not running.cancel()
            with pytest.raises(WorkerError, match="cancelled"):
                running.result()
            wait_for_death(pid)
            assert worker_id(pool) == other

    def test_an_asyncio_task_that_is_cancelled_frees_its_worker(self, tmp_path: Path) -> None:
        started = tmp_path / "started"

        async def give_up(pool: Pool) -> None:
            call = asyncio.wrap_future(pool.submit(image(b"started " + bytes(started))))
            while not started.exists():
                await asyncio.sleep(0.01)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call

        with Pool(1, _command=COMMAND) as pool:
            asyncio.run(give_up(pool))
            wait_for_death(int(wait_for_text(started)))
            assert pool.optimize(image(b"")).width == 1

    def test_a_finished_call_touches_nobody(self) -> None:
        with Pool(1, _command=COMMAND) as pool:
            future = pool.submit(image(b""))
            pid = int(future.result().method.split()[1])
            assert not future.cancel()
            assert worker_id(pool) == pid


def test_a_forgotten_pool_warns_and_cleans_up() -> None:
    pool = Pool(1, _command=COMMAND)
    pid = worker_id(pool)
    forget = [pool]
    del pool
    with pytest.warns(ResourceWarning, match="unclosed <tinyjpg.Pool of 1 workers>"):
        forget.clear()
    wait_for_death(pid)


def test_a_refused_or_closed_pool_goes_without_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pool = Pool(1)
        pool.close()
        del pool
        gc.collect()


@linux
def test_a_forked_process_has_workers_of_its_own() -> None:
    with Pool(1, _command=COMMAND) as pool:
        ours = worker_id(pool)
        read, write = os.pipe()
        with warnings.catch_warnings():
            # Python warns of forking with threads around; that it works is the point.
            warnings.simplefilter("ignore", DeprecationWarning)
            forked = os.fork()
        if forked == 0:
            theirs = worker_id(pool)
            pool.close()
            os.write(write, str(theirs).encode())
            os._exit(0)
        os.close(write)
        with os.fdopen(read, "rb") as stream:
            theirs = int(stream.read())
        assert os.waitpid(forked, 0)[1] == 0
        assert theirs != ours
        wait_for_death(theirs)
        assert worker_id(pool) == ours


def script(body: str, *arguments: str) -> subprocess.Popen[str]:
    """Run `body` in a Python of its own, with a Pool class at hand."""
    head = "import os, sys, signal, time, threading\nfrom pathlib import Path\n"
    # A process started in the background, as CI does, inherits that Ctrl-C is ignored.
    head += "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    head += "from tinyjpg import Pool\n"
    head += "from tests.engine.misbehaving_worker import COMMAND, image\n"
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", head + body, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)])},
    )


@linux
@pytest.mark.parametrize("order", ["grandchild", "started"])
def test_workers_die_with_a_parent_that_is_killed(tmp_path: Path, order: str) -> None:
    started = tmp_path / "started"
    parent = script(
        f"pool = Pool(1, _command=COMMAND)\npool.optimize(image(b'{order} ' + "
        "sys.argv[1].encode()))",
        str(started),
    )
    pid = int(wait_for_text(started))
    parent.kill()
    parent.communicate()
    wait_for_death(pid)


@linux
def test_a_worker_that_holds_the_gil_dies_with_its_parent(tmp_path: Path) -> None:
    parent = script(
        "pool = Pool(1, _command=COMMAND)\n"
        "pid = pool.optimize(image(b'')).method.split()[1]\n"
        "Path(sys.argv[1]).write_text(pid)\n"
        "pool.optimize(image(b'hang'))",
        str(tmp_path / "pid"),
    )
    pid = int(wait_for_text(tmp_path / "pid"))
    time.sleep(0.2)
    parent.kill()
    parent.communicate()
    wait_for_death(pid)


@linux
@pytest.mark.parametrize("way", ["direct", "with", "submit", "many"])
def test_ctrl_c_ends_promptly_and_quietly(tmp_path: Path, way: str) -> None:
    started = tmp_path / "started"
    use = {
        "direct": "pool = Pool(2, _command=COMMAND); pool.optimize(job)",
        "with": "with Pool(2, _command=COMMAND) as pool:\n    pool.optimize(job)",
        "submit": "pool = Pool(2, _command=COMMAND); pool.submit(job).result()",
        "many": (
            "from tinyjpg import optimize_many\n"
            "with Pool(2, _command=COMMAND) as pool:\n"
            "    list(optimize_many(((n, job) for n in range(9)), pool=pool))"
        ),
    }[way]
    process = script(f"job = image(b'started ' + sys.argv[1].encode())\n{use}", str(started))
    pid = int(wait_for_text(started))
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    wait_for_death(pid)
    assert process.returncode == -signal.SIGINT
    assert out == ""
    # One traceback, the parent's own.
    assert err.count("Traceback") == 1
    assert err.rstrip().endswith("KeyboardInterrupt")


@linux
def test_exit_does_not_wait_for_images_nobody_waits_for(tmp_path: Path) -> None:
    started = tmp_path / "started"
    process = script(
        "pool = Pool(1, _command=COMMAND)\n"
        "pool.submit(image(b'started ' + sys.argv[1].encode()))\n"
        "while not Path(sys.argv[1]).exists(): time.sleep(0.01)",
        str(started),
    )
    process.communicate(timeout=30)
    assert process.returncode == 0
    wait_for_death(int(wait_for_text(started)))


@linux
def test_a_dead_worker_does_not_kill_a_parent_with_default_sigpipe() -> None:
    process = script(
        "signal.signal(signal.SIGPIPE, signal.SIG_DFL)\n"
        "command = (sys.executable, '-c', 'import os; from tinyjpg import wire; '\n"
        "    'os.write(0, wire.encode(wire.READY))')\n"
        "with Pool(1, _command=command) as pool:\n"
        "    try: pool.optimize(image(bytes(10_000_000)))\n"
        "    except Exception as error: print(type(error).__name__)\n"
    )
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out.strip(), err) == (0, "WorkerError", "")


@linux
def test_works_from_a_script_without_a_main_guard(tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_text(
        "from tinyjpg import Pool, TinyJPGError\n"
        "with Pool(1) as pool:\n"
        "    try:\n"
        "        pool.optimize(b'\\xff\\xd8\\xff')\n"
        "    except TinyJPGError as error:\n"
        "        print(type(error).__name__)\n",
        encoding="ascii",
    )
    finished = subprocess.run(
        [sys.executable, "-W", "error", str(path)], capture_output=True, text=True, check=True
    )
    assert finished.stdout == "CorruptImageError\n"
