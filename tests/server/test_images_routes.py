"""GET /api/images and DELETE /api/images/{image_id}."""

from __future__ import annotations

import httpx
import pytest

from tests.server.answers import failure
from tests.server.pictures import picture
from tests.server.running import Account, RunningServer


def test_pages_are_the_newest_first_and_miss_nothing(
    server: RunningServer, account: Account
) -> None:
    numbers = [server.upload(account, picture()).json()["data"]["image_id"] for _ in range(5)]
    seen: list[int] = []
    sizes = []
    cursor = None
    while True:
        params = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        answer = server.client.get("/api/images", params=params, headers=account.headers)
        data = answer.json()["data"]
        seen += [image["image_id"] for image in data["images"]]
        sizes.append(len(data["images"]))
        cursor = data["next_cursor"]
        if cursor is None:
            break
    assert seen == numbers[::-1]
    assert sizes == [2, 2, 1]


def test_a_full_last_page_has_no_next(server: RunningServer, account: Account) -> None:
    for _ in range(2):
        server.upload(account, picture())
    answer = server.client.get("/api/images?limit=2", headers=account.headers)
    assert len(answer.json()["data"]["images"]) == 2
    assert answer.json()["data"]["next_cursor"] is None


def test_filters(server: RunningServer, account: Account) -> None:
    for kind in ("PNG", "GIF"):
        number = server.upload(account, picture(kind)).json()["data"]["image_id"]
        server.finished(account, number)
    for query, found in (
        ("format=gif", ["gif"]),
        ("status=completed", ["gif", "png"]),
        ("status=failed", []),
        ("status=completed&format=png", ["png"]),
    ):
        answer = server.client.get(f"/api/images?{query}", headers=account.headers)
        assert [image["format"] for image in answer.json()["data"]["images"]] == found, query


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=101", "limit=x", "cursor=x", "cursor=0", "status=new", "format=bmp"],
)
def test_bad_parameters(server: RunningServer, account: Account, query: str) -> None:
    answer = server.client.get(f"/api/images?{query}", headers=account.headers)
    assert list(failure(answer, 422, "validation_failed")["errors"]) == [query.partition("=")[0]]


def test_deleting_takes_image_and_files_away(server: RunningServer, account: Account) -> None:
    data = server.upload(account, picture(), params={"wait": "20"}).json()["data"]
    path = f"/api/images/{data['image_id']}"
    answer = server.client.delete(path, headers=account.headers)
    assert answer.status_code == 200
    assert answer.json()["data"] == {"image_id": data["image_id"], "deleted": True}
    for url in (data["original_url"], data["optimized_url"]):
        failure(httpx.get(url), 404, "not_found")
        name = url.rpartition("/")[2].partition(".")[0]
        assert not list((server.settings.data / "files").rglob(f"*{name}*"))
    failure(server.client.delete(path, headers=account.headers), 404, "not_found")
    status = server.client.get(f"/api/status/{data['image_id']}", headers=account.headers)
    failure(status, 404, "not_found")
    usage = server.client.get("/api/v1/usage", headers=account.headers).json()["data"]
    assert usage["compression"]["images"] == 1


def test_deleting_one_in_work_costs_nothing(server: RunningServer, account: Account) -> None:
    server.worker.pause()
    try:
        number = server.upload(account, picture()).json()["data"]["image_id"]
        server.client.delete(f"/api/images/{number}", headers=account.headers)
    finally:
        server.worker.resume()
    stats = server.client.get("/api/v1/stats", headers=account.headers).json()["data"]
    assert (stats["used"], stats["pending"]) == (0, 0)
