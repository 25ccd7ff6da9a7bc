"""API keys: 256 bits, only the hash kept, valid until revoked, expired or disabled."""

from __future__ import annotations

import asyncio
import hashlib
import re
from datetime import datetime, timedelta

import pytest
from sqlalchemy import event, insert, select, update

from tests.server.account_tools import NOW, make_user
from tinyjpg_server.accounts import keys
from tinyjpg_server.accounts.caller import Caller, caller_of_key
from tinyjpg_server.accounts.users import delete_user, disable, enable
from tinyjpg_server.db.database import Database
from tinyjpg_server.db.tables import accounts, api_keys
from tinyjpg_server.errors import (
    ConflictError,
    NotFoundError,
    UnauthorizedError,
    ValidationFailedError,
)

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)


async def issue(database: Database, account_id: int, name: str = "shop") -> tuple[keys.ApiKey, str]:
    async with database.write() as connection:
        return await keys.issue(connection, account_id, name, NOW)


async def rotate(
    database: Database, account_id: int, key_id: int, overlap: timedelta, now: datetime = NOW
) -> tuple[keys.ApiKey, str]:
    async with database.write() as connection:
        return await keys.rotate(connection, account_id, key_id, overlap, now)


async def revoke(database: Database, account_id: int, key_id: int) -> keys.ApiKey:
    async with database.write() as connection:
        return await keys.revoke(connection, account_id, key_id, NOW)


async def who(database: Database, secret: str, now: datetime = NOW) -> Caller:
    async with database.read() as connection:
        return await caller_of_key(connection, secret, now)


def test_a_key_is_256_random_bits_of_letters_and_digits() -> None:
    made = {keys.new_key() for _ in range(200)}
    assert len(made) == 200
    assert all(re.fullmatch(r"tj_[0-9A-Za-z]{43}", key) for key in made)
    assert 62**43 > 2**256
    # Every character turns up at every place: none is fixed or left out.
    assert len({character for key in made for character in key[3:]}) == 62


async def test_only_the_hash_is_stored(database: Database) -> None:
    user = await make_user(database)
    key, secret = await issue(database, user.id)
    async with database.read() as connection:
        row = (await connection.execute(select(api_keys))).one()
    assert row.key_hash == hashlib.sha256(secret.encode()).hexdigest()
    assert not any(secret in str(value) for value in row)
    assert key.hint == f"{secret[:7]}…{secret[-4:]}"


async def test_a_key_tells_account_and_plan_in_one_statement(database: Database) -> None:
    user = await make_user(database, plan="Pro")
    key, secret = await issue(database, user.id)
    statements: list[str] = []
    async with database.read() as connection:
        await connection.run_sync(
            lambda raw: event.listen(
                raw, "before_cursor_execute", lambda *args: statements.append(args[2])
            )
        )
        caller = await caller_of_key(connection, secret, NOW)
    assert (caller.account_id, caller.email, caller.key_id) == (user.id, user.email, key.id)
    assert caller.plan == user.plan
    assert len(statements) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "tj_",
        "tj_" + "a" * 43,
        "tj_" + "a" * 44,
        "sk_" + "a" * 43,
        "tj_" + "é" * 43,
        "tj_" + "\0" * 43,
        "tj_' OR 1=1 --",
        "x" * 100_000,
        "\ud800",
    ],
)
async def test_what_is_no_key_is_refused(database: Database, wrong: str) -> None:
    user = await make_user(database)
    await issue(database, user.id)
    with pytest.raises(UnauthorizedError):
        await who(database, wrong)


async def test_a_key_with_one_character_changed_is_refused(database: Database) -> None:
    user = await make_user(database)
    _, secret = await issue(database, user.id)
    other = "a" if secret[-1] != "a" else "b"
    with pytest.raises(UnauthorizedError):
        await who(database, secret[:-1] + other)
    with pytest.raises(UnauthorizedError):
        await who(database, secret + "\n")


