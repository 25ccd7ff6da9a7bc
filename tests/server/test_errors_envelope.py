"""Every failure has the envelope, the framework's own too, and bad input is never a 5xx."""

from __future__ import annotations

import socket

import pytest

from tests.server.answers import failure
from tests.server.running import Account, RunningServer


def test_404_and_405_of_the_router(server: RunningServer) -> None:
    failure(server.client.get("/no/such/path"), 404, "not_found")
    failure(server.client.get("/docs"), 404, "not_found")
    answer = server.client.put("/api/optimize")
    failure(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "POST"


def test_a_request_id_is_kept_if_it_is_harmless(server: RunningServer) -> None:
    for given, kept in (("abc-1.2_Z", True), ("a b", False), ("x" * 65, False), ("<a>", False)):
        answer = server.client.get("/healthz", headers={"X-Request-ID": given})
        assert (answer.headers["x-request-id"] == given) is kept
        assert len(answer.headers.get_list("x-request-id")) == 1


@pytest.mark.parametrize("number", ["0", "-1", "abc", str(2**70), "1.0", "%00", "1%00", "٣", "1 "])
def test_image_ids_that_are_none(server: RunningServer, account: Account, number: str) -> None:
    for method, path in (("GET", "status"), ("DELETE", "images")):
        answer = server.client.request(method, f"/api/{path}/{number}", headers=account.headers)
        failure(answer, 404, "not_found")


@pytest.mark.parametrize("key", [b"\xff\xfe", "schlüssel".encode(), b"a" * 5000, b"tj_\xe9" * 11])
def test_keys_that_are_none(server: RunningServer, key: bytes) -> None:
    for name, value in ((b"X-API-Key", key), (b"Authorization", b"Bearer " + key)):
        answer = server.client.get("/api/v1/stats", headers=[(name, value)])
        failure(answer, 401, "unauthorized")


def test_bad_json(server: RunningServer) -> None:
    headers = {"Content-Type": "application/json"}
    for body in (b"{", b"\xff", b"[" * 5000):
        answer = server.client.post("/api/session", content=body, headers=headers)
        assert answer.status_code in {400, 422}
        failure(answer, answer.status_code, answer.json()["code"])
    answer = server.client.post("/api/session", json={"email": 1})
    assert failure(answer, 422, "validation_failed")["errors"]


@pytest.mark.parametrize(
    "request_head",
    [
        b"GET /api/status/1 HTTP/1.1\r\nHost: x\r\nX-Huge: " + b"x" * 1_000_000 + b"\r\n\r\n",
        b"POST /api/optimize HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n",
        b"POST /api/optimize HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
    ids=["huge header", "length no number", "length below 0", "NUL in path", "TLS"],
)
def test_what_is_not_http_does_no_harm(server: RunningServer, request_head: bytes) -> None:
    where = (server.settings.host, server.settings.port)
    with socket.create_connection(where, timeout=10) as wire:
        try:
            wire.sendall(request_head)
            answer = wire.recv(10_000)
        except ConnectionError:
            answer = b""
    # What is not HTTP at all may be hung up on.
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4")
    assert server.client.get("/healthz").status_code == 200
