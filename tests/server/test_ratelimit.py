"""Whom requests are counted to."""

from __future__ import annotations

import pytest

from tinyjpg_server.errors import TooManyRequestsError
from tinyjpg_server.ratelimit import RateLimiter, network_of

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::"),
        ("2001:db8:1:3::1", "2001:db8:1:3::"),
        ("fe80::1%eth0", "fe80::"),
        ("::1", "::"),
        ("unknown", "unknown"),
        ("", ""),
        ("192.0.2.7, 2001:db8::1", "192.0.2.7, 2001:db8::1"),
    ],
)
def test_the_network_of_an_address(address: str, network: str) -> None:
    assert network_of(address) == network


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
