"""What every failure must look like."""

from __future__ import annotations

from typing import Any

import httpx


def failure(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The body of a failure, whose envelope was checked."""
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    assert body.keys() == {"success", "message", "errors", "code"}
    assert body["success"] is False
    assert body["code"] == code
    assert body["message"]
    assert answer.headers["x-request-id"]
    return body
