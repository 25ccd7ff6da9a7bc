"""What became of each file, and of all of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tinyjpg.errors import TinyJPGError
from tinyjpg.formats import Format


class Status(StrEnum):
    """What became of a file."""

    OPTIMISED = "optimised"
    ALREADY_OPTIMAL = "already optimal"
    KEPT = "kept"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a file failed: the name of the exception's class, and its message."""

    type: str
    message: str

    @classmethod
    def of(cls, error: Exception, doing: str = "read it") -> Failure:
        """Describe `error`; `doing` is what the system refused, where it was the system."""
        message = str(error)
        # Some of ours are OSErrors as well, but complete sentences.
        if isinstance(error, OSError) and not isinstance(error, TinyJPGError):
            # Its str() would repeat the path, which may be that of a temporary file.
            message = f"cannot {doing}: {error.strerror or message}"
        return cls(type(error).__name__, message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What became of one file.

    Attributes:
        path: the file as the command line led to it; `-` for standard input.
        status: see `Status`.
        output: the file that holds the result, or would in a dry run; of a skipped file what is
            in the way. None where there is none.
        format, width, height, frames: of the image, None where it was not looked at.
        input_size, output_size: bytes; None where unknown.
        method: how the result was made, in words.
        score: SSIMULACRA2 of the result against the input, None where it was not measured.
        probes: trial encodings that were scored, None where it was not optimised.
        elapsed: seconds spent on the image.
        reason: why it was kept or skipped.
        error: why it failed.
    """

    path: str
    status: Status
    output: str | None = None
    format: Format | None = None
    width: int | None = None
    height: int | None = None
    frames: int | None = None
    input_size: int | None = None
    output_size: int | None = None
    method: str | None = None
    score: float | None = None
    probes: int | None = None
    elapsed: float | None = None
    reason: str | None = None
    error: Failure | None = None

    @property
    def saved(self) -> float | None:
        """The fraction of the input that was saved, 0 to 1; None where sizes are unknown."""
        if not self.input_size or self.output_size is None:
            return None
        return 1 - self.output_size / self.input_size

    def as_dict(self) -> dict[str, Any]:
        """The object that stands for the file in the JSON report."""
        error = self.error
        return {
            "path": self.path,
            "output": self.output,
            "status": self.status,
            "format": self.format,
            "width": self.width,
            "height": self.height,
            "frames": self.frames,
            "input_size": self.input_size,
            "output_size": self.output_size,
            "saved": _rounded(self.saved, 6),
            "method": self.method,
            "score": _rounded(self.score, 3),
            "probes": self.probes,
            "elapsed": _rounded(self.elapsed, 3),
            "reason": self.reason,
            "error": None if error is None else {"type": error.type, "message": error.message},
        }


@dataclass(slots=True)
class Summary:
    """The sums over a run.

    Attributes:
        counts: files by status; `skipped` includes those that were left out silently.
        input_size, output_size: bytes of the files that were optimised or kept.
        elapsed: seconds the run took.
        interrupted: whether a signal ended the run early.
    """

    counts: dict[Status, int] = field(default_factory=lambda: dict.fromkeys(Status, 0))
    input_size: int = 0
    output_size: int = 0
    elapsed: float = 0.0
    interrupted: bool = False

    def add(self, record: Record) -> None:
        """Count `record`."""
        self.counts[record.status] += 1
        if record.input_size is None or record.output_size is None:
            return
        self.input_size += record.input_size
        self.output_size += record.output_size

    @property
    def images(self) -> int:
        """Files that went through the engine without failing."""
        return sum(
            self.counts[status]
            for status in (Status.OPTIMISED, Status.ALREADY_OPTIMAL, Status.KEPT)
        )

    @property
    def settled(self) -> int:
        """Files of whom the end is known."""
        return sum(self.counts.values())

    @property
    def exit_code(self) -> int:
        """0, or 1 where a file failed."""
        return int(self.counts[Status.FAILED] > 0)

    @property
    def saved(self) -> float:
        """The fraction of the bytes that was saved, 0 to 1."""
        return 1 - self.output_size / self.input_size if self.input_size else 0.0

    def as_dict(self) -> dict[str, Any]:
        """The last object of the JSON report."""
        return {
            "summary": {
                "images": self.images,
                **{status.replace(" ", "_"): count for status, count in self.counts.items()},
                "input_size": self.input_size,
                "output_size": self.output_size,
                "saved": round(self.saved, 6),
                "elapsed": round(self.elapsed, 3),
                "interrupted": self.interrupted,
            }
        }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
