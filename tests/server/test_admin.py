"""`tinyjpg-server admin`, on both databases, beside another process that has them open."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from anyio import to_thread
from sqlalchemy import delete, insert
from typer.testing import CliRunner, Result

from tests.server.account_tools import NOW, PASSWORD
from tinyjpg_server.accounts.caller import caller_of_key
from tinyjpg_server.accounts.users import authenticate
from tinyjpg_server.admin import app
from tinyjpg_server.db import clock, migrate
from tinyjpg_server.db.database import Database
from tinyjpg_server.db.tables import images, plans, usage
from tinyjpg_server.errors import UnauthorizedError
from tinyjpg_server.settings import load_settings
from tinyjpg_server.storage.store import open_store

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("folder")]

EMAIL = "ann@example.com"

Admin = Callable[..., Awaitable[Result]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, with no settings around."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TINYJPG_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


def invoke(*arguments: str, text: str = "") -> Result:
    return CliRunner().invoke(app, list(arguments), input=text)


@pytest.fixture
def admin(database: Database, monkeypatch: pytest.MonkeyPatch) -> Admin:
    """Runs a command on the test's database."""
    monkeypatch.setenv("TINYJPG_DATABASE_URL", database.url)

    async def run(*arguments: str, text: str = "") -> Result:
        return await to_thread.run_sync(lambda: invoke(*arguments, text=text))

    return run


async def done(admin: Admin, *arguments: str, text: str = "") -> str:
    result = await admin(*arguments, text=text)
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    return result.stdout


async def read_json(admin: Admin, *arguments: str) -> Any:
    return json.loads(await done(admin, *arguments, "--json"))


async def failed(admin: Admin, *arguments: str, text: str = "", status: int = 1) -> str:
    result = await admin(*arguments, text=text)
    assert (result.exit_code, result.stdout) == (status, ""), result.output
    if status == 1:
        assert result.stderr.startswith("tinyjpg-server: ")
        assert result.stderr.count("\n") == 1
    return result.stderr


async def create(admin: Admin, email: str = EMAIL, *more: str) -> str:
    return await done(admin, "user", "create", email, *more, "--password-stdin", text=PASSWORD)


async def test_a_user_gets_a_password_that_is_printed_once(
    admin: Admin, database: Database
) -> None:
    printed = await done(admin, "user", "create", EMAIL, "--plan", "pro")
    found = re.search(r"^password: (\S{20})$", printed, re.MULTILINE)
    assert found is not None
    assert printed.count(found[1]) == 1
    user = await authenticate(database, EMAIL, found[1])
    assert user.plan.name == "Pro"
    assert found[1] not in await done(admin, "user", "list")


async def test_a_password_given_on_standard_input_is_not_printed(
    admin: Admin, database: Database
) -> None:
    printed = await done(
        admin, "user", "create", EMAIL, "--password-stdin", text=f"{PASSWORD}\r\nmore\n"
    )
    assert PASSWORD not in printed
    assert "password" not in printed
    assert (await authenticate(database, EMAIL, PASSWORD)).plan.name == "Free"


async def test_a_user_as_json(admin: Admin, database: Database) -> None:
    made = await read_json(admin, "user", "create", EMAIL)
    assert (await authenticate(database, EMAIL, made.pop("password"))).email == EMAIL
    assert await read_json(admin, "user", "list") == [made]
    assert made["plan"] == "Free"


async def test_users_are_listed(admin: Admin) -> None:
    assert await done(admin, "user", "list") == "there are no users yet\n"
    assert await read_json(admin, "user", "list") == []
    await create(admin)
    await create(admin, "bob@example.com", "--plan", "Business")
    header, ann, bob = (await done(admin, "user", "list")).splitlines()
    assert header.split()[:3] == ["ID", "EMAIL", "PLAN"]
    assert ann.split()[1:3] == [EMAIL, "Free"]
    assert bob.split()[1:3] == ["bob@example.com", "Business"]


async def test_a_password_is_changed(admin: Admin, database: Database) -> None:
    await create(admin)
    printed = await done(admin, "user", "password", EMAIL)
    new = printed.splitlines()[-1].removeprefix("password: ")
    assert (await authenticate(database, EMAIL, new)).email == EMAIL
    await done(admin, "user", "password", EMAIL, "--password-stdin", text=f"{PASSWORD}\n")
    assert (await authenticate(database, EMAIL, PASSWORD)).email == EMAIL
    with pytest.raises(UnauthorizedError):
        await authenticate(database, EMAIL, new)


