"""The operations of the API: parameters, answers, examples."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from tinyjpg_server.openapi.schemas import Schema, envelope, reference

JSON: Final = "application/json"

_ACCEPTED: Final = {
    "success": True,
    "message": "Image uploaded and queued for optimization",
    "data": {
        "image_id": 123,
        "original_url": "{base_url}/direct-file/original/9f86d081884c7d659a2feaa0c55ad015.jpg",
        "optimized_url": "{base_url}/direct-file/optimized/9f86d081884c7d659a2feaa0c55ad015.jpg",
        "status": "processing",
        "original_size": 2048576,
        "estimated_optimized_size": 1024288,
    },
}
_STATUS: Final[dict[str, Any]] = {
    "success": True,
    "data": {
        "image_id": 123,
        "status": "completed",
        "original_size": 2048576,
        "optimized_size": 1024288,
        "compression_ratio": 50.0,
        "processing_time": 2.34,
        "original_url": "{base_url}/direct-file/original/9f86d081884c7d659a2feaa0c55ad015.jpg",
        "optimized_url": "{base_url}/direct-file/optimized/9f86d081884c7d659a2feaa0c55ad015.jpg",
        "format": "jpeg",
        "width": 4000,
        "height": 3000,
        "quality": 80,
        "created_at": "2026-11-25T09:30:00.000+00:00",
        "expires_at": "2026-12-02T09:30:00.000+00:00",
        "score": 80.2,
        "method": "encoded at 5.66, 4:2:0",
    },
}
_TOTALS: Final = {
    "images": 120,
    "original_bytes": 245829120,
    "optimized_bytes": 98331648,
    "saved_bytes": 147497472,
}
_USAGE: Final[dict[str, Any]] = {
    "success": True,
    "data": {
        "monthly_trends": [
            {"month": "2026-11", **_TOTALS, "average_compression_ratio": 58.3, "failed": 1}
        ],
        "image_types": [
            {"type": "jpeg", "share": 100.0, **_TOTALS, "average_compression_ratio": 58.3}
        ],
        "compression": {
            **_TOTALS,
            "compression_ratio": 60.0,
            "average_compression_ratio": 58.3,
            "best_compression_ratio": 81.2,
            "average_score": 80.4,
            "average_processing_time": 1.42,
            "failed": 1,
        },
    },
}
INVALID: Final = {
    "success": False,
    "message": "Validation failed",
    "errors": {
        "image": ["The image field is required."],
        "quality": ["The quality must be between 1 and 100."],
    },
    "code": "validation_failed",
}

# What each status means, wherever it is answered.
MEANINGS: Final = {
    400: "Bad Request: the request cannot be read.",
    401: "Unauthorized: the API key is missing or not valid.",
    403: "Forbidden: plan limit exceeded (`quota_exceeded`) or insufficient permissions.",
    404: "Not Found: there is nothing here, or nothing of yours.",
    405: "Method Not Allowed: `Allow` lists those that are.",
    408: "Request Timeout: sending the upload took too long (`upload_timeout`).",
    409: "Conflict: what is there stands against it.",
    412: "Precondition Failed: the file is another one than `If-Match` names.",
    413: "Payload Too Large: the image is larger than the plan allows.",
    415: "Unsupported Media Type: not a JPEG, PNG, WebP or GIF, or not sent as a form.",
    416: "Range Not Satisfiable: the range begins after the end of the file.",
    422: "Unprocessable Entity: a parameter or the image is not valid; `errors` says which.",
    429: "Too Many Requests: the rate limit is reached; try again after `Retry-After` seconds.",
    500: "Server Error: internal server error.",
    503: "Service Unavailable: no room or too long a queue; try again after `Retry-After` seconds.",
}

_WAIT: Final = {
    "name": "wait",
    "in": "query",
    "description": "Seconds to hold the answer until the image is finished (long poll).",
    "schema": {"type": "number", "minimum": 0, "maximum": 60, "default": 0},
}
_IMAGE_ID: Final = {
    "name": "image_id",
    "in": "path",
    "required": True,
    "description": "The ID of the image returned from the optimize endpoint",
    "schema": {"type": "integer", "minimum": 1, "format": "int64"},
}
_ALWAYS: Final = (401, 429, 500, 503)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation beside its path and method.

    Attributes:
        id: operationId.
        summary, description: for people.
        tag: the part of the API it belongs to.
        data: schema of `data` in a success.
        failures: statuses that it may answer beside success.
        parameters: of path, query and header.
        message: example of `message`, where a success has one.
        body: of the request.
        example: of a success.
        curl: arguments of an example call, after the URL.
        needs_key: whether an API key is needed.
        replay: whether the answer may be another request's.
    """

    id: str
    summary: str
    description: str
    tag: str
    data: Schema
    failures: tuple[int, ...] = _ALWAYS
    parameters: tuple[Schema, ...] = ()
    message: str | None = None
    body: Schema | None = None
    example: Schema | None = None
    curl: tuple[str, ...] = ()
    needs_key: bool = True
    failure_examples: dict[int, Schema] = field(default_factory=dict)

    @property
    def success_schema(self) -> Schema:
        """Of the whole answer."""
        return envelope(self.data, self.message)


