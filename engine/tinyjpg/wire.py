"""What travels between a Pool and its worker processes: JSON headers and raw bytes, no pickles.

A hostile image may have taken over the worker that decoded it, so the parent believes nothing a
worker says: sizes are bounded before they are read, types are checked, and a "result" that is not
an image of the input's own format is refused.

One message is: the length of its header (4 bytes, big-endian), the length of its payload
(8 bytes), the header (a JSON object in UTF-8), the payload.
"""

from __future__ import annotations

import dataclasses
import io
import json
import re
import struct
from typing import Any, BinaryIO, Final

from tinyjpg import errors
from tinyjpg.errors import TinyJPGError, UnsupportedFormatError, WorkerError
from tinyjpg.formats import Format, sniff
from tinyjpg.limits import Limits
from tinyjpg.options import Options
from tinyjpg.result import Result

_LENGTHS: Final = struct.Struct(">IQ")
_MAX_HEADER: Final = 64 * 1024
_MAX_TEXT: Final = 8 * 1024
_MAX_NUMBER: Final = 2**40

READY: Final[dict[str, Any]] = {"ready": True}

# How libvips, the codecs inside it, gifsicle, oxipng, Python and the system say it.
_OUT_OF_MEMORY: Final = re.compile(
    r"out of memory|insufficient memory|cannot allocate memory|memory allocation of"
    r"|failed to allocate|bad_alloc|MemoryError",
    re.IGNORECASE,
)

_ERRORS: Final[dict[str, type[TinyJPGError]]] = {
    name: value
    for name, value in vars(errors).items()
    if isinstance(value, type) and issubclass(value, TinyJPGError)
}


@dataclasses.dataclass(frozen=True, slots=True)
class Job:
    """One call of `optimize`, on its way to a worker."""

    data: bytes
    quality: int
    options: Options


@dataclasses.dataclass(frozen=True, slots=True)
class Message:
    """One complete message; nothing in it has been checked but its sizes."""

    header: dict[str, Any]
    payload: bytes = b""


def encode(header: dict[str, Any], payload_size: int = 0) -> bytes:
    """The start of a message; `payload_size` raw bytes have to follow it."""
    text = json.dumps(header).encode()
    return _LENGTHS.pack(len(text), payload_size) + text


def encode_job(job: Job) -> bytes:
    """The start of the message that asks for `job`; `job.data` has to follow it."""
    options = dataclasses.asdict(job.options)
    options["keep"] = sorted(job.options.keep)
    return encode({"quality": job.quality, "options": options}, len(job.data))


def decode_job(message: Message) -> Job:
    """The job a worker was sent; the parent is trusted."""
    options = dict(message.header["options"])
    limits = Limits(**options.pop("limits"))
    return Job(message.payload, message.header["quality"], Options(limits=limits, **options))


def encode_result(result: Result, *, unchanged: bool) -> bytes:
    """The start of the reply; `result.data` has to follow unless it is the input, `unchanged`."""
    header = {
        "width": result.width,
        "height": result.height,
        "frames": result.frames,
        "method": result.method,
        "score": result.score,
        "probes": result.probes,
        "elapsed": result.elapsed,
        "unchanged": unchanged,
    }
    return encode({"result": header}, 0 if unchanged else result.output_size)


