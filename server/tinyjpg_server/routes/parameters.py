"""Values in queries, paths and forms: what they may be, and what is said when they are not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from tinyjpg_server.errors import BadRequestError, NotFoundError, ValidationFailedError

DEFAULT_QUALITY: Final = 80
QUALITIES: Final = range(1, 101)
DEFAULT_LIMIT: Final = 20
LIMITS: Final = range(1, 101)
# As the column is.
IDS: Final = range(1, 2**63)
STATUSES: Final = ("processing", "completed", "failed")
FORMATS: Final = ("jpeg", "png", "webp", "gif")

_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,19}")
_SECONDS: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?")
_IDEMPOTENCY_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")


class Faults:
    """What is wrong with the parameters of a request, collected so that all is told at once."""

    def __init__(self) -> None:
        self.errors: dict[str, list[str]] = {}

    def add(self, name: str, message: str) -> None:
        """Note a fault of the parameter `name`."""
        self.errors.setdefault(name, []).append(message)

    def check(self) -> None:
        """Refuse the request if anything was wrong.

        Raises:
            ValidationFailedError: something was.
        """
        if self.errors:
            raise ValidationFailedError("Validation failed", errors=self.errors)


def whole_number(
    values: Mapping[str, str], name: str, allowed: range, default: int, faults: Faults
) -> int:
    """The whole number called `name`, one of `allowed`, or `default` if it is not given."""
    text = values.get(name)
    if text is None:
        return default
    if not _WHOLE.fullmatch(text):
        faults.add(name, f"The {name} must be an integer.")
        return default
    if int(text) not in allowed:
        faults.add(name, f"The {name} must be between {allowed.start} and {allowed.stop - 1}.")
        return default
    return int(text)


def quality(values: Mapping[str, str], faults: Faults) -> int:
    """The quality asked for, 80 if none is."""
    return whole_number(values, "quality", QUALITIES, DEFAULT_QUALITY, faults)


def seconds(values: Mapping[str, str], name: str, highest: float, faults: Faults) -> float:
    """The seconds called `name`, 0 if they are not given."""
    text = values.get(name, "0")
    if not _SECONDS.fullmatch(text) or float(text) > highest:
        faults.add(name, f"The {name} must be between 0 and {highest:g}.")
        return 0.0
    return float(text)


def choice(
    values: Mapping[str, str], name: str, choices: tuple[str, ...], faults: Faults
) -> str | None:
    """The one of `choices` called `name`, None if it is not given."""
    text = values.get(name)
    if text is None or text in choices:
        return text
    faults.add(name, f"The {name} must be one of {', '.join(choices)}.")
    return None


def image_id(text: str) -> int:
    """The number of an image in a path.

    Raises:
        NotFoundError: it cannot be one.
    """
    if text.isascii() and text.isdigit() and len(text) <= 19 and int(text) in IDS:
        return int(text)
    raise no_image(text)


def no_image(number: int | str) -> NotFoundError:
    """The answer for an image that is not there, or not the caller's."""
    return NotFoundError(f"There is no image {str(number)[:40]}.")


def check_idempotency_key(header: str | None) -> None:
    """Refuse a bad key before anything is received.

    Raises:
        BadRequestError: it is empty, too long or not printable ASCII.
    """
    if header is not None and not _IDEMPOTENCY_KEY.fullmatch(header):
        raise BadRequestError(
            "The Idempotency-Key must be 1 to 255 printable ASCII characters without spaces.",
            code="bad_idempotency_key",
        )
