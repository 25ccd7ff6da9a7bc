"""Messages as a worker sends them, built by hand, so that they can be wrong."""

from __future__ import annotations

import json
import struct


def message(header: object, payload: bytes = b"") -> bytes:
    """A message with any header, its lengths right."""
    text = json.dumps(header).encode()
    return struct.pack(">IQ", len(text), len(payload)) + text + payload


def result(**changes: object) -> dict[str, object]:
    """The header of a good reply with `changes`; "" leaves a field out."""
    fields: dict[str, object] = {
        "width": 1,
        "height": 1,
        "frames": 1,
        "method": "made",
        "score": 90.5,
        "probes": 2,
        "elapsed": 0.5,
        "unchanged": True,
    }
    return {"result": {name: value for name, value in (fields | changes).items() if value != ""}}
