"""The API reference, line by line, through real HTTP against the real service."""

from __future__ import annotations

import re

import httpx
import pytest

import tinyjpg
from tests.server.clients import MakeClient, completed, picture, post, upload

FORMATS = {"jpg": "image/jpeg", "png": "image/png", "gif": "image/gif", "webp": "image/webp"}


def test_all_api_requests_require_an_api_key_in_the_x_api_key_header(client: httpx.Client) -> None:
    for path in ("/api/status/1", "/api/v1/usage", "/api/v1/stats", "/api/images"):
        without = client.get(path, headers={"X-API-Key": ""})
        assert without.status_code == 401
        assert without.json()["success"] is False
    assert post(client, headers={"X-API-Key": "tj_wrong"}).status_code == 401


@pytest.mark.parametrize("extension", FORMATS)
def test_upload_and_optimize_an_image_file(client: httpx.Client, extension: str) -> None:
    original = picture(extension)
    accepted = upload(client, original, name=f"a.{extension}", quality=80)
    assert accepted["original_url"].endswith(f".{extension}")
    status = completed(client, accepted["image_id"])
    assert status["status"] == "completed"
    optimized = client.get(status["optimized_url"], headers={"X-API-Key": ""})
    assert optimized.status_code == 200
    assert optimized.headers["content-type"] == FORMATS[extension]
    assert len(optimized.content) == status["optimized_size"] <= len(original)
    assert optimized.content == tinyjpg.optimize(original, 80).data
    assert client.get(status["original_url"]).content == original


def test_the_response_to_an_upload_is_the_documented_one(client: httpx.Client) -> None:
    original = picture()
    answer = post(client, original, quality=80)
    assert answer.status_code == 200
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
    assert data["original_size"] == len(original)
    assert 0 < data["estimated_optimized_size"] <= len(original)
    base = str(client.base_url).rstrip("/")
    assert re.fullmatch(rf"{base}/direct-file/original/[0-9a-z]{{26,}}\.png", data["original_url"])
    assert re.fullmatch(
        rf"{base}/direct-file/optimized/[0-9a-z]{{26,}}\.png", data["optimized_url"]
    )


def test_quality_is_optional_and_80_by_default(client: httpx.Client) -> None:
    original = picture("jpg", 64, 64, seed=2)
    status = completed(client, upload(client, original)["image_id"])
    assert status["quality"] == 80
    assert client.get(status["optimized_url"]).content == tinyjpg.optimize(original, 80).data


@pytest.mark.parametrize("quality", [1, 100])
def test_quality_goes_from_1_to_100(client: httpx.Client, quality: int) -> None:
    accepted = upload(client, picture("jpg", seed=3), quality=quality)
    status = completed(client, accepted["image_id"])
    assert (status["status"], status["quality"]) == ("completed", quality)


def test_the_response_to_a_status_request_is_the_documented_one(client: httpx.Client) -> None:
    accepted = upload(client)
    answer = client.get(f"/api/status/{accepted['image_id']}", params={"wait": 60})
    body = answer.json()
    assert list(body) == ["success", "data"]
    data = body["data"]
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
    assert data["image_id"] == accepted["image_id"]
    assert data["status"] == "completed"
    saved = 100 * (1 - data["optimized_size"] / data["original_size"])
    assert data["compression_ratio"] == pytest.approx(saved, abs=0.01)
    assert data["processing_time"] > 0
    assert data["original_url"] == accepted["original_url"]
    assert data["optimized_url"] == accepted["optimized_url"]
    assert data["score"] >= 79.5


def test_status_goes_from_processing_to_failed_for_an_image_that_cannot_be_decoded(
    client: httpx.Client,
) -> None:
    whole = picture("png", 200, 200, seed=5)
    # The header is fine, and so is all until the pixels are decoded.
    damaged = bytearray(whole)
    start = whole.index(b"IDAT") + 20
    damaged[start : start + 40] = bytes(40)
    answer = post(client, bytes(damaged))
    if answer.status_code == 422:
        assert answer.json()["code"] == "corrupt_image"
        return
    status = completed(client, answer.json()["data"]["image_id"])
    assert status["status"] == "failed"
    assert status["error"]["code"] == "corrupt_image"
    assert status["error"]["message"]
    assert status["optimized_size"] is None


def test_usage_tells_monthly_trends_image_types_and_compression(make_client: MakeClient) -> None:
    client = make_client()
    for extension in ("png", "jpg"):
        completed(client, upload(client, picture(extension), name=f"a.{extension}")["image_id"])
    answer = client.get("/api/v1/usage")
    assert answer.status_code == 200
    data = answer.json()["data"]
    assert len(data["monthly_trends"]) == 12
    this_month = data["monthly_trends"][-1]
    assert this_month["images"] == 2
    assert this_month["saved_bytes"] == this_month["original_bytes"] - this_month["optimized_bytes"]
    assert {one["type"]: one["images"] for one in data["image_types"]} == {"png": 1, "jpeg": 1}
    assert data["compression"]["images"] == 2
    assert 0 < data["compression"]["compression_ratio"] < 100


def test_stats_tell_the_remaining_quota(make_client: MakeClient) -> None:
    client = make_client("Free")
    before = client.get("/api/v1/stats").json()["data"]
    assert before["plan"]["name"] == "Free"
    assert before["remaining"] == before["plan"]["monthly_quota"]
    assert re.fullmatch(r"\d{4}-\d\d-01T00:00:00\+00:00", before["reset_date"])
    completed(client, upload(client)["image_id"])
    after = client.get("/api/v1/stats").json()["data"]
    assert (after["used"], after["pending"]) == (1, 0)
    assert after["remaining"] == before["remaining"] - 1


def test_400_for_a_request_that_cannot_be_read(client: httpx.Client) -> None:
    answer = client.post(
        "/api/optimize",
        content=b"this is no form",
        headers={"Content-Type": "multipart/form-data; boundary=x"},
    )
    assert answer.status_code == 400
    assert answer.json()["code"] == "bad_form"


def test_401_for_an_invalid_or_missing_api_key(client: httpx.Client) -> None:
    for key in ("", "tj_wrong", "tj_" + "a" * 43):
        answer = client.get("/api/v1/stats", headers={"X-API-Key": key})
        assert answer.status_code == 401
        assert answer.json()["code"] == "unauthorized"


def test_422_names_every_field_that_is_wrong(client: httpx.Client) -> None:
    answer = client.post("/api/optimize", files={"quality": (None, "0")})
    assert answer.status_code == 422
    assert answer.json() == {
        "success": False,
        "message": "Validation failed",
        "errors": {
            "image": ["The image field is required."],
            "quality": ["The quality must be between 1 and 100."],
        },
        "code": "validation_failed",
    }


@pytest.mark.parametrize("quality", ["0", "101", "-1", "abc", "", "80.5", "1e2", "\uff19"])
def test_422_for_a_quality_that_is_none(client: httpx.Client, quality: str) -> None:
    answer = post(client, quality=quality)
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == ["quality"]


def test_every_endpoint_is_there_with_and_without_v1(client: httpx.Client) -> None:
    image_id = client.post("/api/v1/optimize", files={"image": picture()}).json()["data"][
        "image_id"
    ]
    for path in (f"status/{image_id}", "usage", "stats", "images"):
        answers = [client.get(f"/api/{path}"), client.get(f"/api/v1/{path}")]
        assert [answer.status_code for answer in answers] == [200, 200]
