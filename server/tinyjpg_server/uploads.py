"""Receive an upload: streamed to disk, bounded in size and time, told by its bytes alone."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from starlette.requests import ClientDisconnect, Request

import tinyjpg
from tinyjpg.formats import sniff
from tinyjpg_server.errors import (
    FieldErrors,
    PayloadTooLargeError,
    RequestTimeoutError,
    UnsupportedMediaTypeError,
    ValidationFailedError,
)
from tinyjpg_server.middleware import facts_of
from tinyjpg_server.multipart import IMAGE, REQUIRED, ImageForm, boundary_of
from tinyjpg_server.settings import MEBIBYTE

# What a form may have beside the image.
_FORM_BYTES: Final = 64 * 1024
# Kept in memory before it is written: most uploads take one write in one thread.
_BUFFER: Final = MEBIBYTE
# Enough for every signature.
_SIGNATURE: Final = 32
# Headers of large files parsed at a time, since each is in memory meanwhile.
_PROBES: Final = 2

CheckFields = Callable[[Mapping[str, str]], FieldErrors]

# Bytes and seconds that are taken from a client whose upload is refused.
_DISCARDED: Final = 64 * MEBIBYTE
_DISCARDING: Final = 10.0

_probing: Final = asyncio.Semaphore(_PROBES)


@dataclass(frozen=True, slots=True)
class Received:
    """An upload that is on disk and is an image by its header.

    Attributes:
        path: of the file; it is gone after the `async with` block unless moved.
        header: what the image says of itself.
        size: bytes.
        sha256: of the file, hexadecimal.
        file_name: what the client calls it, which may be anything, or empty.
    """

    path: Path
    header: tinyjpg.Header
    size: int
    sha256: str
    file_name: str


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """What an upload may be.

    Attributes:
        max_bytes: of the image.
        max_pixels: width x height x frames.
        seconds: that sending it may take in all.
    """

    max_bytes: int
    max_pixels: int
    seconds: float


def check_declared_size(request: Request, max_bytes: int) -> None:
    """Refuse an upload by its Content-Length alone.

    Raises:
        PayloadTooLargeError: it says more than an image of `max_bytes` and its form may have.
    """
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared[:20]) > max_bytes + _FORM_BYTES:
        raise _too_large(max_bytes)


@asynccontextmanager
async def receive_upload(
    request: Request, folder: Path, limits: UploadLimits, check_fields: CheckFields
) -> AsyncIterator[Received]:
    """The image in the body of `request`, in a file in `folder` for the time of the block.

    Args:
        request: whose body was not read yet.
        folder: for files on their way.
        limits: of the upload.
        check_fields: is given the other fields of the form, and says what is wrong with them.

    Raises:
        BadRequestError: the form is malformed.
        RequestTimeoutError: sending it took too long; code `upload_timeout`.
        PayloadTooLargeError: the image has more bytes than allowed.
        UnsupportedMediaTypeError: it is not a JPEG, PNG, WebP or GIF, or not in a form.
        ValidationFailedError: no image, two, or one that is damaged or has too many pixels.
        ClientDisconnect: the client went away.
        OSError: it cannot be written.
    """
    form = ImageForm(boundary_of(request.headers.get("content-type", "")))
    spool = _Spool(folder / f"{secrets.token_hex(16)}.part", limits.max_bytes)
    try:
        await _receive(request, form, spool, limits)
        if not spool.size:
            form.errors.setdefault(IMAGE, [REQUIRED])
        errors = {**form.errors, **check_fields(form.fields)}
        if errors:
            raise ValidationFailedError("Validation failed", errors=errors)
        header = await spool.complete(limits.max_pixels)
        yield Received(spool.path, header, spool.size, spool.sha256, form.file_name)
    finally:
        spool.discard()


async def discard_rest(request: Request) -> None:
    """Take what the client of a refused upload still sends, within bounds.

    The answer is out already; closing on a client that is still sending would lose it on the way.
    """
    left = _DISCARDED
    with suppress(TimeoutError):
        async with asyncio.timeout(_DISCARDING):
            while left > 0 and not facts_of(request).body_ended:
                left -= len(await _next_piece(request))


async def _next_piece(request: Request) -> bytes:
    """The next bytes of the body.

    Raises:
        ClientDisconnect: the client went away.
    """
    message = await request.receive()
    facts = facts_of(request)
    if message["type"] == "http.disconnect":
        facts.body_ended = True
        raise ClientDisconnect
    facts.body_ended = not message.get("more_body", False)
    piece: bytes = message.get("body", b"")
    return piece


async def _receive(request: Request, form: ImageForm, spool: _Spool, limits: UploadLimits) -> None:
    deadline = asyncio.get_running_loop().time() + limits.seconds
    allowed = limits.max_bytes + _FORM_BYTES
    while True:
        try:
            async with asyncio.timeout_at(deadline):
                body = await _next_piece(request)
        except TimeoutError as error:
            raise RequestTimeoutError(
                f"The upload took longer than {limits.seconds:g} seconds; send it again, "
                "or a smaller image.",
                code="upload_timeout",
            ) from error
        allowed -= len(body)
        if allowed < 0:
            raise _too_large(limits.max_bytes)
        if body:
            for piece in form.feed(body):
                await spool.add(piece)
        if facts_of(request).body_ended:
            form.finish()
            return


class _Spool:
    """The image on its way to disk."""

    def __init__(self, path: Path, max_bytes: int) -> None:
        self.path: Final = path
        self.size = 0
        self._max_bytes = max_bytes
        self._hash = hashlib.sha256()
        self._buffer = bytearray()
        self._file: BinaryIO | None = None
        self._known = False

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    async def add(self, piece: bytes) -> None:
        self.size += len(piece)
        if self.size > self._max_bytes:
            raise _too_large(self._max_bytes)
        self._hash.update(piece)
        self._buffer += piece
        if not self._known and self.size >= _SIGNATURE:
            _check_type(self._buffer)
            self._known = True
        if len(self._buffer) >= _BUFFER:
            await asyncio.to_thread(self._write)

    async def complete(self, max_pixels: int) -> tinyjpg.Header:
        """Write the rest, and read the header; the store syncs it to the disk."""
        if self._file is None:
            return await asyncio.to_thread(self._complete_small, max_pixels)
        await asyncio.to_thread(self._close)
        async with _probing:
            return await asyncio.to_thread(self._probe_file, max_pixels)

    def discard(self) -> None:
        """Close and remove the file, if it is still here."""
        if self._file is not None:
            self._file.close()
        self.path.unlink(missing_ok=True)

    def _complete_small(self, max_pixels: int) -> tinyjpg.Header:
        # Refused images need not touch the disk.
        header = _probe(bytes(self._buffer), max_pixels)
        self._close()
        return header

    def _probe_file(self, max_pixels: int) -> tinyjpg.Header:
        return _probe(self.path.read_bytes(), max_pixels)

    def _write(self) -> BinaryIO:
        file = self._file or self.path.open("xb")
        self._file = file
        file.write(self._buffer)
        self._buffer.clear()
        return file

    def _close(self) -> None:
        self._write().close()


def _check_type(start: bytes | bytearray) -> None:
    try:
        sniff(bytes(start[:_SIGNATURE]))
    except tinyjpg.UnsupportedFormatError as error:
        raise _wrong_type(error) from error


def _probe(data: bytes, max_pixels: int) -> tinyjpg.Header:
    # The size was checked while it arrived.
    limits = tinyjpg.Limits(max_input_bytes=len(data), max_pixels=max_pixels)
    try:
        return tinyjpg.probe(data, limits)
    except tinyjpg.UnsupportedFormatError as error:
        raise _wrong_type(error) from error
    except tinyjpg.LimitExceededError as error:
        message = (
            f"The image has too many pixels: at most {max_pixels:,} are taken, all frames "
            f"together, and {limits.max_frames:,} frames."
        )
        raise ValidationFailedError(
            message, code="image_too_large", errors={IMAGE: [message]}
        ) from error
    except tinyjpg.CorruptImageError as error:
        message = f"The image is damaged: {error}."
        raise ValidationFailedError(
            message, code="corrupt_image", errors={IMAGE: [message]}
        ) from error


def _wrong_type(error: tinyjpg.UnsupportedFormatError) -> UnsupportedMediaTypeError:
    text = str(error)
    message = f"{text[:1].upper()}{text[1:]}."
    return UnsupportedMediaTypeError(message, errors={IMAGE: [message]})


def _too_large(max_bytes: int) -> PayloadTooLargeError:
    message = f"The image is larger than the {max_bytes:,} bytes that your plan allows."
    return PayloadTooLargeError(message, errors={IMAGE: [message]})
