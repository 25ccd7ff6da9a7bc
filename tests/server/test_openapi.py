"""The document at /openapi.json says what the API does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import pytest

from tests.server.clients import completed, post
from tests.server.logging_in import member
from tests.server.running import RunningServer
from tinyjpg_server.app import create_app
from tinyjpg_server.settings import load_settings


@pytest.fixture(scope="module")
def document(server: RunningServer) -> dict[str, Any]:
    answer = httpx.get(f"{server.url}/openapi.json")
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
    assert checked >= 12


def test_the_answers_conform(client: httpx.Client, document: dict[str, Any]) -> None:
    answer = post(client)
    conforms(document, "/api/optimize", "post", 200, answer.json())
    number = answer.json()["data"]["image_id"]
    completed(client, number)
    conforms(document, "/api/optimize", "post", 422, post(client, b"").json())
    for path in ("/api/status/{image_id}", "/api/v1/usage", "/api/v1/stats", "/api/images"):
        url = path.replace("{image_id}", str(number))
        conforms(document, path, "get", 200, client.get(url).json())
        conforms(document, path, "get", 401, client.get(url, headers={"X-API-Key": ""}).json())
    answer = client.delete(f"/api/images/{number}")
    conforms(document, "/api/images/{image_id}", "delete", 200, answer.json())


def test_the_answers_to_people_conform(server: RunningServer, document: dict[str, Any]) -> None:
    with member(server) as ann:
        made = ann.client.post("/api/keys", json={"name": "a"})
        conforms(document, "/api/keys", "post", 200, made.json())
        conforms(document, "/api/keys", "get", 200, ann.client.get("/api/keys").json())
        number = made.json()["data"]["id"]
        rotated = ann.client.post(f"/api/keys/{number}/rotate")
        conforms(document, "/api/keys/{key_id}/rotate", "post", 200, rotated.json())
        revoked = ann.client.delete(f"/api/keys/{number}")
        conforms(document, "/api/keys/{key_id}", "delete", 200, revoked.json())
        logged_in = ann.client.post("/api/session", json=ann.credentials)
        conforms(document, "/api/session", "post", 200, logged_in.json())
        conforms(document, "/api/session", "delete", 200, ann.client.delete("/api/session").json())


def test_the_longest_wait_is_that_of_the_settings(tmp_path: Path) -> None:
    app = create_app(load_settings(data=tmp_path, longest_wait=7))
    paths = app.state.document["paths"]
    (wait,) = (one for one in paths["/api/optimize"]["post"]["parameters"] if one["name"] == "wait")
    assert wait["schema"]["maximum"] == 7
    form = paths["/api/optimize"]["post"]["requestBody"]["content"]["multipart/form-data"]
    assert form["schema"]["properties"]["wait"]["maximum"] == 7
