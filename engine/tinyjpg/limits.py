"""What an image may cost: size limits checked from the header, and the deadline."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from tinyjpg.errors import DeadlineExceededError, InvalidOptionError, LimitExceededError

_MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds checked before anything is decoded.

    Attributes:
        max_input_bytes: largest file accepted, in bytes.
        max_pixels: largest width x height x frames accepted.
        max_frames: most frames of an animation accepted.
        deadline: seconds one image may take, or None for no bound. When it passes, the best
            result verified so far is returned.

    Raises:
        InvalidOptionError: a limit is not positive.
    """

    max_input_bytes: int = 256 * _MEBIBYTE
    max_pixels: int = 1_000_000_000
    max_frames: int = 5_000
    deadline: float | None = None

    def __post_init__(self) -> None:
        for name in ("max_input_bytes", "max_pixels", "max_frames"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise InvalidOptionError(f"{name} is {value!r}; give a whole number above 0")
        if self.deadline is not None and not self.deadline > 0:
            raise InvalidOptionError(
                f"deadline is {self.deadline!r}; give seconds above 0, or None for no deadline"
            )

    def check_size(self, size: int) -> None:
        """Refuse a file of `size` bytes above `max_input_bytes`.

        Raises:
            LimitExceededError: it is.
        """
        if size > self.max_input_bytes:
            raise LimitExceededError(
                f"the file has {size:,} bytes, the limit is {self.max_input_bytes:,}; "
                "raise Limits.max_input_bytes to allow it"
            )

    def check_dimensions(self, width: int, height: int, frames: int) -> None:
        """Refuse an image of `frames` frames of `width` x `height` pixels above the limits.

        Raises:
            LimitExceededError: it is.
        """
        if frames > self.max_frames:
            raise LimitExceededError(
                f"the animation has {frames:,} frames, the limit is {self.max_frames:,}; "
                "raise Limits.max_frames to allow it"
            )
        pixels = width * height * frames
        if pixels > self.max_pixels:
            raise LimitExceededError(
                f"the image has {width:,} x {height:,} x {frames:,} = {pixels:,} pixels, "
                f"the limit is {self.max_pixels:,}; raise Limits.max_pixels to allow it"
            )


@dataclass(frozen=True, slots=True)
class Deadline:
    """A point in time, passed explicitly down to whatever may take long."""

    at: float | None = field(default=None)

    @classmethod
    def after(cls, seconds: float | None) -> Deadline:
        """The deadline `seconds` from now; None never passes."""
        return cls(None if seconds is None else time.monotonic() + seconds)

    @property
    def passed(self) -> bool:
        return self.at is not None and time.monotonic() >= self.at

    def remaining(self, at_most: float | None = None) -> float | None:
        """Seconds left, never below 0 and never above `at_most`; None when unbounded."""
        if self.at is None:
            return at_most
        left = max(0.0, self.at - time.monotonic())
        return left if at_most is None else min(left, at_most)

    def check(self, doing: str) -> None:
        """Raise if the deadline has passed; `doing` names the step that cannot start.

        Raises:
            DeadlineExceededError: it has.
        """
        if self.passed:
            raise DeadlineExceededError(
                f"the deadline passed before {doing}; allow more seconds in Limits.deadline"
            )
