"""What a schema cannot say of valid requests: what an image is, and that keys are used once."""

from __future__ import annotations

import uuid
from typing import Any

import schemathesis
from schemathesis import GenerationMode

# A picture of one pixel, without a palette: all its bytes are ASCII, so that it is a string too.
GIF = bytes.fromhex("474946383961010001000000002c00000000010001000002024401003b").decode("ascii")


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: Any) -> None:
    """Put an image into a form that is meant to be valid."""
    valid = case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE
    if not valid:
        return
    if isinstance(case.body, dict) and "image" in case.body:
        case.body["image"] = GIF
    if case.headers and "Idempotency-Key" in case.headers:
        # Another body under a key that was used is refused, and should be.
        case.headers["Idempotency-Key"] = uuid.uuid4().hex