async def test_plan_disable_enable_delete(admin: Admin, database: Database) -> None:
    await create(admin)
    secret = (await done(admin, "key", "issue", EMAIL, "--name", "shop")).splitlines()[-1]

    async def plan_of_key() -> str:
        async with database.read() as connection:
            return (await caller_of_key(connection, secret, clock.now())).plan.name

    assert await plan_of_key() == "Free"
    assert "Business" in await done(admin, "user", "plan", EMAIL, "business")
    assert await plan_of_key() == "Business"
    await done(admin, "user", "disable", EMAIL)
    with pytest.raises(UnauthorizedError):
        await plan_of_key()
    await done(admin, "user", "enable", EMAIL)
    assert await plan_of_key() == "Business"
    assert "--yes" in await failed(admin, "user", "delete", EMAIL, status=2)
    assert len(await read_json(admin, "user", "list")) == 1
    await done(admin, "user", "delete", EMAIL, "--yes")
    with pytest.raises(UnauthorizedError):
        await plan_of_key()
    assert await read_json(admin, "user", "list") == []


async def test_a_key_is_printed_once_and_rotated_and_revoked(
    admin: Admin, database: Database
) -> None:
    await create(admin)
    made = await read_json(admin, "key", "issue", EMAIL, "--name", "web shop")
    first = made.pop("key")
    assert re.fullmatch(r"tj_[0-9A-Za-z]{43}", first)
    assert await read_json(admin, "key", "list", EMAIL) == [made]
    rotated = await done(admin, "key", "rotate", EMAIL, str(made["id"]), "--overlap", "0.5")
    second = rotated.splitlines()[-1]
    async with database.read() as connection:
        for secret in (first, second):
            assert (await caller_of_key(connection, secret, clock.now())).email == EMAIL
    old, new = await read_json(admin, "key", "list", EMAIL)
    assert (old["state"], new["state"], new["name"]) == ("expiring", "active", "web shop")
    assert "revoked key" in await done(admin, "key", "revoke", EMAIL, str(old["id"]))
    async with database.read() as connection:
        with pytest.raises(UnauthorizedError):
            await caller_of_key(connection, first, clock.now())
    listed = await done(admin, "key", "list", EMAIL)
    assert first not in listed
    assert second not in listed
    assert "revoked" in listed


async def test_a_key_of_somebody_else_is_not_found(admin: Admin) -> None:
    await create(admin)
    await create(admin, "bob@example.com")
    made = await read_json(admin, "key", "issue", EMAIL, "--name", "shop")
    for command in ("revoke", "rotate"):
        told = await failed(admin, "key", command, "bob@example.com", str(made["id"]))
        assert "no API key" in told
        await failed(admin, "key", command, EMAIL, str(10**30))


async def test_usage_by_month(admin: Admin, database: Database) -> None:
    await create(admin)
    assert "500 of 500" in await done(admin, "usage", EMAIL)
    month = clock.month_of(clock.now())
    async with database.write() as connection:
        account = (await authenticate(database, EMAIL, PASSWORD)).id
        rows = [("2020-01", 7, 0), (month, 20, 3)]
        await connection.execute(
            insert(usage),
            [
                {"account_id": account, "month": name, "used": used, "reserved": reserved}
                for name, used, reserved in rows
            ],
        )
    shown = await read_json(admin, "usage", EMAIL)
    assert (shown["monthly_quota"], shown["remaining"]) == (500, 477)
    assert shown["months"] == [
        {"month": month, "used": 20, "pending": 3},
        {"month": "2020-01", "used": 7, "pending": 0},
    ]
    table = await done(admin, "usage", EMAIL)
    assert "477 of 500" in table
    assert "2020-01" in table


async def add_image(database: Database, account_id: int, name: str, expires_at: datetime) -> None:
    async with database.write() as connection:
        await connection.execute(
            insert(images).values(
                account_id=account_id, name=name, format="png", width=1, height=1, frames=1,
                quality=80, status="completed", month="2026-11", created_at=NOW, original_size=9,
                estimated_size=5, attempt=1, result_attempt=1, optimized_size=5,
                expires_at=expires_at,
            )
        )  # fmt: skip


async def test_purge_removes_what_is_over_and_nothing_else(
    admin: Admin, database: Database, folder: Path
) -> None:
    await create(admin)
    await create(admin, "bob@example.com")
    ann, bob = [user["id"] for user in await read_json(admin, "user", "list")]
    now = clock.now()
    await add_image(database, ann, "expired", now - timedelta(days=1))
    await add_image(database, ann, "kept", now + timedelta(days=1))
    await add_image(database, bob, "bobs", now + timedelta(days=1))
    store = open_store(load_settings())
    for name in ("expired", "kept", "bobs"):
        await store.put(f"original/{name}.png", b"original.")
        await store.put(f"optimized/{name}/1.png", b"small")
    await done(admin, "user", "delete", "bob@example.com", "--yes")
    files = folder / "data" / "files"
    for file in (files / "original").iterdir(), (files / "optimized" / "bobs").iterdir():
        for path in file:
            # Long ago: no upload that is under way.
            os.utime(path, (0, 0))
    removed = await read_json(admin, "purge")
    nothing = {"idempotency_keys": 0, "sessions": 0, "visitors": 0}
    assert removed == {"images": 1, "orphans": 2, **nothing}
    left = sorted(path.name for path in files.rglob("*.png"))
    assert left == ["1.png", "kept.png"]
    assert (await done(admin, "purge")).startswith("removed: 0 images, 0 orphans")


