"""/sign-up: makes an account, and tells nobody whether an address has one."""

from __future__ import annotations

import re

import pytest

from tests.server.account_tools import PASSWORD
from tests.server.pages.visiting import Visit, Visitor
from tinyjpg_server.accounts.passwords import LONGEST, SHORTEST
from tinyjpg_server.accounts.users import User, find_user, list_users
from tinyjpg_server.db.database import Database

pytestmark = pytest.mark.anyio

NEW = "new@example.com"
ANOTHER = "quite another sentence"


async def emails(database: Database) -> list[str]:
    async with database.read() as connection:
        return [user.email for user in await list_users(connection)]


async def test_a_new_account_is_on_the_plan_free_and_can_log_in(
    visit: Visit, database: Database
) -> None:
    async with visit() as visitor:
        answer = await visitor.send("/sign-up", email=f"  {NEW.upper()} ", password=PASSWORD)
        assert answer.status_code == 200
        assert 'action="/log-in"' in answer.text
        assert NEW.upper() in answer.text
        # It is not logged in: the same must be said of an address that has an account.
        assert "tinyjpg=" not in answer.headers.get("set-cookie", "")
        assert (await visitor.get("/dashboard")).headers["location"] == "/log-in?next=%2Fdashboard"
        await visitor.log_in(NEW)
        assert (await visitor.get("/dashboard")).status_code == 200
    async with database.read() as connection:
        assert (await find_user(connection, NEW)).plan.name == "Free"


async def test_a_taken_address_is_answered_as_a_free_one(
    visit: Visit, user: User, database: Database
) -> None:
    answers = []
    for email in (user.email, NEW):
        async with visit() as visitor:
            answer = await visitor.send("/sign-up", email=email, password=ANOTHER)
            body = re.sub(r"[0-9a-f]{64}", "TOKEN", answer.text.replace(email, "EMAIL"))
            names = sorted(name for name in answer.headers if name != "content-length")
            answers.append((answer.status_code, names, body))
    assert answers[0] == answers[1]
    # And whose account it is keeps it, with the password it had.
    assert sorted(await emails(database)) == [user.email, NEW]
    async with visit() as visitor:
        refused = await visitor.send("/log-in", email=user.email, password=ANOTHER)
        assert refused.status_code == 401
        await visitor.log_in(user.email)


@pytest.mark.parametrize(
    ("email", "password", "said"),
    [
        ("nobody", PASSWORD, "must be an address"),
        ("a@" + "b" * 300, PASSWORD, "must be an address"),
        (NEW, "x" * (SHORTEST - 3) + "yz", f"{SHORTEST} to {LONGEST} characters"),
        (NEW, "password123", "first to be guessed"),
        (NEW, NEW, "must not be the e-mail address"),
        (NEW, "", f"{SHORTEST} to {LONGEST} characters"),
    ],
)
async def test_what_is_not_accepted(
    visit: Visit, database: Database, email: str, password: str, said: str
) -> None:
    async with visit() as visitor:
        answer = await visitor.send("/sign-up", email=email, password=password)
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert said in answer.text.partition('class="fault"')[2]
    assert f'value="{email}"' in answer.text
    assert 'type="password" value=""' in answer.text
    assert await emails(database) == []


async def test_missing_fields_are_told(visit: Visit) -> None:
    async with visit() as visitor:
        assert (await visitor.send("/sign-up")).status_code == 422


async def test_the_rules_are_said_beforehand(visit: Visit) -> None:
    async with visit() as visitor:
        text = (await visitor.get("/sign-up")).text
    assert f"{SHORTEST} to {LONGEST} characters of any kind" in text
    assert f'minlength="{SHORTEST}"' in text


async def test_many_sign_ups_of_one_address_are_put_off(visit: Visit) -> None:
    async with visit("192.0.2.7") as visitor:
        token = await visitor.token("/sign-up")
        sent = {"form_token": token, "email": NEW, "password": PASSWORD}
        for _ in range(30):
            answer = await visitor.post("/sign-up", {**sent, "email": "x"})
            assert answer.status_code == 422
        answer = await visitor.post("/sign-up", sent)
        assert answer.status_code == 429
        assert 0 < int(answer.headers["retry-after"]) <= 3600
        assert "Too many accounts" in answer.text
        assert f'value="{NEW}"' in answer.text
    async with visit("192.0.2.8") as other:
        assert (await other.send("/sign-up", email=NEW, password=PASSWORD)).status_code == 200


async def test_a_private_server_takes_nobody(visit: Visit, database: Database) -> None:
    async with visit(sign_up=False) as visitor:
        assert (await visitor.get("/sign-up")).status_code == 403
        answer = await visitor.send("/sign-up", at="/log-in", email=NEW, password=PASSWORD)
        assert answer.status_code == 403
        assert "made by whoever runs it" in answer.text
        assert "/sign-up" not in (await visitor.get("/log-in")).text
    assert await emails(database) == []


async def test_who_is_logged_in_goes_on(ann: Visitor) -> None:
    answer = await ann.get("/sign-up")
    assert (answer.status_code, answer.headers["location"]) == (303, "/dashboard")


async def test_where_to_go_is_kept_until_the_log_in(visit: Visit) -> None:
    async with visit() as visitor:
        assert (
            '<input type="hidden" name="next" value="/pricing">'
            in (await visitor.get("/sign-up?next=/pricing")).text
        )
        answer = await visitor.send("/sign-up", email=NEW, password=PASSWORD, next="/pricing")
        assert '<input type="hidden" name="next" value="/pricing">' in answer.text


async def test_only_its_own_form_is_taken(visit: Visit, database: Database) -> None:
    good = {"email": NEW, "password": PASSWORD}
    async with visit() as visitor, visit() as other:
        foreign = await other.token("/sign-up")
        token = await visitor.token("/sign-up")
        for given in ({}, {"form_token": foreign}, {"form_token": "é"}):
            answer = await visitor.post("/sign-up", {**good, **given})
            assert answer.status_code == 403
            assert "no longer valid" in answer.text
        for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            answer = await visitor.post("/sign-up", {**good, "form_token": token}, headers)
            assert answer.status_code == 403
    assert await emails(database) == []
