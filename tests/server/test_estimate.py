"""The estimate: from measured ratios at first, from what was seen in the end."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.server.accounting import NOON, grab, make_caller, make_upload, take
from tinyjpg import Format
from tinyjpg_server.db.database import Database
from tinyjpg_server.jobs.estimate import Facts, density_band, estimate, quality_band
from tinyjpg_server.jobs.queue import Outcome, finish

JPEG = Facts("jpeg", 100, 80, 1, 1000, 80)


async def guess(database: Database, facts: Facts) -> int:
    async with database.read() as connection:
        return await estimate(connection, facts)


@pytest.mark.anyio
@pytest.mark.parametrize("format", list(Format))
async def test_every_band_of_every_format_has_an_estimate(
    database: Database, format: Format
) -> None:
    for quality in (1, 40, 60, 75, 85, 92, 99, 100):
        for size in (1, 500, 1000, 2000, 4000, 8000, 16_000, 32_000, 10**9):
            facts = replace(JPEG, format=format.value, quality=quality, size=size)
            assert 1 <= await guess(database, facts) <= size


@pytest.mark.anyio
async def test_a_higher_quality_is_not_expected_to_be_smaller(database: Database) -> None:
    guesses = [await guess(database, replace(JPEG, quality=q)) for q in (30, 50, 70, 80, 90, 95)]
    assert guesses == sorted(guesses)
    assert guesses[0] < guesses[-1]


@pytest.mark.anyio
async def test_it_moves_to_what_was_seen(database: Database) -> None:
    caller = await make_caller(database, quota=200)
    before = await guess(database, JPEG)
    assert before > 400
    distances = []
    for _ in range(3):
        for _ in range(20):
            await take(database, caller, make_upload())
            await finish(database, await grab(database), Outcome(100, None, "m", 0.1), NOON)
        distances.append(await guess(database, JPEG) - 100)
    assert before - 100 > distances[0] > distances[1] > distances[2] > 0
    assert distances[2] < 50
    # Other bands, qualities and formats have learnt nothing from it.
    assert await guess(database, replace(JPEG, quality=70)) > 300
    assert await guess(database, replace(JPEG, format="webp")) > 300


@given(st.integers(1, 100), st.integers(1, 100))
def test_bands_of_quality_keep_the_order(one: int, other: int) -> None:
    if one <= other:
        assert quality_band(one) <= quality_band(other)


def test_lossless_has_a_band_of_its_own() -> None:
    assert quality_band(99) < quality_band(100)


def test_density_counts_all_frames() -> None:
    assert density_band(1000, 100, 100, 1) > density_band(1000, 100, 100, 10)
    assert density_band(10**9, 1, 1, 1) == 7