async def test_plans_are_listed_added_and_set(admin: Admin, database: Database) -> None:
    try:
        await done(
            admin, "plan", "add", "Team", "--monthly-quota", "50", "--max-upload", "0.5",
            "--requests-per-minute", "9", "--price", "7.50", "--currency", "EUR",
        )  # fmt: skip
        await done(admin, "plan", "set", "team", "--monthly-quota", "60", "--not-offered")
        [team] = [row for row in await read_json(admin, "plan", "list") if row["name"] == "Team"]
        del team["id"]
        assert team == {
            "name": "Team",
            "monthly_quota": 60,
            "max_upload_bytes": 512 * 1024,
            "requests_per_minute": 9,
            "price_cents": 750,
            "currency": "EUR",
            "offered": False,
        }
        assert "7.50 EUR" in await done(admin, "plan", "list")
        assert "already" in await failed(
            admin, "plan", "add", "team", "--monthly-quota", "1", "--max-upload", "1",
            "--requests-per-minute", "1",
        )  # fmt: skip
    finally:
        async with database.write() as connection:
            await connection.execute(delete(plans).where(plans.c.name == "Team"))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("user", "create", "nobody"), "address"),
        (("user", "create", EMAIL, "--plan", "Gold"), "Free, "),
        (("user", "password", EMAIL), "no user"),
        (("user", "plan", EMAIL, "Pro"), "no user"),
        (("user", "disable", EMAIL), "no user"),
        (("user", "enable", EMAIL), "no user"),
        (("user", "delete", EMAIL, "--yes"), "no user"),
        (("user", "create", EMAIL, "--password-stdin"), "first line"),
        (("key", "issue", EMAIL, "--name", "shop"), "no user"),
        (("key", "list", EMAIL), "no user"),
        (("usage", EMAIL), "no user"),
        (("plan", "set", "Gold", "--price", "1"), "no plan"),
        (("plan", "set", "Free", "--monthly-quota", "9999999999"), "between"),
        (("plan", "set", "Free", "--currency", "dollar"), "three capital letters"),
    ],
)
async def test_an_error_is_one_line_and_status_1(
    admin: Admin, arguments: tuple[str, ...], told: str
) -> None:
    assert told in await failed(admin, *arguments)


async def test_a_weak_password_is_refused(admin: Admin) -> None:
    told = await failed(admin, "user", "create", EMAIL, "--password-stdin", text="password123\n")
    assert "guessed" in told
    assert "password123" not in told
    await create(admin)
    assert "already" in await failed(admin, "user", "create", EMAIL)


@pytest.mark.parametrize(
    "arguments",
    [
        ("user", "create"),
        ("user", "crate", EMAIL),
        ("key", "issue", EMAIL),
        ("key", "revoke", EMAIL, "first"),
        ("key", "rotate", EMAIL, "1", "--overlap", "721"),
        ("plan", "set", "Free"),
        ("plan", "set", "Free", "--price", "cheap"),
        ("plan", "set", "Free", "--price", "NaN"),
        ("plan", "set", "Free", "--price", "0.001"),
        ("plan", "set", "Free", "--max-upload", "0"),
        ("plan", "set", "Free", "--max-upload", "Infinity"),
        ("--nonsense",),
    ],
)
def test_wrong_usage_is_status_2(arguments: tuple[str, ...]) -> None:
    result = invoke(*arguments)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert "Usage" in result.stderr


def test_a_missing_database_is_not_made(folder: Path) -> None:
    result = invoke("user", "list")
    assert result.exit_code == 1
    assert "tinyjpg-server migrate" in result.stderr
    assert list(folder.iterdir()) == []


def test_an_old_schema_says_what_to_do(folder: Path) -> None:
    (folder / "elsewhere").mkdir()
    url = f"sqlite+aiosqlite:///{folder / 'elsewhere' / 'tinyjpg.sqlite3'}"
    migrate.upgrade(url)
    assert invoke("--data", "elsewhere", "user", "list").exit_code == 0
    migrate.downgrade(url, "base")
    result = invoke("--data", "elsewhere", "user", "list")
    assert result.exit_code == 1
    assert "schema none" in result.stderr
    assert "tinyjpg-server migrate" in result.stderr


def test_a_database_out_of_reach_is_named_without_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TINYJPG_DATABASE_URL", "postgresql://ann:geheim@127.0.0.1:1/none")
    result = invoke("user", "list")
    assert result.exit_code == 1
    assert "127.0.0.1:1/none cannot be opened" in result.stderr
    assert "geheim" not in result.output


def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYJPG_PORT", "many")
    result = invoke("user", "list")
    assert result.exit_code == 1
    assert "TINYJPG_PORT" in result.stderr
