"""Uploads that are wrong: each gets a clear answer, none a 5xx, and nothing is charged."""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.server.clients import MakeClient, new_account, new_client, picture, post, upload
from tests.server.running import RunningServer

BOUNDARY = "thisisaboundary"


def form(*parts: tuple[str, bytes]) -> bytes:
    """A multipart body; each part is its Content-Disposition and its content."""
    lines = b"".join(
        b"--%s\r\nContent-Disposition: %s\r\n\r\n%s\r\n"
        % (BOUNDARY.encode(), disposition.encode(), content)
        for disposition, content in parts
    )
    return lines + b"--%s--\r\n" % BOUNDARY.encode()


def send(client: httpx.Client, body: bytes, content_type: str | None = None) -> httpx.Response:
    kind = content_type or f"multipart/form-data; boundary={BOUNDARY}"
    return client.post("/api/optimize", content=body, headers={"Content-Type": kind})


IMAGE = 'form-data; name="image"; filename="a.png"'
PNG = picture()


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (form(), 422, "validation_failed"),
        (form(("form-data; name=quality", b"80")), 422, "validation_failed"),
        (form((IMAGE, b"")), 422, "validation_failed"),
        (form((IMAGE, PNG), (IMAGE, PNG)), 422, "validation_failed"),
        (form(('form-data; name="picture"; filename="a.png"', PNG)), 422, "validation_failed"),
        (form((IMAGE, PNG))[:-10], 400, "bad_form"),
        (form((IMAGE, PNG)).replace(b"\r\n\r\n", b"\r\n", 1), 400, "bad_form"),
        (form(("attachment", PNG)), 400, "bad_form"),
        (b"", 400, "bad_form"),
        (b"--wrong\r\n\r\n", 400, "bad_form"),
        (b"\0" * 5000, 400, "bad_form"),
        (form((IMAGE, b"GIF89a")), 422, "corrupt_image"),
        (form((IMAGE, PNG[:60])), 422, "corrupt_image"),
        (form((IMAGE, b"%PDF-1.7 and so on, long enough")), 415, "unsupported_media_type"),
        (
            form((IMAGE, b"<svg xmlns='http://www.w3.org/2000/svg'/>")),
            415,
            "unsupported_media_type",
        ),
        (form((IMAGE, b"x")), 415, "unsupported_media_type"),
    ],
)
def test_a_wrong_form_is_told_from_a_wrong_image(
    client: httpx.Client, body: bytes, status: int, code: str
) -> None:
    answer = send(client, body)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.json()["success"] is False
    assert answer.json()["message"]


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 415),
        ("image/png", 415),
        ("multipart/mixed; boundary=x", 415),
        ("application/x-www-form-urlencoded", 422),
        ("multipart/form-data", 400),
        ("multipart/form-data; boundary=", 400),
        ("multipart/form-data; boundary=" + "x" * 500, 400),
        ("; ; =", 422),
    ],
)
def test_a_body_that_is_no_form(client: httpx.Client, content_type: str, status: int) -> None:
    answer = send(client, PNG, content_type)
    assert answer.status_code == status, answer.text


def test_no_body_at_all(client: httpx.Client) -> None:
    answer = client.post("/api/optimize")
    assert answer.status_code == 422
    assert answer.json()["errors"] == {"image": ["The image field is required."]}


def test_name_and_declared_type_of_the_file_mean_nothing(client: httpx.Client) -> None:
    files = {"image": ("../../etc/passwd\0.gif", PNG, "image/gif")}
    answer = client.post("/api/optimize", files=files)
    assert answer.status_code == 200
    assert answer.json()["data"]["original_url"].endswith(".png")
    assert "passwd" not in answer.text


def test_an_image_above_the_plan_is_refused(make_client: MakeClient) -> None:
    client = make_client("Free")
    large = PNG + bytes(6 * 1024 * 1024)
    answer = post(client, large)
    assert answer.status_code == 413
    assert answer.json()["code"] == "payload_too_large"
    stats = client.get("/api/v1/stats").json()["data"]
    assert (stats["used"], stats["pending"]) == (0, 0)


@pytest.mark.parametrize("key", ["tj_wrong", None])
def test_a_refusal_reaches_a_client_that_is_still_sending(
    client: httpx.Client, key: str | None
) -> None:
    large = b"this is no image" * 1_000_000
    headers = {"X-API-Key": key} if key else None
    answer = post(client, large, headers=headers)
    assert answer.status_code == (401 if key else 415)


