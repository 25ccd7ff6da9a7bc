"""The usage report: months, formats and savings of one account, added up by the database."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.server.accounting import NOON, grab, make_caller, make_upload, take
from tinyjpg_server.accounts.caller import Caller
from tinyjpg_server.db.database import Database
from tinyjpg_server.errors import Failure
from tinyjpg_server.jobs.images import delete
from tinyjpg_server.jobs.queue import Outcome, fail, finish
from tinyjpg_server.jobs.statistics import Totals, UsageReport, usage_report

pytestmark = pytest.mark.anyio


async def report(database: Database, caller: Caller, now: datetime = NOON) -> UsageReport:
    async with database.read() as connection:
        return await usage_report(connection, caller.account_id, now)


async def complete(
    database: Database, caller: Caller, format: str, *sizes: int, now: datetime = NOON
) -> int:
    size, left = sizes
    image = (await take(database, caller, make_upload(format=format, size=size), now=now)).image
    outcome = Outcome(left, score=80.0 + size / 1000, method="m", processing_time=0.5)
    assert await finish(database, await grab(database, now=now), outcome, now)
    return image.id


async def test_nothing_yet(database: Database) -> None:
    empty = await report(database, await make_caller(database))
    assert [month.month for month in empty.months] == [
        "2025-12",
        *(f"2026-{number:02}" for number in range(1, 12)),
    ]
    assert {month.totals for month in empty.months} == {Totals()}
    assert empty.types == []
    assert empty.compression.totals.compression_ratio == 0.0
    assert empty.compression.average_score is None
    assert empty.compression.failed == 0


async def test_it_adds_up(database: Database) -> None:
    caller, other = await make_caller(database), await make_caller(database)
    october = datetime(2026, 10, 31, 23, 59, tzinfo=UTC)
    await complete(database, caller, "jpeg", 1000, 500, now=october)
    await complete(database, caller, "jpeg", 3000, 600)
    gone = await complete(database, caller, "png", 2000, 1000)
    await complete(database, other, "gif", 9000, 1)
    await delete(database, caller.account_id, gone, NOON)
    await take(database, caller)
    await fail(database, await grab(database), Failure("corrupt_image", "no"), NOON)
    await take(database, caller)

    result = await report(database, caller)
    before, last = result.months[-2:]
    assert (before.month, before.totals, before.failed) == ("2026-10", Totals(1, 1000, 500), 0)
    assert (last.month, last.totals, last.failed) == ("2026-11", Totals(2, 5000, 1600), 1)
    assert last.totals.saved_bytes == 3400
    # Of all bytes, and the mean of 80 and 50 percent.
    assert (last.totals.compression_ratio, last.average_compression_ratio) == (68.0, 65.0)

    assert [(one.format, one.totals, one.share) for one in result.types] == [
        ("jpeg", Totals(2, 4000, 1100), 66.67),
        ("png", Totals(1, 2000, 1000), 33.33),
    ]
    assert result.types[0].average_compression_ratio == 65.0

    everything = result.compression
    assert everything.totals == Totals(3, 6000, 2100)
    assert (everything.average_compression_ratio, everything.best_compression_ratio) == (60.0, 80.0)
    assert (everything.average_score, everything.average_processing_time) == (82.0, 0.5)
    assert everything.failed == 1


async def test_a_year_ago_is_left_out(database: Database) -> None:
    caller = await make_caller(database)
    await complete(database, caller, "jpeg", 1000, 500, now=datetime(2025, 11, 30, tzinfo=UTC))
    assert (await report(database, caller)).compression.totals == Totals()
