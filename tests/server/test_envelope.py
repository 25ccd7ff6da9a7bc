"""Every answer has the envelope, an id and safe headers, whatever was asked."""

from __future__ import annotations

import re
import socket
from urllib.parse import urlsplit

import httpx
import pytest

from tests.server.clients import MakeClient, upload
from tests.server.running import RunningServer

HUGE = 2**70


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing/here", 404),
        ("GET", "/api", 404),
        ("GET", "/api/optimize", 405),
        ("PUT", "/api/status/1", 405),
        ("DELETE", "/api/v1/usage", 405),
        ("GET", "/api/status/0", 404),
        ("GET", "/api/status/-1", 404),
        ("GET", "/api/status/abc", 404),
        ("GET", f"/api/status/{HUGE}", 404),
        ("GET", "/api/status/%00", 404),
        ("GET", "/api/status/1%2F..%2F2", 404),
        ("GET", "/api/status/1?wait=abc", 422),
        ("GET", "/api/status/1?wait=-1", 422),
        ("GET", "/api/status/1?wait=1000", 422),
        ("GET", "/api/status/1?wait=nan", 422),
        ("GET", "/api/images?limit=0", 422),
        ("GET", "/api/images?limit=101", 422),
        ("GET", "/api/images?cursor=x", 422),
        ("GET", "/api/images?status=done", 422),
        ("GET", "/api/images?format=bmp", 422),
        ("DELETE", f"/api/images/{HUGE}", 404),
        ("GET", "/direct-file/original/x", 404),
        ("GET", "/direct-file/original/..%2f..%2ftinyjpg.sqlite3", 404),
        ("GET", "/direct-file/optimized/%2e%2e/%2e%2e/etc/passwd", 404),
        ("GET", "/api/v1/nothing", 404),
    ],
)
def test_failures(client: httpx.Client, method: str, path: str, status: int) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert set(body) == {"success", "message", "errors", "code"}
    assert body["success"] is False
    assert body["message"]
    assert re.fullmatch(r"[a-z_]+", body["code"])
    assert isinstance(body["errors"], dict)
    assert answer.headers["x-request-id"]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_an_id_that_the_client_sends_is_kept_and_logged(
    client: httpx.Client, server: RunningServer
) -> None:
    answer = client.get("/healthz", headers={"X-Request-ID": "from-the-client.1"})
    assert answer.headers["x-request-id"] == "from-the-client.1"
    assert '"request_id":"from-the-client.1"' in server.log


def test_an_id_that_could_harm_a_log_is_replaced(client: httpx.Client) -> None:
    answer = client.get("/healthz", headers={"X-Request-ID": 'x" onload='})
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["x-request-id"])


def test_keys_and_files_stay_out_of_the_log(client: httpx.Client, server: RunningServer) -> None:
    data = upload(client)
    client.get(data["original_url"])
    client.get("/api/v1/stats", params={"api_key": server.key})
    name = data["original_url"].rpartition("/")[2]
    # The first start prints the key, twice; nothing else may.
    assert server.log.count(server.key) == 2
    assert name not in server.log


def test_quota_and_rate_are_told_on_every_answer(make_client: MakeClient) -> None:
    client = make_client("Free")
    answer = client.get("/api/v1/stats")
    headers = answer.headers
    assert headers["x-ratelimit-limit"] == "60"
    assert headers["x-ratelimit-remaining"] == "59"
    assert int(headers["x-ratelimit-reset"]) > 1_700_000_000
    assert (headers["x-quota-limit"], headers["x-quota-remaining"]) == ("500", "500")
    upload(client)
    assert client.get("/api/status/999999999").headers["x-quota-remaining"] == "499"


def test_above_the_rate_limit_is_429_with_retry_after(make_client: MakeClient) -> None:
    client = make_client("Free")
    statuses = [client.get("/api/v1/stats").status_code for _ in range(61)]
    # A minute may end meanwhile and begin the count anew.
    if statuses[-1] == 200:
        statuses = [client.get("/api/v1/stats").status_code for _ in range(61)]
    assert statuses[-1] == 429
    answer = client.get("/api/v1/stats")
    assert answer.json()["code"] == "rate_limited"
    assert 1 <= int(answer.headers["retry-after"]) <= 60


def test_a_bearer_token_is_as_good_as_the_header(server: RunningServer) -> None:
    answer = httpx.get(
        f"{server.url}/api/v1/stats", headers={"Authorization": f"Bearer {server.key}"}
    )
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "raw",
    [
        b"GET /api/v1/stats HTTP/1.1\r\nHost: x\r\nX-API-Key: " + b"a" * 200_000 + b"\r\n\r\n",
        b"GET /api/v1/stats HTTP/1.1\r\nHost: x\r\nX-API-Key: \xff\xfe\x80\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"POST /api/optimize HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n",
        b"POST /api/optimize HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_what_is_hardly_http_is_no_server_error(server: RunningServer, raw: bytes) -> None:
    host = urlsplit(server.url)
    with socket.create_connection((str(host.hostname), int(host.port or 0)), timeout=10) as peer:
        try:
            peer.sendall(raw)
            answer = peer.recv(4096)
        except (ConnectionResetError, BrokenPipeError):
            answer = b""
    assert not answer or re.match(rb"HTTP/1\.1 4\d\d ", answer), answer
    assert httpx.get(f"{server.url}/healthz").status_code == 200


def test_health_readiness_and_metrics(client: httpx.Client) -> None:
    assert client.get("/healthz").json()["success"] is True
    assert client.get("/readyz").json()["data"]["status"] == "ready"
    upload(client)
    metrics = client.get("/metrics")
    assert metrics.headers["content-type"].startswith("text/plain")
    assert 'tinyjpg_http_requests_total{method="POST",route="/api/optimize"' in metrics.text
    assert "tinyjpg_queue_depth" in metrics.text