async def test_a_revoked_key_is_refused_and_stays_listed(database: Database) -> None:
    user = await make_user(database)
    key, secret = await issue(database, user.id)
    other, other_secret = await issue(database, user.id, "other")
    revoked = await revoke(database, user.id, key.id)
    assert revoked.state(NOW) == "revoked"
    with pytest.raises(UnauthorizedError, match="revoked"):
        await who(database, secret)
    assert (await who(database, other_secret)).key_id == other.id
    async with database.write() as connection:
        again = await keys.revoke(connection, user.id, key.id, NOW + HOUR)
        assert again.revoked_at == NOW
        listed = await keys.list_keys(connection, user.id)
    assert [(one.name, one.state(NOW)) for one in listed] == [
        ("shop", "revoked"),
        ("other", "active"),
    ]


async def test_a_disabled_account_s_keys_rest(database: Database) -> None:
    user = await make_user(database)
    _, secret = await issue(database, user.id)
    async with database.write() as connection:
        await disable(connection, user.email, NOW)
    with pytest.raises(UnauthorizedError, match="disabled"):
        await who(database, secret)
    async with database.write() as connection:
        await enable(connection, user.email)
    assert (await who(database, secret)).account_id == user.id


async def test_a_deleted_account_s_keys_are_unknown(database: Database) -> None:
    user = await make_user(database)
    _, secret = await issue(database, user.id)
    async with database.write() as connection:
        await delete_user(connection, user.email)
    with pytest.raises(UnauthorizedError):
        await who(database, secret)


async def test_rotation_overlaps(database: Database) -> None:
    user = await make_user(database)
    old, old_secret = await issue(database, user.id)
    new, new_secret = await rotate(database, user.id, old.id, HOUR)
    assert new.name == "shop"
    assert new.id != old.id
    just_before = NOW + HOUR - timedelta(seconds=1)
    assert (await who(database, old_secret, just_before)).key_id == old.id
    assert (await who(database, new_secret, just_before)).key_id == new.id
    with pytest.raises(UnauthorizedError, match="expired"):
        await who(database, old_secret, NOW + HOUR)
    assert (await who(database, new_secret, NOW + 1000 * HOUR)).key_id == new.id
    async with database.read() as connection:
        states = [key.state(NOW) for key in await keys.list_keys(connection, user.id)]
        later = [key.state(NOW + HOUR) for key in await keys.list_keys(connection, user.id)]
    assert states == ["expiring", "active"]
    assert later == ["expired", "active"]


async def test_rotating_again_does_not_prolong_the_old_key(database: Database) -> None:
    user = await make_user(database)
    old, old_secret = await issue(database, user.id)
    await rotate(database, user.id, old.id, HOUR)
    await rotate(database, user.id, old.id, 10 * HOUR)
    with pytest.raises(UnauthorizedError):
        await who(database, old_secret, NOW + HOUR)
    # But may shorten it.
    await rotate(database, user.id, old.id, timedelta(0))
    with pytest.raises(UnauthorizedError):
        await who(database, old_secret, NOW)


async def test_what_works_no_more_cannot_be_rotated(database: Database) -> None:
    user = await make_user(database)
    key, _ = await issue(database, user.id)
    await rotate(database, user.id, key.id, HOUR)
    with pytest.raises(ConflictError, match="expired"):
        await rotate(database, user.id, key.id, HOUR, NOW + HOUR)
    await revoke(database, user.id, key.id)
    with pytest.raises(ConflictError, match="revoked") as caught:
        await rotate(database, user.id, key.id, HOUR)
    assert caught.value.code == "key_not_active"
    async with database.read() as connection:
        assert len(await keys.list_keys(connection, user.id)) == 2


@pytest.mark.parametrize("overlap", [timedelta(seconds=-1), timedelta(days=30, seconds=1)])
async def test_an_overlap_has_bounds(database: Database, overlap: timedelta) -> None:
    user = await make_user(database)
    key, _ = await issue(database, user.id)
    with pytest.raises(ValidationFailedError):
        await rotate(database, user.id, key.id, overlap)


async def test_another_account_s_key_is_not_found(database: Database) -> None:
    ann = await make_user(database)
    bob = await make_user(database, "bob@example.com")
    key, secret = await issue(database, ann.id)
    with pytest.raises(NotFoundError):
        await revoke(database, bob.id, key.id)
    with pytest.raises(NotFoundError):
        await rotate(database, bob.id, key.id, HOUR)
    async with database.read() as connection:
        assert await keys.list_keys(connection, bob.id) == []
    assert (await who(database, secret)).account_id == ann.id


