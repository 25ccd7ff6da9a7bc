"""Requests a minute, per key."""

from __future__ import annotations

import pytest

from tests.server.answers import failure
from tests.server.running import RunningServer
from tinyjpg_server.errors import TooManyRequestsError
from tinyjpg_server.ratelimit import RateLimiter


def test_the_plan_limits_each_key(server: RunningServer) -> None:
    account = server.account(requests_per_minute=3)
    left = []
    for _ in range(3):
        answer = server.client.get("/api/v1/stats", headers=account.headers)
        assert answer.status_code == 200
        assert answer.headers["x-ratelimit-limit"] == "3"
        left.append(answer.headers["x-ratelimit-remaining"])
    assert left == ["2", "1", "0"]
    answer = server.client.get("/api/v1/stats", headers=account.headers)
    failure(answer, 429, "rate_limited")
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert int(answer.headers["x-ratelimit-reset"]) > 0
    other = server.account(requests_per_minute=3)
    assert server.client.get("/api/v1/stats", headers=other.headers).status_code == 200


@pytest.mark.anyio
async def test_failures_are_counted_per_address() -> None:
    limiter = RateLimiter()
    for _ in range(300):
        await limiter.hit_failure("192.0.2.1")
    with pytest.raises(TooManyRequestsError):
        await limiter.hit_failure("192.0.2.1")
    await limiter.hit_failure("192.0.2.2")
