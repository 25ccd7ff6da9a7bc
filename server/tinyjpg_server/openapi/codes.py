"""Every `code` that the API answers, by status; docs/api.md has the same table."""

from __future__ import annotations

from typing import Final, NamedTuple


class Codes(NamedTuple):
    """The codes of some statuses, and what they say."""

    statuses: tuple[int, ...]
    codes: tuple[str, ...]
    meaning: str


CODES: Final = (
    Codes(
        (400,),
        ("bad_request", "bad_form", "bad_json", "bad_idempotency_key"),
        "the request cannot be read",
    ),
    Codes(
        (401,),
        ("unauthorized", "wrong_credentials"),
        "no key, or one that is invalid, revoked or expired; a wrong log-in",
    ),
    Codes((403,), ("quota_exceeded",), "the plan's images of this month are used up"),
    Codes(
        (403,),
        ("forbidden", "cross_origin", "form_expired", "account_disabled", "sign_up_closed"),
        "known, but not allowed",
    ),
    Codes((404,), ("not_found", "key_not_found"), "nothing there, or nothing of yours"),
    Codes(
        (404,),
        ("processing", "failed", "expired"),
        "of a file: not there yet, never there, not there any more",
    ),
    Codes((405,), ("method_not_allowed",), "`Allow` lists those that are"),
    Codes((408,), ("upload_timeout", "request_timeout"), "sending took too long"),
    Codes(
        (409,),
        ("conflict", "key_not_active", "too_many_keys", "plan_not_changed"),
        "what is there stands against it",
    ),
    Codes((412, 416), ("precondition_failed", "range_not_satisfiable"), "of a file"),
    Codes((413,), ("payload_too_large",), "larger than the plan allows"),
    Codes((415,), ("unsupported_media_type",), "not a JPEG, PNG, WebP or GIF, or no form"),
    Codes(
        (422,),
        ("validation_failed", "corrupt_image", "image_too_large", "idempotency_key_reused"),
        "a field or the image is wrong; `errors` says which",
    ),
    Codes((429,), ("rate_limited",), "wait `Retry-After` seconds"),
    Codes(
        (429,),
        ("daily_allowance",),
        "of the home page without an account: today's images of this address are used up; "
        "`Retry-After` is midnight UTC",
    ),
    Codes((500,), ("internal_error",), "ours; tell us the `X-Request-ID`"),
    Codes(
        (503,),
        ("unavailable", "queue_full", "storage_full"),
        "nothing is taken on just now; wait `Retry-After` seconds",
    ),
)

# In `error.code` of an image that was accepted and fails.
IMAGE_CODES: Final = {
    "corrupt_image": "it cannot be decoded",
    "unsupported_format": "it is no JPEG, PNG, WebP or GIF after all",
    "image_too_large": "it has more pixels or frames, or needs more memory, than is allowed",
    "took_too_long": "it could not be done in the time allowed",
    "worker_failed": "the work on it broke off every time",
    "original_missing": "its file was gone before the work began",
    "deleted": "you deleted it meanwhile",
    "internal_error": "the fault is ours",
}
