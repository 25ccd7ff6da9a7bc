"""Whom requests are counted to."""

from __future__ import annotations

import pytest

from tinyjpg_server.errors import TooManyRequestsError
from tinyjpg_server.ratelimit import RateLimiter

pytestmark = pytest.mark.anyio


async def test_one_network_has_one_allowance_of_sign_ups() -> None:
    limiter = RateLimiter()
    for number in range(30):
        await limiter.hit_sign_up(f"2001:db8::{number:x}")
    with pytest.raises(TooManyRequestsError) as raised:
        await limiter.hit_sign_up("2001:db8::ffff")
    assert 0 < int(raised.value.headers["Retry-After"]) <= 3600
    await limiter.hit_sign_up("2001:db8:0:1::1")


async def test_one_network_has_one_allowance_of_log_ins_for_an_account() -> None:
    limiter = RateLimiter()
    for number in range(10):
        await limiter.hit_log_in(f"2001:db8::{number:x}", "ann@example.com")
    with pytest.raises(TooManyRequestsError):
        await limiter.hit_log_in("2001:db8::ffff", "ann@example.com")
    await limiter.forget_log_ins("2001:db8::aaaa", "ann@example.com")
    await limiter.hit_log_in("2001:db8::ffff", "ann@example.com")
