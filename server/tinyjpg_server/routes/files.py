"""The image files: who knows the 128 random bits of a name may fetch the file until it expires."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response, StreamingResponse

from tinyjpg.formats import FACTS, Format
from tinyjpg_server.conditional import Part, http_date, part_to_send
from tinyjpg_server.db import clock
from tinyjpg_server.errors import (
    NotFoundError,
    NotStoredError,
    PreconditionFailedError,
    RangeNotSatisfiableError,
)
from tinyjpg_server.file_names import attachment, saved_name
from tinyjpg_server.jobs.images import Image
from tinyjpg_server.routes.named import image_named, no_file
from tinyjpg_server.services import Services, services_of
from tinyjpg_server.storage.store import Store, Stored

_log = logging.getLogger(__name__)

# Seconds after which to ask again for a file that is being made.
_RETRY_AFTER: Final = 1

_ALWAYS: Final = {
    # An image is shown, or saved; nothing in it runs, whatever a browser takes it for.
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    # Pages of any site may embed it.
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Content-Length, Content-Range, ETag",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Accept-Ranges": "bytes",
}

_FILE: Final[dict[str, Any]] = {
    "content": {
        facts.mime: {"schema": {"type": "string", "format": "binary"}} for facts in FACTS.values()
    }
}
_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The file.", **_FILE},
    206: {"description": "The range that was asked for.", **_FILE},
    304: {"description": "The client has the file already."},
    404: {"description": "No such file: `code` is not_found, expired, processing or failed."},
    412: {"description": "The file is not the one that If-Match or If-Unmodified-Since names."},
    416: {"description": "The range begins after the end of the file."},
}

_Download = Annotated[
    str | None,
    Query(description="Have the file saved under this name; its extension is kept right."),
]

router = APIRouter(tags=["Files"])


@router.get("/direct-file/original/{file_name}", response_class=Response, responses=_RESPONSES)
@router.head("/direct-file/original/{file_name}", include_in_schema=False)
async def original_file(
    request: Request,
    file_name: str = Path(),
    download: _Download = None,
) -> Response:
    """The image as it was uploaded."""
    services = services_of(request)
    image = await _image(services, file_name)
    return await _file(request, services.store, image, image.original_object, download)


@router.get("/direct-file/optimized/{file_name}", response_class=Response, responses=_RESPONSES)
@router.head("/direct-file/optimized/{file_name}", include_in_schema=False)
async def optimized_file(
    request: Request,
    file_name: str = Path(),
    download: _Download = None,
) -> Response:
    """The image made smaller. While it is being made: 404 with the code `processing`."""
    services = services_of(request)
    image = await _image(services, file_name)
    if image.status == "processing":
        raise NotFoundError(
            "The image is not optimized yet. Ask again, or wait with ?wait= at its status.",
            code="processing",
            headers={"Retry-After": str(_RETRY_AFTER)},
        )
    result = image.result_object
    if image.status == "failed" or result is None:
        raise NotFoundError("The image could not be optimized; its status says why.", code="failed")
    return await _file(request, services.store, image, result, download)


async def _image(services: Services, file_name: str) -> Image:
    return await image_named(services, file_name.partition(".")[0], file_name)


async def _file(
    request: Request, store: Store, image: Image, name: str, download: str | None
) -> Response:
    try:
        stored = await store.open(name)
        part = part_to_send(
            request.method,
            request.headers,
            size=stored.size,
            etag=stored.etag,
            modified=stored.modified,
        )
        if part.status == 304:
            return Response(status_code=304, headers=_facts(image, stored))
        _refuse(part, stored)
        answer = await _content(request.method, store, image, stored, part)
    except NotStoredError as error:
        # Expired this very moment, or lost: the operator should know. Not the name, which is all
        # that a stranger needs.
        _log.warning("a file of the image is not in the store", extra={"image_id": image.id})
        raise no_file() from error
    answer.headers["Content-Disposition"] = _disposition(image, download)
    return answer


async def _content(method: str, store: Store, image: Image, stored: Stored, part: Part) -> Response:
    headers = {
        **_facts(image, stored),
        "Content-Type": FACTS[Format(image.format)].mime,
        "Content-Length": str(part.end - part.start),
    }
    if part.status == 206:
        headers["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{stored.size}"
    if method == "HEAD":
        return Response(status_code=part.status, headers=headers)
    pieces = store.stream(stored.name, part.start, part.end)
    # A file that has gone since is a 404, not an answer that breaks off.
    first = await anext(pieces, b"")
    return StreamingResponse(_chain(first, pieces), part.status, headers)


def _disposition(image: Image, download: str | None) -> str:
    if download is None:
        return f'inline; filename="{image.file_name}"'
    return attachment(saved_name(download, image.format, image.name))


async def _chain(first: bytes, rest: AsyncGenerator[bytes]) -> AsyncIterator[bytes]:
    async with aclosing(rest):
        yield first
        async for piece in rest:
            yield piece


def _refuse(part: Part, stored: Stored) -> None:
    if part.status == 412:
        raise PreconditionFailedError("The file is not the one that the request names.")
    if part.status == 416:
        raise RangeNotSatisfiableError(
            f"The file has {stored.size} bytes; the range begins after them.",
            headers={"Content-Range": f"bytes */{stored.size}"},
        )


def _facts(image: Image, stored: Stored) -> dict[str, str]:
    left = max(0, int((image.expires_at - clock.now()).total_seconds()))
    return {
        **_ALWAYS,
        "ETag": stored.etag,
        "Last-Modified": http_date(stored.modified),
        # Never changed under this name; a proxy that recompresses images would.
        "Cache-Control": f"private, max-age={left}, immutable, no-transform",
    }
