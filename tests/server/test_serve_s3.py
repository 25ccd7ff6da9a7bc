"""`./run serve` with the image files in a bucket of S3."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import obstore
import pytest
from obstore.store import S3Store

from tests.server import s3
from tests.server.clients import admin, completed, execute, new_client, picture, post, upload
from tests.server.running import RunningServer
from tests.server.test_serve import refused
from tinyjpg_server.errors import SettingsError
from tinyjpg_server.settings import load_settings
from tinyjpg_server.storage.s3 import bucket

PREFIX = "service/images"
PICTURES = 12


@pytest.fixture(scope="module")
def s3_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    reason = s3.why_not()
    if reason:
        pytest.skip(reason)
    with s3.running_s3(tmp_path_factory.mktemp("s3")) as url:
        yield url


@pytest.fixture
def objects(s3_url: str, monkeypatch: pytest.MonkeyPatch) -> S3Store:
    """What lies below the service's prefix."""
    environment = s3.environment(s3_url, prefix=PREFIX)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return bucket(environment["TINYJPG_STORAGE_URL"], environment["TINYJPG_STORAGE_ENDPOINT"])


def sizes(objects: S3Store) -> dict[str, int]:
    return {meta["path"]: meta["size"] for page in objects.list() for meta in page}


def test_several_web_processes_and_workers_share_a_bucket(objects: S3Store, tmp_path: Path) -> None:
    pictures = [picture("png", seed=seed) for seed in range(PICTURES)]
    data = tmp_path / "data"
    with RunningServer(data, workers=2, environment={"TINYJPG_WEB_PROCESSES": "2"}) as server:

        def send(image: bytes) -> tuple[dict[str, object], bytes, bytes]:
            # A connection of its own each time, so that both web processes answer.
            with new_client(server, server.key) as client:
                image_id = upload(client, image)["image_id"]
            with new_client(server, server.key) as client:
                done = completed(client, image_id)
            with new_client(server, server.key) as client:
                original = client.get(done["original_url"])
                part = client.get(done["optimized_url"], headers={"Range": "bytes=1-9"})
                whole = client.get(done["optimized_url"])
            assert (original.status_code, part.status_code, whole.status_code) == (200, 206, 200)
            assert part.content == whole.content[1:10]
            return done, original.content, whole.content

        with ThreadPoolExecutor(4) as threads:
            answers = list(threads.map(send, pictures))
        assert [answer[0]["status"] for answer in answers] == ["completed"] * PICTURES
        assert [answer[1] for answer in answers] == pictures
        assert all(len(small) < len(large) for _, large, small in answers)

        stored = sizes(objects)
        assert len(stored) == 2 * PICTURES
        assert sum(stored.values()) == sum(len(a) + len(b) for _, a, b in answers)
        assert not (data / "files").exists()
        assert list((data / "incoming").iterdir()) == []

        gone = answers[0][0]
        with new_client(server, server.key) as client:
            assert client.get("/readyz").status_code == 200
            assert client.delete(f"/api/images/{gone['image_id']}").status_code == 200
            assert client.get(str(gone["original_url"])).status_code == 404
        execute(server, "UPDATE images SET expires_at = '2000-01-01' WHERE deleted_at IS NULL")
        admin(server, "purge")
        assert sizes(objects) == {}


def test_a_bucket_out_of_reach_is_answered_503(tmp_path: Path) -> None:
    reason = s3.why_not()
    if reason or s3.NAMED:
        pytest.skip(reason or "the named S3 is not ours to stop")
    with ExitStack() as stack:
        bucket_of_its_own = stack.enter_context(ExitStack())
        url = bucket_of_its_own.enter_context(s3.running_s3(tmp_path))
        server = stack.enter_context(
            RunningServer(tmp_path / "data", environment=s3.environment(url))
        )
        client = stack.enter_context(new_client(server, server.key))
        image = upload(client)
        completed(client, image["image_id"])
        bucket_of_its_own.close()
        for answer in (
            post(client),
            client.get(image["original_url"]),
            client.get(image["optimized_url"]),
            client.get("/readyz"),
        ):
            assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
            assert answer.headers["retry-after"] == "5"
        # What needs no file goes on.
        assert client.get(f"/api/status/{image['image_id']}").status_code == 200
        assert client.get("/api/v1/stats").json()["data"]["pending"] == 0


def test_a_bucket_that_is_not_there_is_told_at_the_start(s3_url: str, tmp_path: Path) -> None:
    said = refused(
        "--data", str(tmp_path), "--port", "0", environment=s3.environment(s3_url, bucket="another")
    )
    assert "s3://another" in said
    assert "TINYJPG_STORAGE_URL" in said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TINYJPG_STORAGE_URL", "images"),
        ("TINYJPG_STORAGE_URL", "s3://"),
        ("TINYJPG_STORAGE_URL", "s3://images/../other"),
        ("TINYJPG_STORAGE_URL", "https://images.s3.amazonaws.com"),
        ("TINYJPG_STORAGE_ENDPOINT", "127.0.0.1:9000"),
        ("TINYJPG_STORAGE_PATH_STYLE", "maybe"),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=name):
        load_settings()


@pytest.mark.parametrize(
    ("endpoint", "path_style", "asked"),
    [
        (None, True, "https://s3.eu-central-1.amazonaws.com/photos/eu/a"),
        (None, False, "https://photos.s3.eu-central-1.amazonaws.com/eu/a"),
        ("https://s3.example.com", True, "https://s3.example.com/photos/eu/a"),
        ("https://photos.example.com", False, "https://photos.example.com/eu/a"),
    ],
)
def test_where_a_bucket_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, endpoint: str | None, path_style: bool, asked: str
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    objects = bucket("s3://photos/eu", endpoint, path_style=path_style)
    signed = obstore.sign(objects, "GET", "a", timedelta(minutes=1))
    assert signed.partition("?")[0] == asked
