"""`./run serve`: starts, keeps alive, stops, and says in one line why it does not start."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.server import postgresql
from tests.server.clients import (
    completed,
    execute,
    new_account,
    new_client,
    picture,
    post,
    upload,
)
from tests.server.running import RunningServer, command_line, descendants
from tinyjpg_server.db import migrate


def eventually(holds: Callable[[], bool], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def refused(
    *arguments: str, command: str = "serve", environment: dict[str, str] | None = None
) -> str:
    """What `command` says when it does not start."""
    done = subprocess.run(
        [sys.executable, "-m", "tinyjpg_server", command, *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **(environment or {})},
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stderr.strip()


def test_the_first_start_prints_a_curl_line_that_works_as_it_stands(tmp_path: Path) -> None:
    with RunningServer(tmp_path / "data") as server:
        line = next(line for line in server.log.splitlines() if line.startswith("  curl "))
        done = subprocess.run(
            [*shlex.split(line), "--silent", "--form", "wait=30"],
            check=True,
            capture_output=True,
            text=True,
        )
        assert '"status":"completed"' in done.stdout


def test_an_account_is_made_once_and_images_outlive_a_restart(tmp_path: Path) -> None:
    with RunningServer(tmp_path / "data", workers=0) as server:
        with new_client(server, server.key) as client:
            image_id = upload(client)["image_id"]
        assert server.stop() == 0
    with RunningServer(tmp_path / "data", key=server.key) as again:
        assert again.log.count("first start") == 1
        with new_client(again, server.key) as client:
            assert completed(client, image_id)["status"] == "completed"


def test_what_dies_comes_back(tmp_path: Path) -> None:
    with (
        RunningServer(tmp_path / "data") as server,
        new_client(server, server.key) as client,
    ):
        for find in (server.worker_pids, server.web_pids):
            before = find()
            for pid in before:
                os.kill(pid, signal.SIGKILL)
            eventually(lambda find=find, before=before: bool(set(find()) - set(before)))  # type: ignore[misc]
        eventually(lambda: _answers(server))
        assert completed(client, upload(client)["image_id"])["status"] == "completed"


def _answers(server: RunningServer) -> bool:
    host, _, port = server.url.removeprefix("http://").partition(":")
    with socket.socket() as peer:
        return peer.connect_ex((host, int(port))) == 0


def test_stopping_finishes_what_is_in_work_and_leaves_no_process(tmp_path: Path) -> None:
    with RunningServer(tmp_path / "data") as server:
        with new_client(server, server.key) as client:
            image_id = upload(client, picture("png", 700, 700))["image_id"]
            eventually(lambda: bool(server.child_pids()))
        processes = descendants(server.pid)
        assert server.stop() == 0
        assert [pid for pid in processes if command_line(pid)] == []
    with RunningServer(tmp_path / "data", workers=0, key=server.key) as again:
        with new_client(again, server.key) as client:
            data = client.get(f"/api/status/{image_id}").json()["data"]
            assert data["status"] in {"completed", "processing"}
        assert "swept" not in again.log


def test_killing_the_supervisor_leaves_no_process(tmp_path: Path) -> None:
    server = RunningServer(tmp_path / "data").start()
    with new_client(server, server.key) as client:
        post(client, wait=30)
    processes = descendants(server.pid)
    assert len(processes) >= 4
    server.kill()
    eventually(lambda: not any(command_line(pid) for pid in processes))


@pytest.mark.parametrize("after", [0.0, 0.3])
def test_killing_the_supervisor_while_it_starts_leaves_no_process(
    tmp_path: Path, after: float
) -> None:
    command = [sys.executable, "-m", "tinyjpg_server", "serve", "--port", "0", "--workers", "1"]
    supervisor = subprocess.Popen(
        [*command, "--data", str(tmp_path / "data")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        eventually(lambda: len(descendants(supervisor.pid)) >= 2, 60)
        time.sleep(after)
        processes = descendants(supervisor.pid)
    finally:
        supervisor.kill()
        supervisor.wait()
    eventually(lambda: not any(command_line(pid) for pid in processes))


def test_stopping_answers_who_waits_for_an_image(tmp_path: Path) -> None:
    with (
        RunningServer(tmp_path / "data", workers=0) as server,
        new_client(server, server.key) as client,
        ThreadPoolExecutor() as threads,
    ):
        image_id = upload(client)["image_id"]
        poll = threads.submit(client.get, f"/api/status/{image_id}", params={"wait": "60"})
        time.sleep(0.5)
        assert not poll.done()
        assert server.stop() == 0
        answer = poll.result()
        assert (answer.status_code, answer.json()["data"]["status"]) == (200, "processing")
        assert "refused to gracefully stop" not in server.log


def test_told_twice_it_ends_at_once_and_loses_nothing(tmp_path: Path) -> None:
    with RunningServer(tmp_path / "data") as server:
        with new_client(server, server.key) as client:
            image_id = upload(client, picture("png", 1200, 1200))["image_id"]
            eventually(lambda: bool(server.child_pids()))
        processes = descendants(server.pid)
        os.kill(server.pid, signal.SIGINT)
        eventually(lambda: "stopping" in server.log)
        assert server.stop() == 0
        eventually(lambda: not any(command_line(pid) for pid in processes))
    with (
        RunningServer(tmp_path / "data", key=server.key) as again,
        new_client(again, server.key) as client,
    ):
        assert completed(client, image_id)["status"] == "completed"
        stats = client.get("/api/v1/stats").json()["data"]
        assert (stats["used"], stats["pending"]) == (1, 0)


def test_the_child_that_decodes_knows_no_secret(tmp_path: Path) -> None:
    secret = {"TINYJPG_METRICS_TOKEN": "do-not-tell", "AWS_SECRET_ACCESS_KEY": "nor-this"}
    with (
        RunningServer(tmp_path / "data", environment=secret) as server,
        new_client(server, server.key) as client,
    ):
        post(client, wait=30)
        children = server.child_pids()
        assert children
        for pid in children:
            environment = Path(f"/proc/{pid}/environ").read_bytes()
            assert b"do-not-tell" not in environment
            assert b"nor-this" not in environment
            assert b"TINYJPG_DATA" not in environment
        assert client.get("/metrics").status_code == 401
        token = {"Authorization": "Bearer do-not-tell"}
        assert client.get("/metrics", headers=token).status_code == 200


def test_postgresql_serves_as_well(tmp_path: Path) -> None:
    reason = postgresql.why_not()
    if reason:
        pytest.skip(reason)
    with postgresql.new_database() as url:
        environment = {"TINYJPG_DATABASE_URL": url}
        with (
            RunningServer(tmp_path / "data", environment=environment) as server,
            new_client(server, server.key) as client,
        ):
            assert completed(client, upload(client)["image_id"])["status"] == "completed"
            stats = client.get("/api/v1/stats").json()["data"]
            assert (stats["used"], stats["pending"]) == (1, 0)
        assert not (tmp_path / "data" / "tinyjpg.sqlite3").exists()


def test_a_port_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = refused("--data", str(tmp_path / "data"), "--port", port)
    assert said.count("\n") == 0
    assert f"127.0.0.1:{port}" in said
    assert "--port" in said


def test_a_database_out_of_reach(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        url = f"postgresql://somebody:password@127.0.0.1:{port}/tinyjpg"
        environment = {"TINYJPG_DATABASE_URL": url}
        said = refused("--data", str(tmp_path / "data"), "--port", "0", environment=environment)
    assert said.count("\n") == 0
    assert f"127.0.0.1:{port}" in said
    assert "password" not in said


def test_a_database_of_a_newer_version(tmp_path: Path) -> None:
    migrate.upgrade(f"sqlite+aiosqlite:///{tmp_path / 'tinyjpg.sqlite3'}")
    with closing(sqlite3.connect(tmp_path / "tinyjpg.sqlite3")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    said = refused("--data", str(tmp_path), "--port", "0")
    assert said.count("\n") == 0
    assert "9999" in said


@pytest.mark.parametrize("command", ["web", "worker"])
def test_alone_they_want_a_migrated_database(tmp_path: Path, command: str) -> None:
    environment = {"TINYJPG_DATA": str(tmp_path), "TINYJPG_PORT": "0"}
    said = refused(command=command, environment=environment)
    assert said.count("\n") == 0
    assert "migrate" in said


def test_a_folder_in_use(tmp_path: Path) -> None:
    with RunningServer(tmp_path / "data", workers=0):
        said = refused("--data", str(tmp_path / "data"), "--port", "0")
    assert said.count("\n") == 0
    assert "already" in said


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = refused("--data", str(tmp_path / "file" / "data"), "--port", "0")
    assert said.count("\n") == 0
    assert "--data" in said


def test_wrong_settings_are_each_named(tmp_path: Path) -> None:
    wrong = {"TINYJPG_QUEUE_LIMIT": "none", "TINYJPG_LOG_LEVEL": "loud"}
    said = refused("--data", str(tmp_path / "data"), environment=wrong)
    assert "TINYJPG_QUEUE_LIMIT" in said
    assert "TINYJPG_LOG_LEVEL" in said
    assert "Traceback" not in said


def test_an_unknown_setting_in_the_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "tinyjpg.toml"
    file.write_text("wrokers = 2\n")
    said = refused(environment={"TINYJPG_CONFIG": str(file)})
    assert "wrokers" in said


def test_several_web_processes_count_rates_and_figures_together(tmp_path: Path) -> None:
    url = os.environ.get("TINYJPG_TEST_REDIS", "redis://127.0.0.1:6379/15")
    reason = _no_redis(url)
    if reason:
        pytest.skip(reason)
    environment = {"TINYJPG_REDIS_URL": url, "TINYJPG_WEB_PROCESSES": "2"}
    with RunningServer(tmp_path / "data", workers=0, environment=environment) as server:
        account = new_account(server)
        seen = []
        for _ in range(12):
            # A connection of its own each, so that both processes are asked.
            with new_client(server, account.key) as client:
                answer = client.get("/api/v1/stats")
                assert answer.status_code == 200
                seen.append(
                    (answer.headers["x-ratelimit-reset"], answer.headers["x-ratelimit-remaining"])
                )
        # Each counting for itself would tell the same twice.
        assert len(set(seen)) == len(seen)
        with new_client(server, account.key) as client:
            figures = client.get("/metrics").text
        (line,) = (
            line
            for line in figures.splitlines()
            if line.startswith("tinyjpg_http_requests_total") and "/api/stats" in line
        )
        assert float(line.rpartition(" ")[2]) == len(seen)


def _no_redis(url: str) -> str | None:
    parts = urlsplit(url)
    with socket.socket() as peer:
        peer.settimeout(1)
        if peer.connect_ex((parts.hostname or "127.0.0.1", parts.port or 6379)) == 0:
            return None
    return (
        "no Redis answers; start one on 127.0.0.1:6379 (Debian: apt install redis-server) or name "
        "it in TINYJPG_TEST_REDIS"
    )


def test_an_account_left_without_a_key_is_finished(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with RunningServer(data, workers=0) as server:
        execute(server, "DELETE FROM api_keys")
    with RunningServer(data, workers=0) as again, new_client(again, again.key) as client:
        assert again.key != server.key
        assert client.get("/api/v1/stats").status_code == 200
