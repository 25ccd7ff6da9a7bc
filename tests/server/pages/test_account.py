"""/account: another password, and the end of an account."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Table, func, select

from tests.server.account_tools import NOW, PASSWORD
from tests.server.pages.seeding import add_image
from tests.server.pages.visiting import Visit, Visitor
from tinyjpg_server.accounts import keys
from tinyjpg_server.accounts.users import User, list_users
from tinyjpg_server.db.database import Database
from tinyjpg_server.db.tables import api_keys, images, sessions
from tinyjpg_server.jobs.purge import ORPHAN_AGE, purge_orphans
from tinyjpg_server.services import Services

pytestmark = pytest.mark.anyio

NEW = "quite another sentence"
ANN = "ann@example.com"


async def rows(database: Database, table: Table) -> int:
    async with database.read() as connection:
        return int(await connection.scalar(select(func.count()).select_from(table)) or 0)


async def emails(database: Database) -> list[str]:
    async with database.read() as connection:
        return [user.email for user in await list_users(connection)]


async def test_the_page_says_whose_it_is(ann: Visitor, user: User) -> None:
    text = (await ann.get("/account")).text
    assert user.email in text
    assert "Free" in text
    assert "25 November 2026" in text


@pytest.mark.parametrize("path", ["/account", "/account?done=password"])
async def test_strangers_log_in_first(visit: Visit, path: str) -> None:
    async with visit() as visitor:
        answer = await visitor.get(path)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/log-in?next=%2Faccount")


@pytest.mark.parametrize("path", ["/account/password", "/account/delete"])
async def test_only_forms_of_the_own_session_are_taken(
    ann: Visitor, visit: Visit, database: Database, path: str
) -> None:
    good = {"password": PASSWORD, "current_password": PASSWORD, "new_password": NEW}
    token = await ann.token("/account")
    async with visit() as stranger:
        anonymous = await stranger.token("/log-in")
        answer = await stranger.post(path, {**good, "form_token": anonymous})
        assert (answer.status_code, answer.headers["location"]) == (303, "/log-in")
    for given in ({}, {"form_token": anonymous}):
        assert (await ann.post(path, {**good, **given})).status_code == 403
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert (await ann.post(path, {**good, "form_token": token}, headers)).status_code == 403
    assert (await ann.get("/account")).status_code == 200
    assert await emails(database) == [ANN]


async def test_a_changed_password_ends_every_other_session(
    ann: Visitor, visit: Visit, user: User
) -> None:
    async with visit() as elsewhere:
        await elsewhere.log_in(user.email)
        before = ann.client.cookies["tinyjpg"]
        answer = await ann.send(
            "/account/password", at="/account", current_password=PASSWORD, new_password=NEW
        )
        assert (answer.status_code, answer.headers["location"]) == (303, "/account?done=password")
        assert "Your password is changed" in (await ann.get("/account?done=password")).text
        assert ann.client.cookies["tinyjpg"] != before
        assert (await elsewhere.get("/dashboard")).status_code == 303
        old = await elsewhere.send("/log-in", email=user.email, password=PASSWORD)
        assert old.status_code == 401
        await elsewhere.log_in(user.email, NEW)


@pytest.mark.parametrize(
    ("sent", "field", "said"),
    [
        (("not this sentence", NEW), "current_password", "This is not your password"),
        ((PASSWORD, "short"), "new_password", "10 to 200 characters"),
        ((PASSWORD, "password123"), "new_password", "first to be guessed"),
        ((PASSWORD, ANN), "new_password", "must not be the e-mail address"),
    ],
)
async def test_passwords_that_are_not_taken(
    ann: Visitor, visit: Visit, sent: tuple[str, str], field: str, said: str
) -> None:
    answer = await ann.send(
        "/account/password", at="/account", current_password=sent[0], new_password=sent[1]
    )
    assert answer.status_code == 422
    assert said in answer.text.partition(f'id="{field}-fault"')[2].partition("</p>")[0]
    assert (await ann.get("/account")).status_code == 200
    async with visit() as elsewhere:
        await elsewhere.log_in(ANN)


async def test_guessing_with_a_stolen_session_is_slowed_down(ann: Visitor) -> None:
    token = await ann.token("/account")
    for _ in range(10):
        answer = await ann.post("/account/delete", {"form_token": token, "password": "no"})
        assert answer.status_code == 422
    answer = await ann.post("/account/delete", {"form_token": token, "password": PASSWORD})
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 900
    assert (await ann.get("/account")).status_code == 200


async def test_deleting_the_account_leaves_nothing(
    ann: Visitor, user: User, database: Database, tmp_path: Path
) -> None:
    services: Services = ann.app.state.services
    async with database.write() as connection:
        _, secret = await keys.issue(connection, user.id, "shop", NOW)
        image = await add_image(connection, user.id)
    original = tmp_path / "original.jpg"
    original.write_bytes(b"pixels")
    await services.store.put_file(image.original_object, original)
    assert (await ann.get(f"/direct-file/original/{image.file_name}")).status_code == 200

    refused = await ann.send("/account/delete", at="/account", password="no")  # noqa: S106
    assert refused.status_code == 422
    assert await emails(database) == [ANN]

    answer = await ann.send("/account/delete", at="/account", password=PASSWORD)
    assert (answer.status_code, answer.headers["location"]) == (303, "/log-in?done=deleted")
    assert "Your account is deleted" in (await ann.get("/log-in?done=deleted")).text
    assert await emails(database) == []
    for table in (api_keys, sessions, images):
        assert await rows(database, table) == 0, table.name
    assert (await ann.get("/dashboard")).status_code == 303
    assert (await ann.get(f"/direct-file/original/{image.file_name}")).status_code == 404
    headers = {"X-API-Key": secret}
    assert (await ann.client.get("/api/v1/stats", headers=headers)).status_code == 401
    # The file has no owner any more; the purge takes it.
    stored = await services.store.open(image.original_object)
    assert await purge_orphans(database, services.store, stored.modified + ORPHAN_AGE) == 1
