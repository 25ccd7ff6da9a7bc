"""The operations for people with a browser: log in and out, API keys."""

from __future__ import annotations

from typing import Any, Final

from tinyjpg_server.openapi.operations import JSON, Operation
from tinyjpg_server.openapi.schemas import KEY, LISTED_KEYS, NEW_KEY, NOTHING, SESSION, Schema

# Of every operation that changes something.
_CHANGES: Final = (403, 413, 500, 503)
_KEY_ID: Final = {
    "name": "key_id",
    "in": "path",
    "required": True,
    "description": "The ID of the key, from the list",
    "schema": {"type": "integer"},
}
_SECRET: Final = "tj_4fT0aXb9Q..."  # noqa: S105 - an example
_KEY: Final[dict[str, Any]] = {
    "id": 7,
    "name": "Web shop",
    "hint": "tj_4fT0…x9Qa",
    "created_at": "2026-11-25T09:30:00.000+00:00",
    "last_used_at": None,
    "expires_at": None,
    "revoked_at": None,
    "state": "active",
}
_MADE: Final = "API key made; it is shown this once"


def _body(schema: Schema, *, required: bool = True) -> Schema:
    return {"required": required, "content": {JSON: {"schema": schema}}}


def _of_components(name: str) -> Schema:
    # The framework adds it, from the route's own model.
    return {"$ref": f"#/components/schemas/{name}"}


ACCOUNT_OPERATIONS: Final[dict[tuple[str, str], Operation]] = {
    ("post", "/api/session"): Operation(
        id="logIn",
        summary="Log in",
        description=(
            "Log in with email and password; the answer sets a cookie that is valid for 30 days."
        ),
        tag="Account",
        data=SESSION,
        failures=(400, 401, 422, 429, *_CHANGES),
        message="Logged in",
        body=_body(_of_components("LogIn")),
        example={
            "success": True,
            "message": "Logged in",
            "data": {
                "email": "you@example.com",
                "plan": "Free",
                "expires_at": "2026-12-25T09:30:00.000+00:00",
            },
        },
        needs_key=False,
    ),
    ("delete", "/api/session"): Operation(
        id="logOut",
        summary="Log out",
        description="End the session of the cookie, if there is one, and take the cookie away.",
        tag="Account",
        data=NOTHING,
        failures=_CHANGES,
        message="Logged out",
        example={"success": True, "message": "Logged out", "data": None},
        needs_key=False,
    ),
    ("get", "/api/keys"): Operation(
        id="listKeys",
        summary="List the API keys",
        description=(
            "All keys of the account, also those that work no more. No key is shown, only its ends."
        ),
        tag="Account",
        data=LISTED_KEYS,
        failures=(401, 500, 503),
        example={"success": True, "data": {"keys": [_KEY]}},
        needs_key=False,
    ),
    ("post", "/api/keys"): Operation(
        id="makeKey",
        summary="Make an API key",
        description="Make a key. It is shown in this answer and never again.",
        tag="Account",
        data=NEW_KEY,
        failures=(400, 401, 409, 422, *_CHANGES),
        message=_MADE,
        body=_body(_of_components("NewKey")),
        example={"success": True, "message": _MADE, "data": {**_KEY, "key": _SECRET}},
        needs_key=False,
    ),
    ("delete", "/api/keys/{key_id}"): Operation(
        id="revokeKey",
        summary="Revoke an API key",
        description="Make a key invalid from now on.",
        tag="Account",
        data=KEY,
        failures=(401, 404, 422, *_CHANGES),
        parameters=(_KEY_ID,),
        message="API key revoked",
        example={
            "success": True,
            "message": "API key revoked",
            "data": {**_KEY, "revoked_at": "2026-11-26T09:30:00.000+00:00", "state": "revoked"},
        },
        needs_key=False,
    ),
    ("post", "/api/keys/{key_id}/rotate"): Operation(
        id="rotateKey",
        summary="Rotate an API key",
        description=(
            "Make a new key of the same name; the old one works on for `overlap` seconds (a day)."
        ),
        tag="Account",
        data=NEW_KEY,
        failures=(400, 401, 404, 409, 422, *_CHANGES),
        parameters=(_KEY_ID,),
        message=_MADE,
        body=_body({"anyOf": [_of_components("Rotation"), {"type": "null"}]}, required=False),
        example={"success": True, "message": _MADE, "data": {**_KEY, "id": 8, "key": _SECRET}},
        needs_key=False,
    ),
}
