"""The document at /openapi.json says what the API does."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest

from tests.server.pictures import picture
from tests.server.running import Account, RunningServer


@pytest.fixture(scope="module")
def document(server: RunningServer) -> dict[str, Any]:
    answer = server.client.get("/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    found: dict[str, Any] = answer.json()
    return found


def conforms(document: dict[str, Any], path: str, method: str, status: int, body: Any) -> None:
    """Fail unless `body` is what the document says of this answer."""
    answer = document["paths"][path][method]["responses"][str(status)]
    schema = answer["content"]["application/json"]["schema"]
    jsonschema_rs.validate({**schema, "components": document["components"]}, body)


def test_every_endpoint_of_the_reference_is_there(document: dict[str, Any]) -> None:
    for method, path in (
        ("post", "/api/optimize"),
        ("get", "/api/status/{image_id}"),
        ("get", "/api/v1/usage"),
        ("get", "/api/v1/stats"),
        ("get", "/api/images"),
        ("delete", "/api/images/{image_id}"),
        ("get", "/direct-file/original/{file_name}"),
        ("get", "/direct-file/optimized/{file_name}"),
    ):
        assert method in document["paths"][path]
    assert "/api/v1/optimize" not in document["paths"]
    assert "/api/usage" not in document["paths"]


def test_every_operation_has_an_id_curl_and_the_error_schema(document: dict[str, Any]) -> None:
    ids = []
    for path, operations in document["paths"].items():
        for operation in operations.values():
            ids.append(operation["operationId"])
            assert operation["x-codeSamples"][0]["source"].startswith("curl -X ")
            for status, answer in operation["responses"].items():
                if int(status) >= 400:
                    schema = answer["content"]["application/json"]["schema"]
                    assert schema == {"$ref": "#/components/schemas/Error"}, (path, status)
    assert len(ids) == len(set(ids))


def test_the_upload_is_a_form_with_a_key(document: dict[str, Any]) -> None:
    operation = document["paths"]["/api/optimize"]["post"]
    form = operation["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert form["required"] == ["image"]
    assert form["properties"]["image"] == {
        "type": "string",
        "format": "binary",
        "description": "The image file to optimize (JPEG, PNG, GIF, or WebP)",
    }
    assert operation["security"] == [{"apiKey": []}]
    scheme = document["components"]["securitySchemes"]["apiKey"]
    assert (scheme["type"], scheme["in"], scheme["name"]) == ("apiKey", "header", "X-API-Key")
    statuses = {"200", "400", "401", "403", "408", "413", "415", "422", "429", "500", "503"}
    assert operation["responses"].keys() == statuses


def test_the_examples_conform(document: dict[str, Any]) -> None:
    checked = 0
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for status, answer in operation["responses"].items():
                example = answer.get("content", {}).get("application/json", {}).get("example")
                if example is not None:
                    conforms(document, path, method, int(status), example)
                    checked += 1
    assert checked >= 6


def test_the_answers_conform(
    server: RunningServer, account: Account, document: dict[str, Any]
) -> None:
    answer = server.upload(account, picture())
    conforms(document, "/api/optimize", "post", 200, answer.json())
    number = answer.json()["data"]["image_id"]
    server.finished(account, number)
    conforms(document, "/api/optimize", "post", 422, server.upload(account, b"").json())
    for path in ("/api/status/{image_id}", "/api/v1/usage", "/api/v1/stats", "/api/images"):
        url = path.replace("{image_id}", str(number))
        answer = server.client.get(url, headers=account.headers)
        conforms(document, path, "get", 200, answer.json())
        conforms(document, path, "get", 401, server.client.get(url).json())
    answer = server.client.delete(f"/api/images/{number}", headers=account.headers)
    conforms(document, "/api/images/{image_id}", "delete", 200, answer.json())
