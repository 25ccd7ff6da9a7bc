"""Hold a request until its image is finished or its client is gone."""

from __future__ import annotations

import asyncio

from starlette.requests import ClientDisconnect, Request

from tinyjpg_server.jobs import images
from tinyjpg_server.jobs.images import Image
from tinyjpg_server.services import Services


async def wait_for_image(
    request: Request, services: Services, account_id: int, image_id: int, seconds: float
) -> Image | None:
    """The image once it is finished, or as it is after `seconds`; None if it is not there.

    The body of the request must have been read.

    Raises:
        ClientDisconnect: the client went away meanwhile.
    """

    async def look() -> Image | None:
        async with services.database.read() as connection:
            return await images.find(connection, account_id, image_id)

    waiting = asyncio.ensure_future(services.waiting.until(image_id, look, _is_finished, seconds))
    gone = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({waiting, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            raise ClientDisconnect
        return waiting.result()
    finally:
        waiting.cancel()
        gone.cancel()


def _is_finished(image: Image | None) -> bool:
    return image is None or image.status != "processing"


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        continue
