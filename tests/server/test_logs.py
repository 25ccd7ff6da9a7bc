"""Logs: one JSON object a line, the request's id in each, and no secret in any."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
from datetime import datetime
from typing import Any

import pytest

from tinyjpg_server.accounts.keys import new_key
from tinyjpg_server.logs import (
    JsonFormatter,
    PlainFormatter,
    bound,
    configuration,
    hide_secrets,
    log_request,
)

KEY = "tj_" + "Ab3-_xYz" * 5


def record(message: str, *arguments: object, **extra: object) -> logging.LogRecord:
    made = logging.getLogger("tinyjpg_server.test").makeRecord(
        "tinyjpg_server.test", logging.INFO, __file__, 1, message, arguments, None, extra=extra
    )
    assert isinstance(made, logging.LogRecord)
    return made


def line(made: logging.LogRecord) -> dict[str, Any]:
    text = JsonFormatter("web").format(made)
    assert "\n" not in text
    parsed: dict[str, Any] = json.loads(text)
    return parsed


def test_a_line_is_one_object_with_the_standard_fields() -> None:
    written = line(record("accepted %s", "it", request_id="r-1", account_id=3, image_id=7))
    moment = datetime.fromisoformat(written.pop("time"))
    assert moment.utcoffset() is not None
    assert written == {
        "level": "info",
        "process": "web",
        "logger": "tinyjpg_server.test",
        "message": "accepted it",
        "request_id": "r-1",
        "account_id": 3,
        "image_id": 7,
    }


def test_an_answered_request_is_told_without_its_query(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("tinyjpg_server.test")
    with caplog.at_level("INFO", logger=logger.name):
        log_request(logger, method="GET", path="/api/x?key=1", status=200, seconds=0.0123456)
        log_request(logger, method="GET", path="/api/x", status=500, seconds=1)
    good, bad = (line(made) for made in caplog.records)
    assert (good["method"], good["path"], good["status"]) == ("GET", "/api/x", 200)
    assert good["duration_ms"] == 12.35
    assert (good["level"], bad["level"]) == ("info", "warning")


def test_what_is_bound_is_in_every_line_of_the_task_and_of_no_other() -> None:
    seen: dict[str, Any] = {}

    async def request(name: str) -> None:
        with bound(request_id=name):
            await asyncio.sleep(0)
            with bound(image_id=5):
                seen[f"{name} inner"] = line(record("x"))
            seen[name] = line(record("x"))

    async def both() -> None:
        await asyncio.gather(request("a"), request("b"))

    asyncio.run(both())
    assert seen["a inner"]["request_id"] == "a"
    assert seen["a inner"]["image_id"] == 5
    assert seen["b"]["request_id"] == "b"
    assert "image_id" not in seen["b"]
    assert "request_id" not in line(record("x"))


def test_only_known_fields_get_out() -> None:
    written = line(record("x", headers={"x-api-key": KEY}, form={"a": "b"}, body=b"image"))
    assert set(written) == {"time", "level", "process", "logger", "message"}


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"the key {KEY} is wrong", KEY),
        (f"/api/status/1?api_key={KEY}", KEY),
        (f"{{'x-api-key': '{KEY}'}}", KEY),
        (f"[(b'x-api-key', b'{KEY}')]", KEY),
        ("[(b'cookie', b'tinyjpg=s3cr3ts3cr3t; a=b')]", "s3cr3ts3cr3t"),
        ("Cookie: __Host-tinyjpg=s3cr3ts3cr3t", "s3cr3ts3cr3t"),
        ("set-cookie: tinyjpg=s3cr3ts3cr3t; HttpOnly", "s3cr3ts3cr3t"),
        ("tinyjpg=s3cr3ts3cr3t", "s3cr3ts3cr3t"),
        ("Authorization: Bearer abc.def-ghi", "abc.def-ghi"),
        ("authorization='Basic dXNlcjpwYXNz'", "dXNlcjpwYXNz"),
        ('{"email": "a@b.c", "password": "correct horse"}', "correct horse"),
        ("{'password': 'it\\'s secret'}", "s secret"),
        ("email=a%40b.c&password=hunter22", "hunter22"),
        ("new_password=hunter22", "hunter22"),
        ('{"current_password":"hunter22"}', "hunter22"),
        ("Users(password='hunter22', email='a@b.c')", "hunter22"),
        ("cannot connect to postgresql+asyncpg://tinyjpg:hunter22@db/tinyjpg", "hunter22"),
        ("redis://:hunter22@cache:6379/0", "hunter22"),
        ("postgresql://tinyjpg:hun/ter@22@db/tinyjpg", "ter@22"),
        ("TINYJPG_METRICS_TOKEN=hunter22", "hunter22"),
        ("metrics_token: hunter22", "hunter22"),
    ],
)
def test_secrets_are_hidden_wherever_they_stand(text: str, secret: str) -> None:
    assert secret in text
    assert secret not in hide_secrets(text)
    for formatter in (JsonFormatter("web"), PlainFormatter("web")):
        assert secret not in formatter.format(record(text))
        assert secret not in formatter.format(record("%s", text))
        assert secret not in formatter.format(record("x", request_id=text, path=text))
        error = ValueError(text)
        failed = record("x")
        failed.exc_info = (ValueError, error, None)
        written = formatter.format(failed)
        assert secret not in written
        assert "ValueError" in written


def test_keys_as_they_are_made_are_hidden() -> None:
    for _ in range(200):
        key = new_key()
        assert key not in hide_secrets(f"a {key} b")
        assert hide_secrets(f"a {key} b") == "a tj_[hidden] b"


@pytest.mark.parametrize(
    "text",
    [
        "the password is too short",
        "GET /api/status/{image_id} took 3 ms",
        "listening on http://127.0.0.1:8000",
        "the image a@b.c could not be read: broken data at byte 12",
        "cookies are not needed",
    ],
)
def test_ordinary_texts_stay_as_they_are(text: str) -> None:
    assert hide_secrets(text) == text


def test_hiding_takes_no_time_on_hostile_text() -> None:
    """Quadratic patterns would take minutes here."""
    for text in ("a" * 8192, "password" * 1024, '"\\' * 4096, "://" * 2730, "tinyjpg=" * 1024):
        assert hide_secrets(f"password='{text}").startswith("password=[hidden]")
        assert len(hide_secrets(text)) <= 2 * len(text)


def test_a_client_cannot_make_lines_or_steer_a_terminal() -> None:
    evil = 'a\n{"level":"error"}\r\x1b[2J\u2028\x9b'
    assert len(JsonFormatter("web").format(record(evil, path=evil)).splitlines()) == 1
    plain = PlainFormatter("web").format(record(evil, path=evil))
    assert len(plain.splitlines()) == 1
    assert plain.isprintable()


def test_long_texts_are_cut() -> None:
    assert len(JsonFormatter("web").format(record("x" * 1_000_000))) < 10_000


def test_plain_text_has_the_same_facts() -> None:
    plain = PlainFormatter("worker").format(record("finished", image_id=7))
    assert "INFO" in plain
    assert plain.endswith("worker tinyjpg_server.test: finished (image_id=7)")


def test_a_terminal_gets_text_and_everything_else_json() -> None:
    for plain, kind in ((True, PlainFormatter), (False, JsonFormatter)):
        made = configuration("info", "web", plain=plain)
        assert made["formatters"]["line"]["()"] is kind


_SERVICE = """
import asyncio, logging, sys, warnings
import httpx
from fastapi import FastAPI, Request
from tinyjpg_server import logs
from tinyjpg_server.failures import answer_failures, unexpected_failure
from tinyjpg_server.middleware import RequestMiddleware

