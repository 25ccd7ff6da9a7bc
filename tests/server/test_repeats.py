"""Requests that are sent again, or wait: one image, one unit, one answer."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from tests.server.clients import (
    MakeClient,
    completed,
    execute,
    new_account,
    new_client,
    picture,
    post,
    upload,
)
from tests.server.running import RunningServer


def used(client: httpx.Client) -> int:
    data = client.get("/api/v1/stats").json()["data"]
    return int(data["used"] + data["pending"])


def test_the_same_request_under_the_same_key_is_charged_once(make_client: MakeClient) -> None:
    client = make_client()
    headers = {"Idempotency-Key": "order-1"}
    first = post(client, headers=headers)
    again = post(client, headers=headers)
    assert again.status_code == 200
    assert again.json()["data"]["image_id"] == first.json()["data"]["image_id"]
    assert again.headers["idempotency-replayed"] == "true"
    assert used(client) == 1


def test_another_request_under_the_same_key_is_422(make_client: MakeClient) -> None:
    client = make_client()
    headers = {"Idempotency-Key": "order-1"}
    post(client, headers=headers)
    for answer in (
        post(client, picture(seed=9), headers=headers),
        post(client, headers=headers, quality=70),
    ):
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert used(client) == 1


def test_the_same_key_of_two_accounts_is_two_requests(make_client: MakeClient) -> None:
    headers = {"Idempotency-Key": "order-1"}
    ids = {post(make_client(), headers=headers).json()["data"]["image_id"] for _ in range(2)}
    assert len(ids) == 2


def test_many_at_once_under_one_key_are_charged_once(make_client: MakeClient) -> None:
    client = make_client()
    headers = {"Idempotency-Key": "order-1"}
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: post(client, headers=headers), range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["data"]["image_id"] for answer in answers}) == 1
    assert used(client) == 1


def test_a_bad_key_is_400(client: httpx.Client) -> None:
    for key in ("", "x" * 256, "with space"):
        answer = post(client, headers={"Idempotency-Key": key})
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_idempotency_key")


def test_two_hundred_at_once_for_the_last_of_the_quota(tmp_path: Path) -> None:
    with RunningServer(tmp_path / "data", workers=0) as server:
        account = new_account(server, "Business")
        with new_client(server, account.key) as client:
            upload(client)
            limit = client.get("/api/v1/stats").json()["data"]["plan"]["monthly_quota"]
            execute(server, "UPDATE usage SET used = ?", limit - 2)
            with ThreadPoolExecutor(50) as threads:
                statuses = list(threads.map(lambda _: post(client).status_code, range(200)))
        assert sorted(set(statuses)) == [200, 403]
        assert statuses.count(200) == 1


def test_wait_on_the_upload_answers_with_the_result(client: httpx.Client) -> None:
    for answer in (
        post(client, wait=30),
        client.post("/api/optimize", params={"wait": "30"}, files={"image": picture()}),
    ):
        data = answer.json()["data"]
        assert data["status"] == "completed"
        assert data["optimized_size"] > 0
        assert data["estimated_optimized_size"] > 0


def test_wait_on_the_status_ends_when_the_image_is_finished(client: httpx.Client) -> None:
    image_id = upload(client, picture("png", 400, 400))["image_id"]
    began = time.monotonic()
    completed(client, image_id)
    # Of the 60 seconds it may wait.
    assert time.monotonic() - began < 30


def test_wait_ends_in_time_while_nothing_happens(tmp_path: Path) -> None:
    with (
        RunningServer(tmp_path / "data", workers=0) as server,
        new_client(server, server.key) as client,
    ):
        image_id = upload(client)["image_id"]
        began = time.monotonic()
        data = client.get(f"/api/status/{image_id}", params={"wait": "0.5"}).json()["data"]
        assert data["status"] == "processing"
        assert data["optimized_size"] is None
        assert data["compression_ratio"] is None
        assert time.monotonic() - began >= 0.5
        answers: list[int] = []

        def wait() -> None:
            with new_client(server, server.key) as another:
                answer = another.get(f"/api/status/{image_id}", params={"wait": "30"})
                answers.append(answer.status_code)

        waiting = threading.Thread(target=wait)
        waiting.start()
        time.sleep(0.3)
        client.delete(f"/api/images/{image_id}")
        waiting.join(10)
        assert answers == [404]
        assert client.get("/api/v1/stats").json()["data"]["pending"] == 0