OPERATIONS: Final[dict[tuple[str, str], Operation]] = {
    ("post", "/api/optimize"): Operation(
        id="optimizeImage",
        summary="Image Optimization",
        description=(
            "Upload and optimize an image file. The optimization process runs asynchronously, and "
            "you'll receive immediate feedback with URLs to access your optimized image. One image "
            "costs one unit of the monthly quota once it is completed, a failed one nothing. With "
            "`wait` the answer comes when the image is finished, with the final fields in it."
        ),
        tag="Images",
        data=reference("AcceptedImage"),
        failures=(400, 401, 403, 408, 413, 415, 422, 429, 500, 503),
        parameters=(
            _WAIT,
            {
                "name": "Idempotency-Key",
                "in": "header",
                "description": (
                    "Makes it safe to send a request again: for 24 hours the same key with the "
                    "same image and quality gives the same image, charged once."
                ),
                "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
            },
        ),
        message="Image uploaded and queued for optimization",
        body={
            "required": True,
            "content": {
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "required": ["image"],
                        "properties": {
                            "image": {
                                "type": "string",
                                "format": "binary",
                                "description": (
                                    "The image file to optimize (JPEG, PNG, GIF, or WebP)"
                                ),
                            },
                            "quality": {
                                "type": "integer",
                                "minimum": 1,
                                "maximum": 100,
                                "default": 80,
                                "description": "Compression quality level (1-100, default is 80)",
                            },
                            "wait": {
                                "type": "number",
                                "minimum": 0,
                                "maximum": 60,
                                "description": "As the query parameter, which wins over it.",
                            },
                        },
                    },
                    "example": {"image": "@/path/to/image.jpg", "quality": 80},
                }
            },
        },
        example=_ACCEPTED,
        curl=('-F "image=@/path/to/image.jpg"', '-F "quality=80"'),
        failure_examples={422: INVALID},
    ),
    ("get", "/api/status/{image_id}"): Operation(
        id="getImageStatus",
        summary="Check Optimization Status",
        description=(
            "Check the status of an optimization request. Use this endpoint to determine when an "
            "image has finished processing and get the final results."
        ),
        tag="Images",
        data=reference("ImageStatus"),
        failures=(401, 404, 422, 429, 500, 503),
        parameters=(_IMAGE_ID, _WAIT),
        example=_STATUS,
    ),
    ("get", "/api/images"): Operation(
        id="listImages",
        summary="List Images",
        description="Your images, the newest first. Deleted ones are left out.",
        tag="Images",
        data=reference("ImagePage"),
        failures=(401, 422, 429, 500, 503),
        parameters=(
            {
                "name": "limit",
                "in": "query",
                "description": "Images of a page.",
                "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
            },
            {
                "name": "cursor",
                "in": "query",
                "description": "`next_cursor` of the page before.",
                "schema": {"type": "string", "pattern": "^[1-9][0-9]{0,17}$"},
            },
            {
                "name": "status",
                "in": "query",
                "schema": {"type": "string", "enum": ["processing", "completed", "failed"]},
            },
            {
                "name": "format",
                "in": "query",
                "schema": {"type": "string", "enum": ["jpeg", "png", "webp", "gif"]},
            },
        ),
        example={
            "success": True,
            "data": {"images": [_STATUS["data"]], "next_cursor": "123"},
        },
    ),
    ("delete", "/api/images/{image_id}"): Operation(
        id="deleteImage",
        summary="Delete Image",
        description=(
            "Delete the files of an image now instead of when they expire. One still processing "
            "is given up and costs nothing."
        ),
        tag="Images",
        data=reference("DeletedImage"),
        failures=(401, 404, 429, 500, 503),
        parameters=(_IMAGE_ID,),
        message="Image deleted",
        example={
            "success": True,
            "message": "Image deleted",
            "data": {"image_id": 123, "deleted": True},
        },
    ),
    ("get", "/api/v1/usage"): Operation(
        id="getUsage",
        summary="Usage Statistics",
        description=(
            "Get detailed usage information, including monthly trends, image type distribution, "
            "and compression statistics."
        ),
        tag="Usage",
        data=reference("Usage"),
        example=_USAGE,
    ),
    ("get", "/api/v1/stats"): Operation(
        id="getStats",
        summary="Remaining Quota",
        description="Your plan, what is left of its monthly quota, and when it resets.",
        tag="Usage",
        data=reference("Stats"),
        example={
            "success": True,
            "data": {
                "plan": {
                    "name": "Free",
                    "monthly_quota": 500,
                    "max_upload_size": 5242880,
                    "requests_per_minute": 60,
                    "price": {"amount": 0.0, "currency": "USD"},
                },
                "used": 12,
                "pending": 1,
                "remaining": 487,
                "reset_date": "2026-12-01T00:00:00+00:00",
            },
        },
    ),
    ("get", "/healthz"): Operation(
        id="getHealth",
        summary="Alive",
        description="Whether the process answers.",
        tag="Operations",
        data=reference("Health"),
        failures=(500,),
        needs_key=False,
    ),
    ("get", "/readyz"): Operation(
        id="getReadiness",
        summary="Ready",
        description="Whether the database answers and files can be written.",
        tag="Operations",
        data=reference("Health"),
        failures=(500, 503),
        needs_key=False,
    ),
}