logs.configure("debug", "web")
app = FastAPI()
answer_failures(app)
app.add_middleware(
        RequestMiddleware, observe=lambda *_: None, unexpected=unexpected_failure
    )

@app.post("/api/{thing}")
async def thing(request: Request):
    logging.getLogger("tinyjpg_server.careless").debug("headers: %r", request.scope["headers"])
    logging.getLogger("tinyjpg_server.careless").info("body: %s", await request.body())
    raise RuntimeError(f"failed with {dict(request.headers)}")

async def main(key):
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = await client.post(
            "/api/things?api_key=" + key,
            headers={"X-API-Key": key, "Cookie": "tinyjpg=sessionsession",
                     "Authorization": "Bearer " + key, "X-Request-ID": "the-request"},
            json={"password": "hunter22"},
        )
    assert answer.status_code == 500, answer.status_code
    assert key not in answer.text

asyncio.run(main(sys.argv[1]))
warnings.warn("a warning", stacklevel=1)
raise SystemError("the end with " + sys.argv[1])
"""


def test_a_request_with_a_key_leaves_no_trace_of_it_even_when_all_goes_wrong() -> None:
    key = new_key()
    done = subprocess.run(
        [sys.executable, "-c", _SERVICE, key], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    for secret in (key, key.removeprefix("tj_"), "sessionsession", "hunter22"):
        assert secret not in done.stderr
    assert done.stdout == ""
    lines = [json.loads(text) for text in done.stderr.splitlines()]
    messages = [written["message"] for written in lines]
    assert any("headers:" in message for message in messages)
    assert any("a warning" in message for message in messages)
    assert "SystemError" in lines[-1]["error"]
    assert lines[-1]["level"] == "critical"
    failures = [written for written in lines if "RuntimeError" in written.get("error", "")]
    assert failures
    [request] = [written for written in lines if written["message"] == "request"]
    assert request["request_id"] == "the-request"
    assert (request["method"], request["status"]) == ("POST", 500)
    assert "?" not in request["path"]
