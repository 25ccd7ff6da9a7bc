"""The pages of plans: what is offered, what one is on, how to change."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest

from tests.server.clients import admin, execute, new_client
from tests.server.logging_in import member
from tests.server.people import Person
from tests.server.running import RunningServer
from tinyjpg_server.errors import SettingsError
from tinyjpg_server.settings import load_settings

PAGE = "/account/plan"


def requests_of(server: RunningServer, email: str) -> list[dict[str, Any]]:
    listed = json.loads(admin(server, "plan", "requests", "--json"))
    return [request for request in listed if request["email"] == email]


def text_of(answer: httpx.Response) -> str:
    """What a reader sees, roughly."""
    assert answer.status_code == 200, answer.text
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


def test_pricing_shows_the_offered_plans(server: RunningServer) -> None:
    with Person(server) as visitor:
        shown = text_of(visitor.get("/pricing"))
    assert "Free $0 a month Images a month 500 Largest upload 5 MiB Requests a minute" in shown
    assert "Pro $15 a month Images a month 10,000 Largest upload 32 MiB" in shown
    assert "Business $75 a month" in shown
    assert "Operator" not in shown
    assert "Your plan" not in shown
    assert "MIT licence" in shown


def test_pricing_follows_the_database(server: RunningServer) -> None:
    values = "--monthly-quota 7 --max-upload 0.5 --requests-per-minute 3 --price 9.50"
    admin(server, "plan", "add", "Small & <b>", *values.split(), "--currency", "SEK")
    try:
        with Person(server) as visitor:
            answer = visitor.get("/pricing")
            assert "Small &amp; &lt;b&gt;" in answer.text
            assert "9.50 SEK a month Images a month 7 Largest upload 0.5 MiB" in text_of(answer)
            admin(server, "plan", "set", "Small & <b>", "--not-offered")
            assert "Small &amp;" not in visitor.get("/pricing").text
    finally:
        execute(server, "DELETE FROM plans WHERE name = ?", "Small & <b>")


def test_pricing_marks_the_readers_plan(server: RunningServer) -> None:
    with member(server, "Pro") as ann:
        shown = text_of(ann.get("/pricing"))
    assert "Pro Your plan $15 a month" in shown
    assert shown.count("Your plan") == 1
    assert "Choose Free" in shown
    assert "Choose Business" in shown
    assert "Choose Pro" not in shown


def test_who_is_not_logged_in_is_sent_to_log_in_and_back(server: RunningServer) -> None:
    with Person(server) as visitor:
        answer = visitor.get(PAGE)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/log-in?next=%2Faccount%2Fplan"


def test_a_smaller_plan_is_had_at_once_and_the_quota_follows(server: RunningServer) -> None:
    with member(server, "Business") as ann:
        key = ann.client.post("/api/keys", json={"name": "a"}).json()["data"]["key"]
        answer = ann.send(PAGE, plan="Free")
        assert answer.status_code == 303
        shown = text_of(ann.get(answer.headers["location"]))
        assert "You are on the plan Free now." in shown
        assert "0 of 500 images used" in shown
        with new_client(server, key) as program:
            assert program.get("/api/v1/stats").headers["x-quota-limit"] == "500"
        assert requests_of(server, ann.email) == []


def test_a_paid_plan_is_asked_for_and_granted_by_the_operator(server: RunningServer) -> None:
    with member(server) as ann:
        shown = text_of(ann.get(ann.send(PAGE, plan="Pro").headers["location"]))
        assert "Your request for Pro is noted." in shown
        assert "Until the operator of this server answers you stay on Free" in shown
        (asked,) = requests_of(server, ann.email)
        assert (asked["plan"], asked["wanted"]) == ("Free", "Pro")
        assert ann.email in admin(server, "plan", "requests")
        assert "Business" in shown

        admin(server, "user", "plan", ann.email, "Pro")
        assert requests_of(server, ann.email) == []
        shown = text_of(ann.get(PAGE))
        assert "0 of 10,000 images used" in shown
        assert "You asked for" not in shown


def test_a_request_is_withdrawn(server: RunningServer) -> None:
    with member(server) as ann:
        ann.send(PAGE, plan="Business")
        answer = ann.send(f"{PAGE}/withdraw", at=PAGE)
        shown = text_of(ann.get(answer.headers["location"]))
        assert "Your request is withdrawn." in shown
        assert requests_of(server, ann.email) == []


def test_what_is_said_after_a_change_cannot_be_made_up_by_a_link(server: RunningServer) -> None:
    with member(server) as ann:
        shown = ann.get(f"{PAGE}?done=asked").text
    assert "is noted" not in shown


@pytest.mark.parametrize(("plan", "status"), [("Operator", 404), ("Gold", 404), ("Free", 409)])
def test_other_plans_cannot_be_chosen(server: RunningServer, plan: str, status: int) -> None:
    with member(server) as ann:
        answer = ann.send(PAGE, plan=plan)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert "0 of 500 images used" in text_of(ann.get(PAGE))
        assert requests_of(server, ann.email) == []


@pytest.mark.parametrize("path", [PAGE, f"{PAGE}/withdraw"])
def test_forms_need_their_token_and_this_origin(server: RunningServer, path: str) -> None:
    with member(server, "Pro") as ann:
        ann.send(PAGE, plan="Business")
        assert ann.client.post(path, data={"plan": "Free"}).status_code == 403
        form = {"plan": "Free", "form_token": ann.token(PAGE)}
        answer = ann.client.post(path, data=form, headers={"Origin": "https://evil.example"})
        assert answer.status_code == 403
        assert len(requests_of(server, ann.email)) == 1
        assert "of 10,000 images used" in text_of(ann.get(PAGE))


def test_the_operators_address_is_shown(tmp_path: Any) -> None:
    environment = {"TINYJPG_OPERATOR_CONTACT": "plans@example.com"}
    with (
        RunningServer(tmp_path / "data", workers=0, environment=environment) as server,
        member(server) as ann,
    ):
        assert '<a href="mailto:plans@example.com">plans@example.com</a>' in ann.get(PAGE).text


@pytest.mark.parametrize("contact", ["javascript:alert(1)", "ann", "http://a b", "<b>@x"])
def test_an_operators_address_is_one(contact: str) -> None:
    with pytest.raises(SettingsError, match="OPERATOR_CONTACT"):
        load_settings(operator_contact=contact)
