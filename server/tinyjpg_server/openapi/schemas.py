"""What answers look like, as JSON Schema."""

from __future__ import annotations

from typing import Any, Final

Schema = dict[str, Any]


def _object(properties: Schema, *, optional: tuple[str, ...] = (), **more: Any) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        **more,
    }


def envelope(data: Schema, message: str | None = None) -> Schema:
    """The schema of a success with `data`; with a `message` where one is given as an example."""
    said = {} if message is None else {"message": {"type": "string", "examples": [message]}}
    return _object({"success": {"const": True}, **said, "data": data})


def reference(name: str) -> Schema:
    """A reference to one of `SCHEMAS`."""
    return {"$ref": f"#/components/schemas/{name}"}


def _or_null(schema: Schema) -> Schema:
    return {**schema, "type": [schema["type"], "null"]}


_BYTES: Final[Schema] = {"type": "integer", "minimum": 0, "description": "Bytes."}
_COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
_URL: Final[Schema] = {"type": "string", "format": "uri"}
_TIME: Final[Schema] = {"type": "string", "format": "date-time"}
_STATUS: Final[Schema] = {"type": "string", "enum": ["processing", "completed", "failed"]}
_ID: Final[Schema] = {"type": "integer", "minimum": 1, "format": "int64"}
_RATIO: Final[Schema] = {"type": "number", "description": "Per cent of the bytes that was saved."}

_MOMENT: Final[Schema] = _or_null(_TIME)

NOTHING: Final[Schema] = {"type": "null"}
SESSION: Final[Schema] = _object(
    {
        "email": {"type": "string"},
        "plan": {"type": "string"},
        "expires_at": {**_TIME, "description": "When the log-in ends."},
    }
)
_KEY: Final[Schema] = {
    "id": _ID,
    "name": {"type": "string", "description": "As you named it."},
    "hint": {"type": "string", "description": "Both ends of the key."},
    "created_at": _TIME,
    "last_used_at": {**_MOMENT, "description": "A few seconds late; null: never."},
    "expires_at": {**_MOMENT, "description": "When a rotated key ends; null: never."},
    "revoked_at": {**_MOMENT, "description": "Null: not revoked."},
    "state": {"type": "string", "enum": ["active", "expiring", "expired", "revoked"]},
}
KEY: Final[Schema] = _object(_KEY)
LISTED_KEYS: Final[Schema] = _object({"keys": {"type": "array", "items": KEY}})
NEW_KEY: Final[Schema] = _object(
    {**_KEY, "key": {"type": "string", "description": "The key, this once."}}
)

_FINAL: Final[Schema] = {
    "optimized_size": {**_or_null(_BYTES), "description": "Bytes; null until completed."},
    "compression_ratio": {
        "type": ["number", "null"],
        "description": "Per cent of the original that was saved; null until completed.",
    },
    "processing_time": {
        "type": ["number", "null"],
        "description": "Seconds of work; null until completed.",
    },
    "format": {"type": "string", "enum": ["jpeg", "png", "webp", "gif"]},
    "width": {"type": "integer", "minimum": 1, "description": "Pixels."},
    "height": {"type": "integer", "minimum": 1, "description": "Pixels."},
    "quality": {"type": "integer", "minimum": 1, "maximum": 100},
    "created_at": _TIME,
    "expires_at": {**_TIME, "description": "When the files are deleted."},
    "score": {
        "type": ["number", "null"],
        "description": "SSIMULACRA2 score that the result reaches; 100 is pixel-identical.",
    },
    "method": {"type": ["string", "null"], "description": "How the result was made."},
    "error": _object(
        {"code": {"type": "string"}, "message": {"type": "string"}},
        description="Why the image failed; it costs nothing.",
    ),
}
_ACCEPTED: Final[Schema] = {
    "image_id": _ID,
    "original_url": _URL,
    "optimized_url": _URL,
    "status": _STATUS,
    "original_size": _BYTES,
    "estimated_optimized_size": {
        **_BYTES,
        "description": "Bytes to expect, from the header and past results.",
    },
}

_TOTALS: Final[Schema] = {
    "images": {**_COUNT, "description": "Images completed."},
    "original_bytes": _COUNT,
    "optimized_bytes": _COUNT,
    "saved_bytes": {"type": "integer"},
}
_AVERAGE: Final[Schema] = {
    "type": "number",
    "description": "Per cent saved of an image, on average.",
}
_FAILED: Final[Schema] = {**_COUNT, "description": "Images that failed; they cost nothing."}

SCHEMAS: Final[dict[str, Schema]] = {
    "Error": _object(
        {
            "success": {"const": False},
            "message": {"type": "string", "description": "What is wrong, for people."},
            "errors": {
                "type": "object",
                "description": "Messages per field of the request.",
                "additionalProperties": {"type": "array", "items": {"type": "string"}},
            },
            "code": {"type": "string", "description": "What is wrong, for machines; stable."},
        }
    ),
    "AcceptedImage": _object({**_ACCEPTED, **_FINAL}, optional=tuple(_FINAL)),
    "ImageStatus": _object(
        {**_ACCEPTED, **_FINAL},
        optional=("estimated_optimized_size", "score", "method", "error"),
    ),
    "ImagePage": _object(
        {
            "images": {
                "type": "array",
                "description": "Each as its status shows it.",
                "items": reference("ImageStatus"),
                "maxItems": 100,
            },
            "next_cursor": {
                "type": ["string", "null"],
                "description": "Give it as `cursor` for the next page; null on the last one.",
            },
        }
    ),
    "DeletedImage": _object({"image_id": _ID, "deleted": {"const": True}}),
    "Usage": _object(
        {
            "monthly_trends": {
                "type": "array",
                "description": "The last twelve months (UTC), the oldest first.",
                "items": _object(
                    {
                        "month": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}$"},
                        **_TOTALS,
                        "average_compression_ratio": _AVERAGE,
                        "failed": _FAILED,
                    }
                ),
            },
            "image_types": {
                "type": "array",
                "description": "The formats of completed images, the most frequent first.",
                "items": _object(
                    {
                        "type": {"type": "string", "enum": ["jpeg", "png", "webp", "gif"]},
                        "share": {"type": "number", "description": "Per cent of the images."},
                        **_TOTALS,
                        "average_compression_ratio": _AVERAGE,
                    }
                ),
            },
            "compression": _object(
                {
                    **_TOTALS,
                    "compression_ratio": _RATIO,
                    "average_compression_ratio": _AVERAGE,
                    "best_compression_ratio": _RATIO,
                    "average_score": {"type": ["number", "null"]},
                    "average_processing_time": {
                        "type": ["number", "null"],
                        "description": "Seconds.",
                    },
                    "failed": _FAILED,
                }
            ),
        }
    ),
    "Stats": _object(
        {
            "plan": _object(
                {
                    "name": {"type": "string"},
                    "monthly_quota": _COUNT,
                    "max_upload_size": _BYTES,
                    "requests_per_minute": _COUNT,
                    "price": _object(
                        {
                            "amount": {"type": "number", "minimum": 0},
                            "currency": {"type": "string"},
                        }
                    ),
                }
            ),
            "used": {**_COUNT, "description": "Images completed this month."},
            "pending": {**_COUNT, "description": "Images accepted and not finished yet."},
            "remaining": {**_COUNT, "description": "Images that would be accepted now."},
            "reset_date": {**_TIME, "description": "When the next month begins (UTC)."},
        }
    ),
    "Health": _object({"status": {"type": "string"}}),
}
