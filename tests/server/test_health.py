"""/healthz, /readyz and /metrics."""

from __future__ import annotations

from pathlib import Path

import httpx

from tests.server.answers import failure
from tests.server.running import RunningServer, running_server


def test_alive_and_ready(server: RunningServer) -> None:
    for path in ("/healthz", "/readyz"):
        answer = server.client.get(path)
        assert answer.status_code == 200
        assert answer.json()["success"] is True


def test_metrics_count_by_route(server: RunningServer) -> None:
    server.client.get("/api/status/424242")
    text = server.client.get("/metrics").text
    route = "/api/status/{image_id}"
    assert f'tinyjpg_http_requests_total{{method="GET",route="{route}",status="401"}}' in text
    assert "424242" not in text
    assert "tinyjpg_queue_depth" in text


def test_metrics_want_their_token(tmp_path: Path) -> None:
    with running_server(tmp_path, metrics_token="open sesame") as server:  # noqa: S106 - a test
        failure(server.client.get("/metrics"), 401, "unauthorized")
        wrong = {b"Authorization": "Bearer sésame".encode()}
        failure(server.client.get("/metrics", headers=wrong), 401, "unauthorized")
        right = {"Authorization": "Bearer open sesame"}
        assert server.client.get("/metrics", headers=right).status_code == 200


def test_not_ready_without_a_place_for_files(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        files = tmp_path / "files"
        files.rename(tmp_path / "elsewhere")
        files.write_text("in the way")
        answer: httpx.Response = server.client.get("/readyz")
        files.unlink()
        failure(answer, 503, "unavailable")