def encode_error(error: TinyJPGError) -> bytes:
    """The whole reply for an image that could not be optimised."""
    name = next(kind.__name__ for kind in type(error).__mro__ if kind.__name__ in _ERRORS)
    # A character takes up to 12 bytes of JSON, and the header has to stay within its bound.
    return encode({"error": {"type": name, "message": str(error)[: _MAX_HEADER // 16]}})


def decode_reply(reply: Message, job: Job) -> Result:
    """The result of `job` as its worker reported it.

    Raises:
        TinyJPGError: the error that the worker reported, of the same class.
        WorkerError: the reply makes no sense.
    """
    if set(reply.header) == {"error"}:
        raise _decode_error(_mapping(reply.header["error"]))
    if set(reply.header) != {"result"}:
        raise broken("its reply is neither a result nor an error")
    fields = _mapping(reply.header["result"])
    unchanged = fields.get("unchanged") is True
    if unchanged and reply.payload:
        raise broken("an unchanged image came with data")
    expected = sniff(job.data)
    if not unchanged and not _is(expected, reply.payload):
        raise broken(f"its result is no {expected.upper()} image")
    return Result(
        data=job.data if unchanged else reply.payload,
        format=expected,
        width=_whole(fields, "width"),
        height=_whole(fields, "height"),
        frames=_whole(fields, "frames"),
        input_size=len(job.data),
        method=_text(fields, "method"),
        score=_number(fields, "score"),
        probes=_whole(fields, "probes", least=0),
        elapsed=_number(fields, "elapsed"),
    )


def broken(what: str) -> WorkerError:
    """The error for a worker that does not keep to this protocol."""
    return WorkerError(
        f"the worker process broke its protocol ({what}) and was killed; "
        "the image is probably malicious: do not open it elsewhere"
    )


def printable(text: str) -> str:
    """`text` with everything that could steer a terminal or break a log line escaped."""
    return "".join(
        character
        if character.isprintable() or character == "\n"
        else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def tells_of_memory(text: str) -> bool:
    """Whether an error message or a process's last words say that memory ran out."""
    return _OUT_OF_MEMORY.search(text) is not None


class MessageReader:
    """Puts one message together from pieces that arrive, refusing what is too large.

    Args:
        max_payload: most bytes the payload may have.
    """

    def __init__(self, max_payload: int) -> None:
        self._max_payload = max_payload
        self._start = bytearray()
        self._header: dict[str, Any] | None = None
        self._payload = io.BytesIO()
        self._payload_size = 0

    def feed(self, piece: bytes) -> Message | None:
        """Take the next bytes; return the message once it is complete.

        Raises:
            WorkerError: what arrived breaks the protocol.
        """
        if self._header is None:
            self._start += piece
            self._header = self._read_start()
        else:
            self._payload.write(piece)
        if self._header is None or self._payload.tell() < self._payload_size:
            return None
        if self._payload.tell() > self._payload_size:
            raise broken("it sent more than it announced")
        # BytesIO hands its buffer over without copying it.
        return Message(self._header, self._payload.getvalue())

    def _read_start(self) -> dict[str, Any] | None:
        """The header once it is complete; what follows it becomes payload."""
        if len(self._start) < _LENGTHS.size:
            return None
        header_size, self._payload_size = _LENGTHS.unpack_from(self._start)
        if header_size > _MAX_HEADER:
            raise broken(f"it announced a header of {header_size:,} bytes")
        if self._payload_size > self._max_payload:
            raise broken(
                f"it announced {self._payload_size:,} bytes where {self._max_payload:,} "
                "is the most there can be"
            )
        end = _LENGTHS.size + header_size
        if len(self._start) < end:
            return None
        try:
            header = json.loads(self._start[_LENGTHS.size : end])
        except (ValueError, RecursionError) as error:
            raise broken("its header is not JSON") from error
        self._payload.write(self._start[end:])
        return _mapping(header)


def read_message(stream: BinaryIO) -> Message | None:
    """Wait for the next message from a trusted, blocking `stream`; None at its end."""
    start = stream.read(_LENGTHS.size)
    if len(start) < _LENGTHS.size:
        return None
    header_size, payload_size = _LENGTHS.unpack(start)
    header = stream.read(header_size)
    payload = stream.read(payload_size)
    if len(header) < header_size or len(payload) < payload_size:
        return None
    return Message(json.loads(header), payload)


def _decode_error(fields: dict[str, Any]) -> TinyJPGError:
    kind = _ERRORS.get(_text(fields, "type"))
    if kind is None:
        raise broken("it reported an unknown error")
    return kind(_text(fields, "message"))


def _is(format: Format, data: bytes) -> bool:
    try:
        return sniff(data) is format
    except UnsupportedFormatError:
        return False


def _mapping(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise broken("an object was expected")
    return value


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or len(value) > _MAX_TEXT:
        raise broken(f"{name} is not a short text")
    return printable(value)


def _whole(fields: dict[str, Any], name: str, *, least: int = 1) -> int:
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= _MAX_NUMBER:
        raise broken(f"{name} is not a whole number from {least} up")
    return value


def _number(fields: dict[str, Any], name: str) -> float:
    value = fields.get(name)
    # Spelled so that NaN fails it too.
    if isinstance(value, bool) or not (
        isinstance(value, (int, float)) and abs(value) <= _MAX_NUMBER
    ):
        raise broken(f"{name} is not a number")
    return float(value)
