"""Logs: one JSON object a line on stderr, the request's id in each, and never a secret.

    configure("info", process="web")
    with bound(request_id="..."):
        logging.getLogger(__name__).info("accepted", extra={"image_id": 7})

Only the fields named in FIELDS get out of a record, so headers or forms that someone hands over as
`extra` do not; texts are searched for keys, tokens, cookies and passwords, tracebacks too.
"""

from __future__ import annotations

import json
import logging
import logging.config
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final

# What a line may hold beside time, level, logger, message and error.
FIELDS: Final = (
    "request_id",
    "method",
    "path",
    "status",
    "duration_ms",
    "address",
    "account_id",
    "image_id",
)
_HIDDEN: Final = "[hidden]"
_LONGEST_TEXT: Final = 8192
_SECRETS: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    # The login in a URL. Passwords with a bare / or @ in them are no rarity.
    (re.compile(r"""://[^\s"'<>]*@"""), f"://{_HIDDEN}@"),
    # Session cookies, by name.
    (re.compile(r"((?:__Host-)?tinyjpg=)[A-Za-z0-9_.~%+/=-]{8,}"), rf"\1{_HIDDEN}"),
    # `Authorization: Bearer x`, `'x-api-key': 'x'`, (b'cookie', b'x'), "password": "x", password=x
    (
        re.compile(
            r"""((?:authorization|x-api-key|api[_-]?key|cookie|password|
            passwd|secret|token)\b["']?\s*[:=,]\s*)
            (?:b?"(?:[^"\\]|\\.)*"|b?'(?:[^'\\]|\\.)*'|(?:bearer|basic)\s+[^\s,;]+|[^\s,;&)}\]]+)""",
            re.IGNORECASE | re.VERBOSE,
        ),
        rf"\1{_HIDDEN}",
    ),
    (re.compile(r"\b(bearer|basic)\s+[A-Za-z0-9_.~+/=-]{8,}", re.IGNORECASE), rf"\1 {_HIDDEN}"),
    # API keys, wherever they stand.
    (re.compile(r"\btj_[A-Za-z0-9_-]{8,}"), f"tj_{_HIDDEN}"),
)
_UNPRINTABLE: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_nothing: Final[Mapping[str, object]] = {}
_bound: Final[ContextVar[Mapping[str, object]]] = ContextVar("bound", default=_nothing)


@contextmanager
def bound(**fields: object) -> Iterator[None]:
    """Add `fields` to every line that this task, and tasks it starts, write within the block."""
    token = _bound.set({**_bound.get(), **fields})
    try:
        yield
    finally:
        _bound.reset(token)


def hide_secrets(text: str) -> str:
    """`text` without API keys, tokens, cookies, passwords and logins in URLs."""
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


def log_request(
    logger: logging.Logger, *, method: str, path: str, status: int, seconds: float
) -> None:
    """Write the line of an answered request.

    Args:
        logger: whose line it is.
        method: of the request.
        path: its route's template where one matched; what follows a `?` is cut off.
        status: of the answer.
        seconds: that it took.
    """
    logger.log(
        logging.WARNING if status >= 500 else logging.INFO,
        "request",
        extra={
            "method": method,
            "path": path,
            "status": status,
            "duration_ms": round(seconds * 1000, 2),
        },
    )


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, process, logger, message, then the fields that are set.

    Args:
        process: which of the service's processes writes.
    """

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process: Final = process

    def format(self, record: logging.LogRecord) -> str:
        """The line of `record`, without the newline."""
        line = {
            "time": _time(record).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "process": self._process,
            "logger": record.name,
            "message": _text(record.getMessage()),
            **_fields(record),
        }
        error = _error(self, record)
        if error:
            line["error"] = error
        return json.dumps(line, separators=(",", ":"))


class PlainFormatter(logging.Formatter):
    """The same for people: `10:42:07 INFO web tinyjpg_server.app: request (status=200)`."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process: Final = process

    def format(self, record: logging.LogRecord) -> str:
        """The line of `record`; a traceback takes further ones."""
        fields = " ".join(f"{name}={value}" for name, value in _fields(record).items())
        text = (
            f"{_time(record).astimezone():%H:%M:%S} {record.levelname:<7} {self._process} "
            f"{record.name}: {_text(record.getMessage())}{f' ({fields})' if fields else ''}"
        )
        # A client's text must not steer the terminal, nor look like a line of its own.
        text = _UNPRINTABLE.sub("?", text.replace("\n", "\\n"))
        error = _error(self, record)
        return f"{text}\n{_UNPRINTABLE.sub('?', error)}" if error else text


def configuration(level: str, process: str, *, plain: bool = False) -> dict[str, Any]:
    """A configuration for logging.config.dictConfig, which web servers take as well.

    Args:
        level: the least severe that is written: debug, info, warning or error.
        process: which of the service's processes writes.
        plain: text for people instead of JSON.
    """
    kind = PlainFormatter if plain else JsonFormatter
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": kind, "process": process}},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": "line",
                "stream": "ext://sys.stderr",
            }
        },
        "root": {"level": level.upper(), "handlers": ["stderr"]},
        # Requests are logged once, by the service itself, with their ids and without queries.
        "loggers": {
            "_granian": {"level": level.upper(), "handlers": [], "propagate": True},
            "granian.access": {"level": "CRITICAL", "handlers": [], "propagate": False},
            "sqlalchemy.engine": {"level": "WARNING"},
            "alembic": {"level": "WARNING"},
            "pyvips": {"level": "WARNING"},
            "asyncio": {"level": "WARNING"},
            "httpcore": {"level": "WARNING"},
            "httpx": {"level": "WARNING"},
        },
    }


def configure(level: str, process: str) -> None:
    """Set up logging for this process: JSON lines on stderr, or text if that is a terminal.

    Warnings and what ends the process go to the log, too.
    """
    logging.config.dictConfig(configuration(level, process, plain=sys.stderr.isatty()))
    logging.captureWarnings(True)
    sys.excepthook = _log_the_end


def _log_the_end(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, traceback)
        return
    logging.getLogger("tinyjpg_server").critical(
        "the process ends: an error was not handled", exc_info=(kind, error, traceback)
    )


def _time(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)


def _fields(record: logging.LogRecord) -> dict[str, object]:
    around, own = _bound.get(), record.__dict__
    found: dict[str, object] = {}
    for name in FIELDS:
        value = own.get(name, around.get(name))
        if value is None:
            continue
        if name == "path":
            value = str(value).partition("?")[0]
        found[name] = value if isinstance(value, int | float) else _text(str(value))
    return found


def _text(text: str) -> str:
    return hide_secrets(text[:_LONGEST_TEXT])


def _error(formatter: logging.Formatter, record: logging.LogRecord) -> str | None:
    if not record.exc_info or record.exc_info[0] is None:
        return None
    # The last lines say most.
    return hide_secrets(formatter.formatException(record.exc_info))[-_LONGEST_TEXT:]
