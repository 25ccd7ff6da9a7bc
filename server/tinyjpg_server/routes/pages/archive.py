"""GET /web/zip: several results in one file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from itertools import zip_longest
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from zipstream import ZIP_STORED, ZipStream

from tinyjpg_server.errors import NotFoundError, NotStoredError, ValidationFailedError
from tinyjpg_server.file_names import attachment, saved_name, unique_names
from tinyjpg_server.routes.named import image_named, no_file
from tinyjpg_server.services import Services, services_of
from tinyjpg_server.storage.store import Store, Stored

router = APIRouter()

MOST_IMAGES: Final = 20
_FILE_NAME: Final = "tinyjpg.zip"
_TYPE: Final = "application/zip"


@router.get("/web/zip")
async def archive(request: Request) -> Response:
    """The results called `image=`, each saved `as=` the user's own name; both are repeated.

    They are as /direct-file/optimized serves them: stored, since deflating gains nothing.
    """
    query = request.query_params
    asked = query.getlist("image")
    if not 1 <= len(asked) <= MOST_IMAGES:
        message = f"Name 1 to {MOST_IMAGES} images."
        raise ValidationFailedError(message, errors={"image": [message]})
    services = services_of(request)
    files: list[Stored] = []
    names: list[str] = []
    for name, wanted in zip_longest(asked, query.getlist("as")[: len(asked)], fillvalue=""):
        stored, saved = await _result(services, name, wanted)
        files.append(stored)
        names.append(saved)
    stream = ZipStream(compress_type=ZIP_STORED, sized=True)
    loop = asyncio.get_running_loop()
    for stored, saved in zip(files, unique_names(names), strict=True):
        stream.add(_pieces(services.store, stored, loop), saved, size=stored.size)
    headers = {
        "Content-Length": str(len(stream)),
        "Content-Disposition": attachment(_FILE_NAME),
    }
    if request.method == "HEAD":
        # The web server leaves a body out, but would have every file read for it.
        return Response(headers=headers, media_type=_TYPE)
    return StreamingResponse(stream, headers=headers, media_type=_TYPE)


async def _result(services: Services, name: str, wanted: str) -> tuple[Stored, str]:
    image = await image_named(services, name)
    result = image.result_object
    if result is None:
        raise NotFoundError(f"The image {name} is not optimized.", code=image.status)
    try:
        stored = await services.store.open(result)
    except NotStoredError as error:
        raise no_file() from error
    return stored, saved_name(wanted, image.format, image.name)


def _pieces(store: Store, stored: Stored, loop: asyncio.AbstractEventLoop) -> Iterator[bytes]:
    """The object's pieces, for the thread in which the archive is written."""
    pieces: AsyncGenerator[bytes] = store.stream(stored.name)
    try:
        while piece := asyncio.run_coroutine_threadsafe(_next(pieces), loop).result():
            yield piece
    finally:
        asyncio.run_coroutine_threadsafe(pieces.aclose(), loop)


async def _next(pieces: AsyncGenerator[bytes]) -> bytes:
    return await anext(pieces, b"")
