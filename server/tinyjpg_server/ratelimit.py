"""Requests a minute, per API key; log-ins, sign-ups and refused images per address."""

from __future__ import annotations

import hashlib
import math
import time
from dataclasses import dataclass
from typing import Final

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import FixedWindowRateLimiter

from tinyjpg_server.addresses import network_of
from tinyjpg_server.errors import TooManyRequestsError

# Requests without a valid key that one address may make in a minute.
_FAILURES: Final = RateLimitItemPerMinute(300)

# Log-ins tried in 15 minutes: by one address for one account, by one address, for one account. The
# last is high, so that a stranger cannot easily lock somebody out.
_PAIR: Final = RateLimitItemPerMinute(10, 15)
_LOG_INS_OF_ADDRESS: Final = RateLimitItemPerMinute(60, 15)
_LOG_INS_OF_ACCOUNT: Final = RateLimitItemPerMinute(200, 15)

# Accounts that one address may try to make in an hour; an office or a school shares one.
_SIGN_UPS: Final = RateLimitItemPerHour(30)

# Images sent to the pages from one address that may be refused in a minute: they cost no allowance,
# but the time to receive and read them. Three times as many as a page sends at once.
_REFUSED: Final = RateLimitItemPerMinute(60)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of a limit.

    Attributes:
        limit: requests in a window.
        remaining: of them, never below 0.
        reset: when the limit is whole again, in seconds since 1970.
        allowed: whether this request was within it.
        window: seconds that the limit is counted in.
    """

    limit: int
    remaining: int
    reset: int
    allowed: bool
    window: int = 60

    @property
    def retry_after(self) -> int:
        """Seconds to wait, at least 1 and never more than the window."""
        return min(self.window, max(1, math.ceil(self.reset - time.time())))

    def headers(self) -> dict[str, str]:
        """X-RateLimit-Limit, -Remaining and -Reset."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.reset),
        }


class RateLimiter:
    """Counts requests in windows of a minute, in memory or in Redis.

    Args:
        redis_url: for several web processes to count together; None counts in this process.
    """

    def __init__(self, redis_url: str | None = None) -> None:
        storage = (
            MemoryStorage()
            if redis_url is None
            else RedisStorage(f"async+{redis_url}", implementation="redispy")
        )
        self._windows = FixedWindowRateLimiter(storage)

    async def hit(self, key_id: int, per_minute: int) -> Allowance:
        """Count a request of an API key."""
        return await self._hit(RateLimitItemPerMinute(per_minute), "key", str(key_id))

    async def hit_failure(self, address: str) -> None:
        """Count a request without a valid key.

        Raises:
            TooManyRequestsError: there were too many from this address.
        """
        allowance = await self._hit(_FAILURES, "address", network_of(address))
        if not allowance.allowed:
            raise TooManyRequestsError(
                "Too many requests without a valid API key came from your address; "
                f"wait {allowance.retry_after} seconds.",
                retry_after=allowance.retry_after,
            )

    async def hit_log_in(self, address: str, email: str) -> None:
        """Count a log-in before the password is looked at; `email` need not be anybody's.

        Raises:
            TooManyRequestsError: too many were tried from this address or for this account.
        """
        for item, whose in _log_in_limits(address, email):
            allowance = await self._hit(item, *whose)
            if not allowance.allowed:
                raise TooManyRequestsError(
                    f"Too many log-ins were tried; wait {allowance.retry_after} seconds.",
                    retry_after=allowance.retry_after,
                )

    async def forget_log_ins(self, address: str, email: str) -> None:
        """The password was right: what this address tried for this account counts no more."""
        item, whose = _log_in_limits(address, email)[0]
        await self._windows.clear(item, *whose)

    async def hit_sign_up(self, address: str) -> None:
        """Count a sign-up, whatever comes of it.

        Raises:
            TooManyRequestsError: too many came from this address.
        """
        allowance = await self._hit(_SIGN_UPS, "sign-up", network_of(address))
        if not allowance.allowed:
            raise TooManyRequestsError(
                "Too many accounts were asked for from your address; "
                f"wait {math.ceil(allowance.retry_after / 60)} minutes.",
                retry_after=allowance.retry_after,
            )

    async def check_refused(self, address: str) -> None:
        """Look at what `count_refused` counted.

        Raises:
            TooManyRequestsError: too many images from this address were refused.
        """
        whose = ("refused", network_of(address))
        if not await self._windows.test(_REFUSED, *whose):
            allowance = await self._allowance(_REFUSED, *whose, allowed=False)
            raise TooManyRequestsError(
                "Too many images from your address were refused; "
                f"wait {allowance.retry_after} seconds.",
                retry_after=allowance.retry_after,
            )

    async def count_refused(self, address: str) -> None:
        """Count an image that was received, whole or in part, and refused."""
        await self._windows.hit(_REFUSED, "refused", network_of(address))

    async def _hit(self, item: RateLimitItem, *whose: str) -> Allowance:
        allowed = await self._windows.hit(item, *whose)
        return await self._allowance(item, *whose, allowed=allowed)

    async def _allowance(self, item: RateLimitItem, *whose: str, allowed: bool) -> Allowance:
        stats = await self._windows.get_window_stats(item, *whose)
        return Allowance(
            limit=item.amount,
            remaining=max(0, stats.remaining),
            reset=math.ceil(stats.reset_time),
            allowed=allowed,
            window=item.get_expiry(),
        )


def _log_in_limits(address: str, email: str) -> list[tuple[RateLimitItem, tuple[str, ...]]]:
    address = network_of(address)
    # Hashed: what people type there may be a password, and may be long.
    account = hashlib.sha256(email.strip().lower().encode("utf-8", "replace")).hexdigest()
    return [
        (_PAIR, ("log-in", address, account)),
        (_LOG_INS_OF_ADDRESS, ("log-in-address", address)),
        (_LOG_INS_OF_ACCOUNT, ("log-in-account", account)),
    ]
