"""Every error of the service, in one place, and what the API answers for each.

ServerError
├── SettingsError              a setting is wrong: the service does not start
├── StartError                 folder or port cannot be used: the service does not start
├── DatabaseError              the database is missing, out of reach or of another version
├── AccountingError            usage and images disagree: a bug, or a hand in the database
├── StorageError               the store of image files fails
│   ├── NotStoredError             nothing is stored under the name
│   ├── StorageFullError           no room is left
│   └── ObjectNameError            no object can have the name
└── ApiError                   becomes an answer: status, code, message, errors per field
    ├── BadRequestError            400
    ├── UnauthorizedError          401
    ├── ForbiddenError             403
    │   └── QuotaExceededError
    ├── NotFoundError              404
    ├── RequestTimeoutError        408
    ├── ConflictError              409
    ├── PreconditionFailedError    412
    ├── PayloadTooLargeError       413
    ├── UnsupportedMediaTypeError  415
    ├── RangeNotSatisfiableError   416
    ├── ValidationFailedError      422
    ├── TooManyRequestsError       429, with Retry-After
    └── UnavailableError           503, with Retry-After

`code` is stable and for machines; `message` is for people and may change. `public_failure` says the
same of what the engine raises.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Final

import tinyjpg

FieldErrors = Mapping[str, Sequence[str]]


class ServerError(Exception):
    """Base of everything the service raises on purpose."""


class SettingsError(ServerError):
    """A setting is out of range, unknown or unreadable."""


class StartError(ServerError):
    """The data folder or the port cannot be used, or another service uses them."""


class DatabaseError(ServerError):
    """The database is missing, cannot be reached, or its schema is another version's."""


class AccountingError(ServerError):
    """The usage table does not agree with the images; the transaction was rolled back."""


class StorageError(ServerError):
    """The store of image files fails."""


class NotStoredError(StorageError):
    """Nothing is stored under the name."""


class StorageFullError(StorageError):
    """There is no room for what should be stored."""


class ObjectNameError(StorageError, ValueError):
    """The name could not be an object's, or leads out of the store."""


class ApiError(ServerError):
    """An answer other than success.

    Args:
        message: what is wrong and what to do, for people.
        code: what is wrong, for machines; the class has a default.
        errors: messages per field of the request.
        headers: of the answer.
    """

    status: ClassVar[int] = 500
    default_code: ClassVar[str] = "internal_error"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        errors: FieldErrors | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.errors = {name: list(messages) for name, messages in (errors or {}).items()}
        self.headers = dict(headers or {})


class BadRequestError(ApiError):
    """The request cannot be understood."""

    status = 400
    default_code = "bad_request"


class UnauthorizedError(ApiError):
    """No valid API key or session."""

    status = 401
    default_code = "unauthorized"


class ForbiddenError(ApiError):
    """Known, but not allowed."""

    status = 403
    default_code = "forbidden"


class QuotaExceededError(ForbiddenError):
    """The plan's images of this month are used up."""

    default_code = "quota_exceeded"


class NotFoundError(ApiError):
    """Nothing there, or nothing of yours."""

    status = 404
    default_code = "not_found"


class RequestTimeoutError(ApiError):
    """The client took too long to send its request."""

    status = 408
    default_code = "request_timeout"


class ConflictError(ApiError):
    """What is there stands against it."""

    status = 409
    default_code = "conflict"


class PreconditionFailedError(ApiError):
    """The file is another one than the client wants to go on with."""

    status = 412
    default_code = "precondition_failed"


class PayloadTooLargeError(ApiError):
    """The upload is larger than the plan allows."""

    status = 413
    default_code = "payload_too_large"


class UnsupportedMediaTypeError(ApiError):
    """Not a JPEG, PNG, WebP or GIF, or not sent as a form."""

    status = 415
    default_code = "unsupported_media_type"


class RangeNotSatisfiableError(ApiError):
    """The range begins after the end of the file."""

    status = 416
    default_code = "range_not_satisfiable"


class ValidationFailedError(ApiError):
    """A field is missing or wrong; `errors` says which."""

    status = 422
    default_code = "validation_failed"


class _LaterError(ApiError):
    def __init__(
        self,
        message: str,
        *,
        retry_after: int,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        later = {"Retry-After": str(max(1, retry_after))}
        super().__init__(message, code=code, headers={**(headers or {}), **later})


class TooManyRequestsError(_LaterError):
    """The rate limit is reached. `retry_after` is in seconds."""

    status = 429
    default_code = "rate_limited"


class UnavailableError(_LaterError):
    """The service takes nothing on just now. `retry_after` is in seconds."""

    status = 503
    default_code = "unavailable"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an image failed: `code` for machines, `message` for people."""

    code: str
    message: str
    retry: bool = False


OUT_OF_MEMORY: Final = Failure(
    "image_too_large", "the image needs more memory than the work on it may take; try a smaller one"
)
TOOK_TOO_LONG: Final = Failure(
    "took_too_long", "the image could not be optimised in the time allowed; try a smaller one"
)

# By class, the first that fits. Where there is no message the engine's own speaks of the image;
# the others speak of its settings or of what a process last wrote, which is not the owner's to see.
_FAILURES: Final[tuple[tuple[type[Exception], Failure], ...]] = (
    (tinyjpg.UnsupportedFormatError, Failure("unsupported_format", "")),
    (tinyjpg.CorruptImageError, Failure("corrupt_image", "")),
    (
        tinyjpg.LimitExceededError,
        Failure("image_too_large", "the image has more pixels or frames than are taken"),
    ),
    (tinyjpg.DeadlineExceededError, TOOK_TOO_LONG),
    (
        tinyjpg.WorkerError,
        Failure("worker_failed", "the work on the image broke off every time", retry=True),
    ),
)


def public_failure(error: Exception) -> Failure:
    """What to tell the owner of an image about `error`; `retry` if another try may succeed.

    Unknown errors say nothing of their inside.
    """
    for kind, failure in _FAILURES:
        if isinstance(error, kind):
            return failure if failure.message else replace(failure, message=str(error))
    return Failure("internal_error", "the image could not be optimised; try again later", True)
