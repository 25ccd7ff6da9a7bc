"""Every line of the API reference, over HTTP, with a worker behind."""

from __future__ import annotations

import time

import httpx
import pytest

from tests.server.answers import failure
from tests.server.pictures import MEDIA_TYPES, picture
from tests.server.running import Account, RunningServer


def test_requests_are_authenticated_by_the_x_api_key_header(
    server: RunningServer, account: Account
) -> None:
    assert server.client.get("/api/v1/stats", headers=account.headers).status_code == 200
    failure(server.client.get("/api/v1/stats"), 401, "unauthorized")


def test_the_key_may_be_a_bearer_token(server: RunningServer, account: Account) -> None:
    headers = {"Authorization": f"Bearer {account.key}"}
    assert server.client.get("/api/v1/stats", headers=headers).status_code == 200


def test_optimize_answers_at_once_with_the_keys_of_the_reference(
    server: RunningServer, account: Account
) -> None:
    image = picture("JPEG")
    server.worker.pause()
    try:
        answer = server.upload(account, image, fields={"quality": "80"})
    finally:
        server.worker.resume()
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert list(body) == ["success", "message", "data"]
    assert body["success"] is True
    assert body["message"] == "Image uploaded and queued for optimization"
    data = body["data"]
    assert list(data) == [
        "image_id",
        "original_url",
        "optimized_url",
        "status",
        "original_size",
        "estimated_optimized_size",
    ]
    assert isinstance(data["image_id"], int)
    assert data["status"] == "processing"
    assert data["original_size"] == len(image)
    assert 1 <= data["estimated_optimized_size"] <= len(image)
    assert data["original_url"].startswith(f"{server.settings.base_url}/direct-file/original/")
    assert data["optimized_url"].startswith(f"{server.settings.base_url}/direct-file/optimized/")
    assert data["original_url"].endswith(".jpg")


@pytest.mark.parametrize("kind", MEDIA_TYPES)
def test_jpeg_png_gif_and_webp_are_optimized(
    server: RunningServer, account: Account, kind: str
) -> None:
    image = picture(kind, (64, 64))
    data = server.upload(account, image).json()["data"]
    final = server.finished(account, data["image_id"])
    assert final["status"] == "completed"
    original = httpx.get(data["original_url"])
    optimized = httpx.get(data["optimized_url"])
    assert original.content == image
    assert original.headers["content-type"] == MEDIA_TYPES[kind]
    assert optimized.headers["content-type"] == MEDIA_TYPES[kind]
    assert len(optimized.content) == final["optimized_size"] <= len(image)


def test_quality_is_80_by_default_and_1_to_100(server: RunningServer, account: Account) -> None:
    for given, quality in ((None, 80), ("1", 1), ("100", 100)):
        fields = {} if given is None else {"quality": given}
        number = server.upload(account, picture(), fields=fields).json()["data"]["image_id"]
        assert server.finished(account, number)["quality"] == quality


def test_status_goes_from_processing_to_completed_with_the_keys_of_the_reference(
    server: RunningServer, account: Account
) -> None:
    server.worker.pause()
    try:
        image = picture("PNG", (80, 80))
        number = server.upload(account, image).json()["data"]["image_id"]
        answer = server.client.get(f"/api/status/{number}", headers=account.headers)
    finally:
        server.worker.resume()
    waiting = answer.json()["data"]
    assert waiting["status"] == "processing"
    assert waiting["optimized_size"] is None
    assert waiting["compression_ratio"] is None
    assert waiting["processing_time"] is None
    data = server.finished(account, number)
    assert list(data)[:8] == [
        "image_id",
        "status",
        "original_size",
        "optimized_size",
        "compression_ratio",
        "processing_time",
        "original_url",
        "optimized_url",
    ]
    assert data["status"] == "completed"
    assert data["original_size"] == len(image)
    saved = 100 * (1 - data["optimized_size"] / len(image))
    assert data["compression_ratio"] == pytest.approx(saved, abs=0.01)
    assert data["processing_time"] >= 0


