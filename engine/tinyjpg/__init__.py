"""TinyJPG: the smallest file that looks the same, for JPEG, PNG, WebP and GIF."""

from tinyjpg.batch import Outcome, optimize_many
from tinyjpg.errors import (
    CorruptImageError,
    DeadlineExceededError,
    ImageError,
    InvalidOptionError,
    LimitExceededError,
    MissingToolError,
    TinyJPGError,
    UnsupportedFormatError,
    WorkerError,
)
from tinyjpg.formats import Format
from tinyjpg.limits import Limits
from tinyjpg.optimize import optimize, probe
from tinyjpg.options import Keep, Options
from tinyjpg.pool import Pool
from tinyjpg.result import Result
from tinyjpg.source import Header

__all__ = [
    "CorruptImageError",
    "DeadlineExceededError",
    "Format",
    "Header",
    "ImageError",
    "InvalidOptionError",
    "Keep",
    "LimitExceededError",
    "Limits",
    "MissingToolError",
    "Options",
    "Outcome",
    "Pool",
    "Result",
    "TinyJPGError",
    "UnsupportedFormatError",
    "WorkerError",
    "optimize",
    "optimize_many",
    "probe",
]
