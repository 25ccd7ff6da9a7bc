"""Idempotency-Key: a request sent again is answered again, and charged once."""

from __future__ import annotations

import pytest

from tests.server.answers import failure
from tests.server.pictures import picture
from tests.server.running import Account, RunningServer


def test_the_same_request_gives_the_same_image_once(server: RunningServer) -> None:
    account = server.account(monthly_quota=1)
    headers = {"Idempotency-Key": "order-1"}
    first = server.upload(account, picture(), headers=headers)
    # Even though the quota is used up.
    again = server.upload(account, picture(), headers=headers)
    assert first.status_code == again.status_code == 200, again.text
    assert again.json()["data"]["image_id"] == first.json()["data"]["image_id"]
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    stats = server.client.get("/api/v1/stats", headers=account.headers).json()["data"]
    assert stats["used"] + stats["pending"] == 1


def test_another_body_under_the_same_key_is_refused(
    server: RunningServer, account: Account
) -> None:
    headers = {"Idempotency-Key": "order-2"}
    assert server.upload(account, picture(), headers=headers).status_code == 200
    other = server.upload(account, picture("GIF"), headers=headers)
    failure(other, 422, "idempotency_key_reused")
    other = server.upload(account, picture(), headers=headers, fields={"quality": "10"})
    failure(other, 422, "idempotency_key_reused")


def test_keys_are_an_accounts_own(server: RunningServer, account: Account) -> None:
    headers = {"Idempotency-Key": "order-3"}
    mine = server.upload(account, picture(), headers=headers).json()["data"]["image_id"]
    other = server.upload(server.account(), picture(), headers=headers).json()["data"]["image_id"]
    assert mine != other


@pytest.mark.parametrize("key", [b"", b"a b", b"x" * 256, b"\xff"])
def test_bad_keys(server: RunningServer, account: Account, key: bytes) -> None:
    answer = server.client.post(
        "/api/optimize",
        files={"image": picture()},
        headers=[(b"X-API-Key", account.key.encode()), (b"Idempotency-Key", key)],
    )
    failure(answer, 400, "bad_idempotency_key")
