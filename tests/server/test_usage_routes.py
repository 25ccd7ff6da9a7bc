"""Usage and stats of accounts that did little."""

from __future__ import annotations

from tests.server.pictures import damaged_png, picture
from tests.server.running import Account, RunningServer


def test_an_account_without_images(server: RunningServer, account: Account) -> None:
    data = server.client.get("/api/v1/usage", headers=account.headers).json()["data"]
    assert all(month["images"] == 0 for month in data["monthly_trends"])
    months = [month["month"] for month in data["monthly_trends"]]
    assert months == sorted(set(months))
    assert data["image_types"] == []
    assert data["compression"]["images"] == 0
    assert data["compression"]["average_score"] is None


def test_failed_images_are_told_and_cost_nothing(server: RunningServer, account: Account) -> None:
    broken = damaged_png()
    number = server.upload(account, broken).json()["data"]["image_id"]
    final = server.finished(account, number)
    assert final["status"] == "failed"
    assert final["error"]["code"] == "corrupt_image"
    assert final["optimized_size"] is None
    usage = server.client.get("/api/v1/usage", headers=account.headers).json()["data"]
    assert usage["compression"]["failed"] == usage["monthly_trends"][-1]["failed"] == 1
    stats = server.client.get("/api/v1/stats", headers=account.headers).json()["data"]
    assert (stats["used"], stats["pending"]) == (0, 0)


def test_pending_images_count_against_the_rest(server: RunningServer) -> None:
    account = server.account(monthly_quota=3)
    server.worker.pause()
    try:
        answer = server.upload(account, picture())
        stats = server.client.get("/api/v1/stats", headers=account.headers).json()["data"]
    finally:
        server.worker.resume()
    assert (stats["used"], stats["pending"], stats["remaining"]) == (0, 1, 2)
    assert answer.headers["x-quota-limit"] == "3"
    assert answer.headers["x-quota-used"] == "1"
    assert answer.headers["x-quota-remaining"] == "2"
