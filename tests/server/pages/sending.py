"""How the home page's scripts and its form send images."""

from __future__ import annotations

from typing import Any

import httpx

from tests.server.clients import picture
from tests.server.people import Person


def script_post(
    person: Person,
    image: bytes | None = None,
    *,
    name: str = "picture.png",
    token: str | None = None,
    headers: dict[str, str] | None = None,
    **fields: Any,
) -> httpx.Response:
    """POST /web/images, with the token of the home page unless another is given."""
    given = person.token("/") if token is None else token
    return person.client.post(
        "/web/images",
        files={"image": (name, picture() if image is None else image)},
        data={field: str(value) for field, value in fields.items()},
        headers={"X-Form-Token": given, **(headers or {})},
    )


def script_upload(person: Person, image: bytes | None = None, **arguments: Any) -> dict[str, Any]:
    """Have an image taken; what the script is told of it."""
    answer = script_post(person, image, **arguments)
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def finished(person: Person, name: str) -> dict[str, Any]:
    """What the script is told once the image is finished."""
    answer = person.client.get(f"/web/images/{name}", params={"wait": 60})
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    assert data["status"] != "processing"
    return data


def form_post(
    person: Person,
    image: bytes | None = None,
    *,
    name: str = "picture.png",
    headers: dict[str, str] | None = None,
    **fields: Any,
) -> httpx.Response:
    """POST /, as a browser without scripts sends the form."""
    data = {"form_token": person.token("/"), "quality": "80", **fields}
    files = {"image": (name, picture() if image is None else image)}
    return person.client.post("/", files=files, data=data, headers=headers)


def again(person: Person, name: str, quality: object, **fields: str) -> httpx.Response:
    """POST /web/images/{name}/again."""
    form = {"form_token": person.token("/"), "quality": str(quality), **fields}
    return person.client.post(f"/web/images/{name}/again", data=form)
