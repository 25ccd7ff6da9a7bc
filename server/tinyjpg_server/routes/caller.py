"""Who calls: the API key of a request, its rate limit and what is left of its quota."""

from __future__ import annotations

from starlette.requests import Request

from tinyjpg_server.accounts.caller import Caller, caller_and_quota_of_key
from tinyjpg_server.accounts.quota import Quota
from tinyjpg_server.db import clock
from tinyjpg_server.errors import TooManyRequestsError, UnauthorizedError
from tinyjpg_server.middleware import RequestFacts, facts_of
from tinyjpg_server.services import Services


async def identify(request: Request, services: Services) -> tuple[Caller, Quota]:
    """The caller, by X-API-Key or `Authorization: Bearer`, within the rate limit.

    From here on the answer tells the rate limit and the quota in its headers.

    Raises:
        UnauthorizedError: the key is missing or not valid.
        TooManyRequestsError: the rate limit of the key, or of an address without one, is reached.
    """
    facts = facts_of(request)
    now = clock.now()
    try:
        async with services.database.read() as connection:
            caller, quota = await caller_and_quota_of_key(connection, _key_of(request), now)
    except UnauthorizedError:
        await services.limiter.hit_failure(facts.address)
        raise
    facts.account_id = caller.account_id
    show_quota(facts, quota)
    if caller.key_id is not None:
        services.last_used.note(caller.key_id)
        await _count(caller, caller.key_id, services, facts)
    return caller, quota


def show_quota(facts: RequestFacts, quota: Quota) -> None:
    """Tell in the answer what is left of the quota; images in work count as used."""
    facts.headers.update(
        {
            b"x-quota-limit": b"%d" % quota.limit,
            b"x-quota-used": b"%d" % (quota.used + quota.reserved),
            b"x-quota-remaining": b"%d" % quota.remaining,
            b"x-quota-reset": b"%d" % quota.resets_at.timestamp(),
        }
    )


async def _count(caller: Caller, key_id: int, services: Services, facts: RequestFacts) -> None:
    allowance = await services.limiter.hit(key_id, caller.plan.requests_per_minute)
    for name, value in allowance.headers().items():
        facts.headers[name.lower().encode("ascii")] = value.encode("ascii")
    if not allowance.allowed:
        raise TooManyRequestsError(
            f"The plan {caller.plan.name} allows {allowance.limit} requests a minute; "
            f"wait {allowance.retry_after} seconds.",
            retry_after=allowance.retry_after,
        )


def _key_of(request: Request) -> str:
    key = request.headers.get("x-api-key")
    if key is not None:
        return key
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