@pytest.mark.parametrize("key_id", [0, -1, 2**63 - 1, 2**63, 10**30])
async def test_any_number_may_be_asked_for(database: Database, key_id: int) -> None:
    user = await make_user(database)
    with pytest.raises(NotFoundError):
        await revoke(database, user.id, key_id)
    with pytest.raises(NotFoundError):
        await rotate(database, user.id, key_id, HOUR)


@pytest.mark.parametrize("name", ["", "   ", "x" * 81, "a\0b", "\ud800"])
async def test_a_key_needs_a_name(database: Database, name: str) -> None:
    user = await make_user(database)
    with pytest.raises(ValidationFailedError) as caught:
        await issue(database, user.id, name)
    assert list(caught.value.errors) == ["name"]


async def test_an_account_has_a_hundred_working_keys_at_most(database: Database) -> None:
    user = await make_user(database)
    async with database.write() as connection:
        await connection.execute(
            insert(api_keys),
            [
                {
                    "account_id": user.id,
                    "name": "many",
                    "hint": "",
                    "key_hash": f"{number:064}",
                    "created_at": NOW,
                }
                for number in range(keys.MOST_KEYS)
            ],
        )
    with pytest.raises(ConflictError) as caught:
        await issue(database, user.id)
    assert caught.value.code == "too_many_keys"
    async with database.write() as connection:
        listed = await keys.list_keys(connection, user.id)
        await keys.revoke(connection, user.id, listed[0].id, NOW)
    assert (await issue(database, user.id))[0].state(NOW) == "active"


class Clock:
    """A time that a test sets."""

    def __init__(self) -> None:
        self.time = NOW

    def __call__(self) -> datetime:
        return self.time


async def last_used(database: Database, account_id: int) -> list[datetime | None]:
    async with database.read() as connection:
        return [key.last_used_at for key in await keys.list_keys(connection, account_id)]


async def test_last_used_is_written_on_flush_only(database: Database) -> None:
    user = await make_user(database)
    first, _ = await issue(database, user.id)
    await issue(database, user.id, "never used")
    clock = Clock()
    used = keys.LastUsed(clock)
    used.note(first.id)
    clock.time += HOUR
    used.note(first.id)
    assert await last_used(database, user.id) == [None, None]
    await used.flush(database)
    assert await last_used(database, user.id) == [NOW + HOUR, None]


async def test_last_used_never_goes_back(database: Database) -> None:
    user = await make_user(database)
    key, _ = await issue(database, user.id)
    slow, quick = keys.LastUsed(lambda: NOW), keys.LastUsed(lambda: NOW + HOUR)
    slow.note(key.id)
    quick.note(key.id)
    await quick.flush(database)
    await slow.flush(database)
    assert await last_used(database, user.id) == [NOW + HOUR]


async def test_last_used_survives_a_flush_that_fails(database: Database) -> None:
    user = await make_user(database)
    key, _ = await issue(database, user.id)
    used = keys.LastUsed(lambda: NOW)
    used.note(key.id)
    async with database.write() as connection:
        # Another writer holds what the flush needs.
        await connection.execute(update(api_keys).values(name="held"))
        flushing = asyncio.create_task(used.flush(database))
        await asyncio.sleep(0.05)
        flushing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await flushing
    await used.flush(database)
    assert await last_used(database, user.id) == [NOW]


async def test_a_key_that_is_gone_does_not_stop_the_flush(database: Database) -> None:
    user = await make_user(database)
    key, _ = await issue(database, user.id)
    used = keys.LastUsed(lambda: NOW)
    used.note(key.id)
    used.note(key.id + 1000)
    await used.flush(database)
    assert await last_used(database, user.id) == [NOW]


async def test_a_stored_password_is_not_a_key(database: Database) -> None:
    await make_user(database)
    async with database.read() as connection:
        stored = await connection.scalar(select(accounts.c.password_hash))
    with pytest.raises(UnauthorizedError):
        await who(database, str(stored))
