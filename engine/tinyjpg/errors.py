"""Every error the engine raises, in one place.

TinyJPGError
├── InvalidOptionError      an argument is out of range or unknown (also a ValueError)
├── ImageError              the image itself is the reason
│   ├── UnsupportedFormatError
│   ├── CorruptImageError
│   └── LimitExceededError
├── DeadlineExceededError   time ran out before any result was safe (also a TimeoutError)
├── MissingToolError        a native part or an executable is not installed
└── WorkerError             a Pool child died, hung or outgrew its memory while on this image

Each message says what was found and what to do about it.
"""

from __future__ import annotations


class TinyJPGError(Exception):
    """Base of everything the engine raises on purpose."""


class InvalidOptionError(TinyJPGError, ValueError):
    """An argument is out of range, of the wrong type or unknown."""


class ImageError(TinyJPGError):
    """The image handed in cannot be processed; another image may."""


class UnsupportedFormatError(ImageError):
    """The leading bytes are not those of a JPEG, PNG, WebP or GIF."""


class CorruptImageError(ImageError):
    """The file is truncated, damaged or breaks its format's rules."""


class LimitExceededError(ImageError):
    """The image is larger than the `Limits` in force allow."""


class DeadlineExceededError(TinyJPGError, TimeoutError):
    """The deadline passed before any result could be verified."""


class MissingToolError(TinyJPGError):
    """A library or an executable that the engine needs is not installed."""


class WorkerError(TinyJPGError):
    """A worker process crashed, hung or ran out of memory on one image."""
