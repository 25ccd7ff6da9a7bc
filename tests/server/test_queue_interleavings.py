"""Any order of accepts, claims, ends, sweeps and deletions leaves every account balanced.

A model keeps what must be true; Hypothesis looks for an order that breaks it.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import select

from tests.server.accounting import (
    ATTEMPTS,
    LEASE,
    OUTCOME,
    assert_balanced,
    make_caller,
    take,
    usage_rows,
)
from tinyjpg_server.accounts.caller import Caller
from tinyjpg_server.db import migrate
from tinyjpg_server.db.clock import month_of
from tinyjpg_server.db.database import Database
from tinyjpg_server.db.tables import images
from tinyjpg_server.errors import Failure, QuotaExceededError
from tinyjpg_server.jobs.images import delete
from tinyjpg_server.jobs.intake import Accepted, IdempotencyKey
from tinyjpg_server.jobs.queue import (
    Claim,
    claim,
    extend,
    fail,
    finish,
    release,
    release_worker,
    sweep,
)

T = TypeVar("T")

QUOTA = 3
WORKERS = ("a:1", "a:2", "b:1")
BROKEN = Failure("corrupt_image", "broken")


@dataclass
class Expected:
    """What a row must say."""

    account: int
    month: str
    turn: float
    status: str = "processing"
    attempt: int = 0
    tries: int = 0
    lease_until: datetime | None = None
    worker: str = ""
    deleted: bool = False

    def wait(self) -> None:
        self.lease_until = None

    def end(self, status: str) -> None:
        self.status = status
        self.lease_until = None


class Interleavings(RuleBasedStateMachine):
    """Two accounts near a month's end, three workers, one clock."""

    url: str

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.now = datetime(2026, 11, 30, 23, 59, tzinfo=UTC)
        self.expected: dict[int, Expected] = {}
        self.keys: dict[tuple[int, str], int] = {}
        self.turns: dict[tuple[int, str], float] = {}
        self.claims: list[Claim] = []
        self.callers: list[Caller] = []

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    @initialize()
    def open(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        shutil.copy(template(), self.folder / "x.sqlite3")
        self.database = Database(f"sqlite+aiosqlite:///{self.folder / 'x.sqlite3'}")
        self.callers = [self.run(make_caller(self.database, quota=QUOTA)) for _ in range(2)]

    def teardown(self) -> None:
        self.run(self.database.close())
        self.runner.close()
        shutil.rmtree(self.folder)

    def charged(self, account: int) -> int:
        month = month_of(self.now)
        return sum(
            one.status != "failed"
            for one in self.expected.values()
            if (one.account, one.month) == (account, month)
        )

    def turn(self, account: int) -> float:
        """Seconds since 1970: of the account's next image."""
        pot = account, month_of(self.now)
        queued = sum(
            one.status == "processing" and (one.account, one.month) == pot
            for one in self.expected.values()
        )
        turn = self.now.timestamp() + 10 * queued
        if queued:
            # Not before the account's own.
            turn = max(turn, self.turns[pot])
        self.turns[pot] = turn
        return turn

    def holds(self, held: Claim) -> bool:
        one = self.expected[held.image.id]
        return (
            one.status == "processing"
            and one.attempt == held.attempt
            and one.lease_until is not None
        )

    def pick(self, number: int) -> Claim | None:
        return self.claims[number % len(self.claims)] if self.claims else None

    @rule(
        who=st.integers(0, 1),
        key=st.sampled_from([None, None, "k1", "k2"]),
        times=st.integers(1, 4),
    )
    def accept(self, who: int, key: str | None, times: int) -> None:
        caller = self.callers[who]
        named = IdempotencyKey(key, "a" * 64) if key else None

        async def several() -> list[Accepted | BaseException]:
            return await asyncio.gather(
                *(take(self.database, caller, now=self.now, key=named) for _ in range(times)),
                return_exceptions=True,
            )

        for answer in self.run(several()):
            known = self.keys.get((caller.account_id, key)) if key else None
            if known is not None:
                assert isinstance(answer, Accepted)
                assert answer.replayed
                assert answer.image.id == known
            elif self.charged(caller.account_id) < QUOTA:
                assert isinstance(answer, Accepted)
                assert not answer.replayed
                self.expected[answer.image.id] = Expected(
                    caller.account_id, answer.image.month, self.turn(caller.account_id)
                )
                if key:
                    self.keys[caller.account_id, key] = answer.image.id
            else:
                assert isinstance(answer, QuotaExceededError)

    @rule(worker=st.sampled_from(WORKERS))
    def claim(self, worker: str) -> None:
        waiting = sorted(
            (one.turn, image_id)
            for image_id, one in self.expected.items()
            if one.status == "processing" and one.lease_until is None and one.tries < ATTEMPTS
        )
        claimed = self.run(claim(self.database, worker, LEASE, ATTEMPTS, self.now))
        if not waiting:
            assert claimed is None
            return
        assert claimed is not None
        next_id = waiting[0][1]
        assert claimed.image.id == next_id
        one = self.expected[next_id]
        one.attempt += 1
        one.tries += 1
        one.lease_until = self.now + LEASE
        one.worker = worker
        assert claimed.attempt == one.attempt
        self.claims.append(claimed)

    @rule(number=st.integers(0, 50))
    def extend(self, number: int) -> None:
        if held := self.pick(number):
            holds = self.holds(held)
            assert self.run(extend(self.database, held, LEASE, self.now)) == holds
            if holds:
                self.expected[held.image.id].lease_until = self.now + LEASE

    @rule(number=st.integers(0, 50), times=st.integers(1, 3))
    def finish(self, number: int, times: int) -> None:
        if held := self.pick(number):
            holds = self.holds(held)
            done = self.run(self.gather(finish, held, OUTCOME, self.now, times=times))
            assert sum(done) == holds
            if holds:
                self.expected[held.image.id].end("completed")

    @rule(number=st.integers(0, 50), times=st.integers(1, 3))
    def fail(self, number: int, times: int) -> None:
        if held := self.pick(number):
            holds = self.holds(held)
            done = self.run(self.gather(fail, held, BROKEN, self.now, times=times))
            assert sum(done) == holds
            if holds:
                self.expected[held.image.id].end("failed")

    async def gather(self, action: Any, *arguments: Any, times: int) -> list[bool]:
        done = await asyncio.gather(*(action(self.database, *arguments) for _ in range(times)))
        return list(done)

    @rule(number=st.integers(0, 50), counts=st.booleans())
    def release(self, number: int, counts: bool) -> None:
        if held := self.pick(number):
            holds = self.holds(held)
            assert self.run(release(self.database, held, counts=counts)) == holds
            if holds:
                one = self.expected[held.image.id]
                one.wait()
                one.tries -= not counts

    @rule(prefix=st.sampled_from([*WORKERS, "a:"]))
    def worker_dies(self, prefix: str) -> None:
        held = [
            one
            for one in self.expected.values()
            if one.status == "processing"
            and one.lease_until is not None
            and one.worker.startswith(prefix)
        ]
        assert self.run(release_worker(self.database, prefix)) == len(held)
        for one in held:
            one.wait()

    @rule(times=st.just(2))
    def sweep(self, times: int) -> None:
        failed, requeued = [], []
        for one in self.expected.values():
            if one.status != "processing":
                continue
            over = one.lease_until is not None and one.lease_until <= self.now
            if one.tries >= ATTEMPTS and (over or one.lease_until is None):
                failed.append(one)
            elif over:
                requeued.append(one)

        async def several() -> list[Any]:
            return await asyncio.gather(
                *(sweep(self.database, ATTEMPTS, self.now) for _ in range(times))
            )

        swept = self.run(several())
        assert sum(one.failed for one in swept) == len(failed)
        assert sum(one.requeued for one in swept) == len(requeued)
        for one in failed:
            one.end("failed")
        for one in requeued:
            one.wait()

    @rule(number=st.integers(0, 50), who=st.integers(0, 1))
    def delete(self, number: int, who: int) -> None:
        if not self.expected:
            return
        ids = sorted(self.expected)
        image_id = ids[number % len(ids)]
        one = self.expected[image_id]
        account = self.callers[who].account_id
        deleted = self.run(delete(self.database, account, image_id, self.now))
        if one.account != account or one.deleted:
            assert deleted is None
            return
        assert deleted is not None
        one.deleted = True
        if one.status == "processing":
            one.end("failed")

    @rule(seconds=st.sampled_from([1, 20, 30, 31]))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        self.sweep(times=1)

    @rule()
    def a_worker_is_too_slow(self) -> None:
        self.accept(who=0, key=None, times=1)
        self.claim("a:1")
        self.time_passes(31)
        self.claim("b:1")

    @invariant()
    def lost_claims_change_nothing(self) -> None:
        lost = [held for held in self.claims if not self.holds(held)]
        for held in lost[-3:]:
            assert not self.run(finish(self.database, held, OUTCOME, self.now))

    @invariant()
    def the_rows_are_as_expected(self) -> None:
        if not self.callers:
            return

        async def rows() -> dict[int, tuple[Any, ...]]:
            async with self.database.read() as connection:
                found = await connection.execute(
                    select(
                        images.c.id,
                        images.c.status,
                        images.c.attempt,
                        images.c.tries,
                        images.c.lease_until,
                    )
                )
                return {row[0]: tuple(row[1:]) for row in found}

        assert self.run(rows()) == {
            image_id: (one.status, one.attempt, one.tries, one.lease_until)
            for image_id, one in self.expected.items()
        }

    @invariant()
    def the_accounts_are_balanced(self) -> None:
        if not self.callers:
            return
        self.run(assert_balanced(self.database))
        usage = self.run(usage_rows(self.database))
        assert all(used + reserved <= QUOTA for used, reserved in usage.values())


@cache
def template() -> Path:
    path = Path(tempfile.mkdtemp()) / "template.sqlite3"
    migrate.upgrade(f"sqlite+aiosqlite:///{path}")
    return path


@pytest.fixture(autouse=True)
def _template() -> Iterator[None]:
    path = template()
    yield
    shutil.rmtree(path.parent)
    template.cache_clear()


class TestInterleavings(Interleavings.TestCase):  # type: ignore[misc, valid-type]
    settings = settings(
        max_examples=40,
        stateful_step_count=40,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