def test_usage_has_trends_types_and_compression(server: RunningServer, account: Account) -> None:
    for kind in ("PNG", "GIF"):
        number = server.upload(account, picture(kind)).json()["data"]["image_id"]
        server.finished(account, number)
    answer = server.client.get("/api/v1/usage", headers=account.headers)
    assert answer.status_code == 200
    data = answer.json()["data"]
    assert len(data["monthly_trends"]) == 12
    assert data["monthly_trends"][-1]["images"] == 2
    assert {entry["type"]: entry["share"] for entry in data["image_types"]} == {
        "png": 50.0,
        "gif": 50.0,
    }
    compression = data["compression"]
    assert compression["images"] == 2
    assert compression["saved_bytes"] == (
        compression["original_bytes"] - compression["optimized_bytes"]
    )


def test_stats_tell_the_remaining_quota(server: RunningServer) -> None:
    account = server.account(monthly_quota=5)
    number = server.upload(account, picture()).json()["data"]["image_id"]
    server.finished(account, number)
    answer = server.client.get("/api/v1/stats", headers=account.headers)
    data = answer.json()["data"]
    assert (data["used"], data["pending"], data["remaining"]) == (1, 0, 4)
    assert data["plan"]["monthly_quota"] == 5
    assert data["plan"]["price"] == {"amount": 9.0, "currency": "USD"}
    assert data["reset_date"].endswith("-01T00:00:00+00:00")
    assert answer.headers["x-quota-remaining"] == "4"


def test_400_bad_request(server: RunningServer, account: Account) -> None:
    answer = server.client.post(
        "/api/optimize",
        content=b"no form at all",
        headers={**account.headers, "Content-Type": "multipart/form-data; boundary=x"},
    )
    failure(answer, 400, "bad_form")


def test_401_invalid_key(server: RunningServer) -> None:
    for key in ("", "wrong", "tj_" + "a" * 43):
        answer = server.client.get("/api/v1/usage", headers={"X-API-Key": key})
        failure(answer, 401, "unauthorized")


def test_403_plan_limit_exceeded(server: RunningServer) -> None:
    account = server.account(monthly_quota=1)
    assert server.upload(account, picture()).status_code == 200
    failure(server.upload(account, picture()), 403, "quota_exceeded")


def test_422_has_the_messages_of_the_reference(server: RunningServer, account: Account) -> None:
    answer = server.client.post(
        "/api/optimize",
        files={"other": (None, "x")},
        data={"quality": "101"},
        headers=account.headers,
    )
    body = failure(answer, 422, "validation_failed")
    assert body["message"] == "Validation failed"
    assert body["errors"] == {
        "image": ["The image field is required."],
        "quality": ["The quality must be between 1 and 100."],
    }


def test_every_path_is_also_below_the_other_prefix(server: RunningServer, account: Account) -> None:
    for prefix in ("/api", "/api/v1"):
        answer = server.client.post(
            f"{prefix}/optimize", files={"image": picture()}, headers=account.headers
        )
        number = answer.json()["data"]["image_id"]
        for path in (f"status/{number}", "usage", "stats", "images"):
            answer = server.client.get(f"{prefix}/{path}", headers=account.headers)
            assert answer.status_code == 200, path


def test_wait_answers_when_the_image_is_finished(server: RunningServer, account: Account) -> None:
    answer = server.upload(account, picture(), params={"wait": "20"})
    data = answer.json()["data"]
    assert data["status"] == "completed"
    assert data["optimized_size"] <= data["original_size"]
    assert server.upload(account, picture(), fields={"wait": "20"}).json()["data"]["status"] == (
        "completed"
    )
    started = time.monotonic()
    server.worker.pause()
    try:
        number = server.upload(account, picture()).json()["data"]["image_id"]
        answer = server.client.get(f"/api/status/{number}?wait=0.2", headers=account.headers)
    finally:
        server.worker.resume()
    assert answer.json()["data"]["status"] == "processing"
    assert time.monotonic() - started >= 0.2
