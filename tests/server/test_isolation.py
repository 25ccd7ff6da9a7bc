"""What is another's, revoked, expired or outside is not there."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import update

from tests.server.answers import failure
from tests.server.pictures import picture
from tests.server.running import Account, RunningServer
from tinyjpg_server.db import clock
from tinyjpg_server.db.tables import accounts, api_keys, images


def test_another_accounts_image_is_not_there(server: RunningServer, account: Account) -> None:
    number = server.upload(account, picture()).json()["data"]["image_id"]
    stranger = server.account().headers
    failure(server.client.get(f"/api/status/{number}", headers=stranger), 404, "not_found")
    failure(server.client.get(f"/api/status/{number}?wait=5", headers=stranger), 404, "not_found")
    failure(server.client.delete(f"/api/images/{number}", headers=stranger), 404, "not_found")
    listed = server.client.get("/api/images", headers=stranger).json()["data"]["images"]
    assert listed == []
    assert server.finished(account, number)["status"] == "completed"


@pytest.mark.parametrize(
    "column", ["revoked_at", "expires_at", "disabled_at"], ids=["revoked", "expired", "disabled"]
)
def test_a_key_that_is_over_is_401_at_once(server: RunningServer, column: str) -> None:
    account = server.account()
    assert server.client.get("/api/v1/stats", headers=account.headers).status_code == 200
    table = accounts if column == "disabled_at" else api_keys
    row = account.id if table is accounts else account.key_id
    over = clock.now() - timedelta(seconds=1)
    server.run(update(table).where(table.c.id == row).values({column: over}))
    failure(server.client.get("/api/v1/stats", headers=account.headers), 401, "unauthorized")
    failure(server.upload(account, picture()), 401, "unauthorized")


def test_an_expired_file_is_gone(server: RunningServer, account: Account) -> None:
    data = server.upload(account, picture(), params={"wait": "20"}).json()["data"]
    assert httpx.get(data["optimized_url"]).status_code == 200
    over = clock.now() - timedelta(seconds=1)
    expire = update(images).where(images.c.id == data["image_id"]).values(expires_at=over)
    server.run(expire)
    for url in (data["original_url"], data["optimized_url"]):
        failure(httpx.get(url), 404, "expired")


@pytest.mark.parametrize(
    "path",
    [
        "original/../../tinyjpg.sqlite3",
        "original/..%2f..%2ftinyjpg.sqlite3",
        "original/%2e%2e/%2e%2e/tinyjpg.sqlite3",
        "optimized/x%00.png",
        "original/" + "a" * 5000 + ".png",
        "original/0123456789abcdef0123456789abcdef.png",
        "original/.temporary",
    ],
)
def test_paths_lead_nowhere(server: RunningServer, path: str) -> None:
    failure(server.client.get(f"/direct-file/{path}"), 404, "not_found")
