"""Nobody sees, changes or pays for what is another's; what is over is over."""

from __future__ import annotations

import httpx

from tests.server.clients import (
    MakeClient,
    admin,
    completed,
    execute,
    new_account,
    new_client,
    picture,
    post,
    upload,
)
from tests.server.running import RunningServer


def test_another_accounts_image_is_not_there(make_client: MakeClient) -> None:
    owner, stranger = make_client(), make_client()
    image_id = upload(owner)["image_id"]
    assert stranger.get(f"/api/status/{image_id}").status_code == 404
    assert stranger.get(f"/api/status/{image_id}", params={"wait": 1}).status_code == 404
    assert stranger.delete(f"/api/images/{image_id}").status_code == 404
    assert stranger.get("/api/images").json()["data"]["images"] == []
    assert stranger.get("/api/v1/usage").json()["data"]["compression"]["images"] == 0
    assert owner.get(f"/api/status/{image_id}").status_code == 200


def test_a_missing_image_and_anothers_are_answered_alike(make_client: MakeClient) -> None:
    owner, stranger = make_client(), make_client()
    number = upload(owner)["image_id"]
    anothers = stranger.get(f"/api/status/{number}").text
    missing = stranger.get("/api/status/999999999").text
    assert anothers.replace(str(number), "N") == missing.replace("999999999", "N")


def test_a_revoked_key_is_refused_at_once(server: RunningServer) -> None:
    account = new_account(server)
    with new_client(server, account.key) as client:
        assert client.get("/api/v1/stats").status_code == 200
        admin(server, "key", "revoke", account.email, str(account.key_id))
        answer = client.get("/api/v1/stats")
        assert answer.status_code == 401
        assert post(client).status_code == 401


def test_a_disabled_account_is_refused_at_once(server: RunningServer) -> None:
    account = new_account(server)
    with new_client(server, account.key) as client:
        admin(server, "user", "disable", account.email)
        assert client.get("/api/v1/stats").status_code == 401
        admin(server, "user", "enable", account.email)
        assert client.get("/api/v1/stats").status_code == 200


def test_a_full_quota_is_403_and_tells_when_it_resets(server: RunningServer) -> None:
    account = new_account(server)
    with new_client(server, account.key) as client:
        completed(client, upload(client)["image_id"])
        execute(
            server,
            "UPDATE usage SET used = 500 WHERE account_id = "
            "(SELECT id FROM accounts WHERE email = ?)",
            account.email,
        )
        answer = post(client)
        assert answer.status_code == 403
        assert answer.json()["code"] == "quota_exceeded"
        assert answer.headers["x-quota-remaining"] == "0"
        admin(server, "user", "plan", account.email, "Pro")
        assert post(client).status_code == 200


def test_an_expired_file_is_gone_and_its_row_stays(server: RunningServer) -> None:
    account = new_account(server)
    with new_client(server, account.key) as client:
        data = completed(client, upload(client)["image_id"])
        execute(
            server,
            "UPDATE images SET expires_at = '2020-01-01 00:00:00.000000' WHERE id = ?",
            data["image_id"],
        )
        answer = client.get(data["optimized_url"])
        assert (answer.status_code, answer.json()["code"]) == (404, "expired")
        admin(server, "purge")
        assert client.get(data["original_url"]).status_code == 404
        name = data["original_url"].rpartition("/")[2].partition(".")[0]
        assert not [path for path in (server.data / "files").rglob("*") if name in str(path)]
        assert client.get(f"/api/status/{data['image_id']}").json()["data"]["status"] == "completed"
        assert client.get("/api/v1/usage").json()["data"]["compression"]["images"] == 1


def test_a_deleted_image_is_gone_and_stays_charged(make_client: MakeClient) -> None:
    client = make_client()
    data = completed(client, upload(client)["image_id"])
    answer = client.delete(f"/api/images/{data['image_id']}")
    assert answer.status_code == 200
    assert client.get(f"/api/status/{data['image_id']}").status_code == 404
    assert client.get(data["original_url"]).status_code == 404
    assert client.get(data["optimized_url"]).status_code == 404
    assert client.delete(f"/api/images/{data['image_id']}").status_code == 404
    assert client.get("/api/v1/stats").json()["data"]["used"] == 1


def test_a_wrong_extension_is_not_there(client: httpx.Client) -> None:
    url = upload(client, picture("png"))["original_url"]
    for wrong in (".gif", ".jpg", "", ".png.html"):
        assert client.get(url.removesuffix(".png") + wrong).status_code == 404


def test_images_are_listed_newest_first_in_pages(make_client: MakeClient) -> None:
    client = make_client()
    ids = [upload(client, picture(seed=seed))["image_id"] for seed in range(5)]
    for image_id in ids:
        completed(client, image_id)
    seen: list[int] = []
    cursor: str | None = None
    pages = 0
    while pages == 0 or cursor:
        query = {"limit": "2", **({"cursor": cursor} if cursor else {})}
        data = client.get("/api/images", params=query).json()["data"]
        seen += [image["image_id"] for image in data["images"]]
        cursor = data["next_cursor"]
        pages += 1
    assert seen == ids[::-1]
    assert pages == 3
    for query, count in (({"status": "failed"}, 0), ({"format": "png"}, 5), ({"format": "gif"}, 0)):
        assert len(client.get("/api/images", params=query).json()["data"]["images"]) == count
