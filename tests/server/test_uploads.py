"""Uploads: what is taken, what is refused, and that nothing is left behind."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.server.answers import failure
from tests.server.pictures import picture
from tests.server.running import Account, RunningServer, running_server
from tinyjpg_server.errors import UnavailableError
from tinyjpg_server.storage.disk import DiskFloor

BOUNDARY = "limit"
TYPE = f"multipart/form-data; boundary={BOUNDARY}"


def part(name: str, content: bytes, file_name: str | None = None) -> bytes:
    named = f'; filename="{file_name}"' if file_name is not None else ""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'
    return head.encode() + content + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def post(
    server: RunningServer, account: Account, body: bytes | Iterator[bytes], kind: str = TYPE
) -> httpx.Response:
    return server.client.post(
        "/api/optimize", content=body, headers={**account.headers, "Content-Type": kind}
    )


def connect(server: RunningServer) -> socket.socket:
    return socket.create_connection((server.settings.host, server.settings.port), timeout=20)


def head(account: Account, length: int | None, more: str = "") -> bytes:
    size = f"Content-Length: {length}\r\n" if length is not None else ""
    return (
        f"POST /api/optimize HTTP/1.1\r\nHost: x\r\nX-API-Key: {account.key}\r\n"
        f"Content-Type: {TYPE}\r\n{size}{more}\r\n"
    ).encode()


def incoming(server: RunningServer) -> list[Path]:
    return list((server.settings.data / "incoming").iterdir())


def until_empty(server: RunningServer) -> None:
    deadline = time.monotonic() + 10
    while incoming(server):
        assert time.monotonic() < deadline, incoming(server)
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ((), "image"),
        ((part("picture", b"x", "a.png"),), "picture"),
        ((part("image", b"", ""),), "image"),
        ((part("image", b"GIF89a" * 9, "a"), part("image", b"GIF89a" * 9, "b")), "image"),
    ],
    ids=["no file", "another field", "an empty file", "two files"],
)
def test_exactly_one_file_in_the_field_image(
    server: RunningServer, account: Account, parts: tuple[bytes, ...], field: str
) -> None:
    body = failure(post(server, account, form(*parts)), 422, "validation_failed")
    assert body["errors"][field]
    until_empty(server)


@pytest.mark.parametrize("quality", ["0", "101", "-1", "abc", "", "80.5", "1e1", "9" * 400, "٣"])
def test_quality_is_a_whole_number_from_1_to_100(
    server: RunningServer, account: Account, quality: str
) -> None:
    answer = server.upload(account, picture(), fields={"quality": quality})
    assert list(failure(answer, 422, "validation_failed")["errors"]) == ["quality"]


@pytest.mark.parametrize("wait", ["-1", "31", "nan", "inf", "soon", ""])
def test_wait_is_bounded(server: RunningServer, account: Account, wait: str) -> None:
    answer = server.upload(account, picture(), params={"wait": wait})
    assert list(failure(answer, 422, "validation_failed")["errors"]) == ["wait"]
    answer = server.client.get("/api/status/1", params={"wait": wait}, headers=account.headers)
    failure(answer, 422, "validation_failed")


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("multipart/form-data", 400, "bad_form"),
        ("multipart/form-data; boundary=", 400, "bad_form"),
        (f"multipart/form-data; boundary={'b' * 500}", 400, "bad_form"),
        ("application/json", 415, "unsupported_media_type"),
        ("image/png", 415, "unsupported_media_type"),
        ("application/x-www-form-urlencoded", 422, "validation_failed"),
        ("", 422, "validation_failed"),
    ],
)
def test_what_is_not_a_form(
    server: RunningServer, account: Account, kind: str, status: int, code: str
) -> None:
    failure(post(server, account, b"{}", kind), status, code)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"garbage",
        part("image", picture(), "a.png"),
        form(part("image", picture(), "a.png"))[:-20],
        f"--{BOUNDARY}\r\n\r\nno header\r\n--{BOUNDARY}--\r\n".encode(),
        f"--{BOUNDARY}\r\nContent-Disposition: {'x' * 100_000}\r\n\r\n".encode(),
        form(*(part(f"f{number}", b"") for number in range(100))),
        form(part("f", b"x" * 50_000)),
    ],
)
def test_malformed_forms(server: RunningServer, account: Account, body: bytes) -> None:
    failure(post(server, account, body), 400, "bad_form")
    until_empty(server)


def test_the_bytes_tell_the_type(server: RunningServer, account: Account) -> None:
    for content in (b"%PDF-1.7" + b" " * 100, b"<svg/>", b"\xff\xd8", b"x"):
        answer = post(server, account, form(part("image", content, "photo.jpg")))
        assert failure(answer, 415, "unsupported_media_type")["errors"]["image"]
    data = post(server, account, form(part("image", picture("GIF"), "../../a.php"))).json()["data"]
    assert data["original_url"].endswith(".gif")
    assert "php" not in data["original_url"]


def test_damaged_and_gigantic_images(server: RunningServer, account: Account) -> None:
    answer = server.upload(account, picture("PNG")[:30])
    assert failure(answer, 422, "corrupt_image")["errors"]["image"]
    # A logical screen of 65,535 x 65,535 pixels in a few bytes.
    gif = b"GIF89a\xff\xff\xff\xff" + picture("GIF")[10:]
    assert failure(server.upload(account, gif), 422, "image_too_large")["errors"]["image"]


def test_a_field_name_that_is_no_text(server: RunningServer, account: Account) -> None:
    raw = part("X", b"x", "a").replace(b"X", b"\xff\x00\xed\xa0\x80")
    failure(post(server, account, form(raw)), 422, "validation_failed")


def test_chunked_bodies_are_streamed(server: RunningServer, account: Account) -> None:
    whole = form(part("image", picture(), "a.png"), part("quality", b"70"))
    pieces = (whole[at : at + 7] for at in range(0, len(whole), 7))
    assert post(server, account, pieces).status_code == 200
    until_empty(server)


def test_large_uploads_go_through_the_disk(server: RunningServer, account: Account) -> None:
    # Bytes after the end of an image are its owner's business.
    image = picture("PNG") + bytes(3_000_000)
    data = server.upload(account, image).json()["data"]
    assert httpx.get(data["original_url"]).content == image
    until_empty(server)


def test_too_large_by_content_length_is_refused_before_it_is_sent(server: RunningServer) -> None:
    account = server.account(max_upload_bytes=10_000)
    with connect(server) as wire:
        wire.sendall(head(account, 100_000_000))
        answer = wire.recv(100_000)
    assert answer.startswith(b"HTTP/1.1 413")
    assert b'"code":"payload_too_large"' in answer


def test_too_large_while_it_comes(server: RunningServer) -> None:
    account = server.account(max_upload_bytes=10_000)
    content = picture("PNG") + bytes(20_000)
    answer = post(server, account, iter([form(part("image", content, "a"))]))
    failure(answer, 413, "payload_too_large")
    until_empty(server)


def test_without_a_key_nothing_is_read(server: RunningServer) -> None:
    stranger = Account(0, "tj_" + "x" * 43, 0)
    with connect(server) as wire:
        wire.sendall(head(stranger, 100_000_000))
        answer = wire.recv(100_000)
    assert answer.startswith(b"HTTP/1.1 401")


def test_a_client_that_goes_away_leaves_nothing(server: RunningServer, account: Account) -> None:
    whole = form(part("image", picture("PNG") + bytes(2_500_000), "a.png"))
    with connect(server) as wire:
        wire.sendall(head(account, len(whole)) + whole[:-100])
        time.sleep(0.2)
    until_empty(server)
    answer = server.client.get("/api/images", headers=account.headers)
    assert answer.json()["data"]["images"] == []


def test_a_slow_client_is_given_up(tmp_path: Path) -> None:
    with running_server(tmp_path, upload_timeout=0.3) as server:
        account = server.account()
        with connect(server) as wire:
            wire.sendall(head(account, 1000) + f"--{BOUNDARY}\r\n".encode())
            answer = wire.recv(100_000)
        assert answer.startswith(b"HTTP/1.1 408")
        assert b'"code":"upload_timeout"' in answer


def test_a_full_queue_refuses(tmp_path: Path) -> None:
    with running_server(tmp_path, queue_limit=1) as server:
        account = server.account()
        server.worker.pause()
        try:
            assert server.upload(account, picture()).status_code == 200
            answer = server.upload(account, picture())
        finally:
            server.worker.resume()
        failure(answer, 503, "queue_full")
        assert int(answer.headers["retry-after"]) > 0
        assert len(list((tmp_path / "files" / "original").iterdir())) == 1


def test_the_disk_floor_refuses(tmp_path: Path) -> None:
    with running_server(tmp_path, disk_floor=2**40) as server:
        answer = server.upload(server.account(), picture())
        failure(answer, 503, "storage_full")
        assert int(answer.headers["retry-after"]) > 0


def test_the_disk_is_asked_once_a_second() -> None:
    asked: list[float] = []
    time_now = 0.0

    def free() -> int:
        asked.append(time_now)
        return 100 * 2**20 - 1 if time_now < 5 else 100 * 2**20

    floor = DiskFloor(free, 100, clock=lambda: time_now)
    for time_now in (0.0, 0.5, 1.5):  # noqa: B007 - the functions above read it
        with pytest.raises(UnavailableError):
            floor.check()
    time_now = 6.0
    floor.check()
    assert asked == [0.0, 1.5, 6.0]
