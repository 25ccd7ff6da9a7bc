"""TinyJPG: the smallest file that looks the same, for JPEG, PNG, WebP and GIF."""

from tinyjpg.batch import Outcome, optimize_many
from tinyjpg.compare import Reference, compare, ssimulacra2
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
from tinyjpg.similarity import Similarity
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
    "Reference",
    "Result",
    "Similarity",
    "TinyJPGError",
    "UnsupportedFormatError",
    "WorkerError",
    "compare",
    "optimize",
    "optimize_many",
    "probe",
    "ssimulacra2",
]