def test_an_image_above_the_plan_sent_in_pieces_is_refused(make_client: MakeClient) -> None:
    client = make_client("Free")

    def pieces() -> object:
        yield form((IMAGE, PNG))[:-30]
        for _ in range(100):
            yield bytes(64 * 1024)

    answer = client.post(
        "/api/optimize",
        content=pieces(),  # type: ignore[arg-type]
        headers={"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"},
    )
    assert answer.status_code == 413


def test_an_upload_in_pieces_is_taken(client: httpx.Client) -> None:
    body = form((IMAGE, PNG), ("form-data; name=quality", b"70"))
    pieces = (body[at : at + 7] for at in range(0, len(body), 7))
    answer = client.post(
        "/api/optimize",
        content=pieces,
        headers={"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"},
    )
    assert answer.status_code == 200, answer.text


def test_without_a_key_the_body_is_not_read(server: RunningServer) -> None:
    host = urlsplit(server.url)
    with socket.create_connection((str(host.hostname), int(host.port or 0)), timeout=10) as peer:
        peer.sendall(
            b"POST /api/optimize HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n"
            b"Content-Type: multipart/form-data; boundary=x\r\n\r\n"
        )
        assert b" 401 " in peer.recv(4096)


def test_a_client_that_goes_away_leaves_nothing(server: RunningServer) -> None:
    account = new_account(server)
    host = urlsplit(server.url)
    body = form((IMAGE, PNG))
    with socket.create_connection((str(host.hostname), int(host.port or 0)), timeout=10) as peer:
        peer.sendall(
            b"POST /api/optimize HTTP/1.1\r\nHost: x\r\nX-API-Key: %s\r\nContent-Length: %d\r\n"
            b"Content-Type: multipart/form-data; boundary=%s\r\n\r\n"
            % (account.key.encode(), len(body), BOUNDARY.encode())
        )
        peer.sendall(body[:-40])
        time.sleep(0.2)
    with new_client(server, account.key) as client:
        stats = client.get("/api/v1/stats").json()["data"]
        assert (stats["used"], stats["pending"]) == (0, 0)
    assert list((server.data / "incoming").iterdir()) == []


def test_a_slow_client_is_cut_off(tmp_path: Path) -> None:
    settings = {"TINYJPG_UPLOAD_TIMEOUT": "1"}
    with RunningServer(tmp_path / "data", workers=0, environment=settings) as server:
        host = urlsplit(server.url)
        body = form((IMAGE, PNG))
        address = (str(host.hostname), int(host.port or 0))
        with socket.create_connection(address, timeout=20) as peer:
            peer.sendall(
                b"POST /api/optimize HTTP/1.1\r\nHost: x\r\nX-API-Key: %s\r\n"
                b"Content-Length: %d\r\nContent-Type: multipart/form-data; boundary=%s\r\n\r\n"
                % (server.key.encode(), len(body), BOUNDARY.encode())
            )
            # It never stalls for a second, and never ends.
            with suppress(BrokenPipeError, ConnectionResetError):
                for at in range(12):
                    peer.sendall(body[at : at + 1])
                    time.sleep(0.2)
            answer = peer.recv(4096)
        assert b" 408 " in answer
        assert b"upload_timeout" in answer
        assert list((server.data / "incoming").iterdir()) == []


def test_a_nearly_full_disk_takes_nothing_on(tmp_path: Path) -> None:
    settings = {"TINYJPG_DISK_FLOOR": str(10**9)}
    with (
        RunningServer(tmp_path / "data", workers=0, environment=settings) as server,
        new_client(server, server.key) as client,
    ):
        answer = post(client)
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert client.get("/api/v1/stats").json()["data"]["pending"] == 0


def test_a_full_queue_takes_nothing_on(tmp_path: Path) -> None:
    settings = {"TINYJPG_QUEUE_LIMIT": "2"}
    with (
        RunningServer(tmp_path / "data", workers=0, environment=settings) as server,
        new_client(server, server.key) as client,
    ):
        assert [post(client).status_code for _ in range(4)] == [200, 200, 503, 503]
        answer = post(client)
        assert answer.json()["code"] == "queue_full"
        assert int(answer.headers["Retry-After"]) > 0
        assert client.get("/api/v1/stats").json()["data"]["pending"] == 2


def test_too_many_pixels_are_refused_by_the_header(tmp_path: Path) -> None:
    settings = {"TINYJPG_MAX_PIXELS": "1000"}
    with (
        RunningServer(tmp_path / "data", workers=0, environment=settings) as server,
        new_client(server, server.key) as client,
    ):
        answer = post(client, picture(width=40, height=40))
        assert (answer.status_code, answer.json()["code"]) == (422, "image_too_large")
        upload(client, picture(width=20, height=20))
