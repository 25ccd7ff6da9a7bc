"""Images by name: who knows its 128 random bits may see the image until it expires."""

from __future__ import annotations

import re
from typing import Final

from tinyjpg_server.db import clock
from tinyjpg_server.errors import NotFoundError
from tinyjpg_server.jobs.images import Image, find_by_name
from tinyjpg_server.routes.taking import file_expired
from tinyjpg_server.services import Services

_NAME: Final = re.compile(r"[a-z0-9]{1,40}", re.ASCII)


async def image_named(services: Services, name: str, file_name: str | None = None) -> Image:
    """The image called `name`, whose files are still to be had.

    Args:
        services: of the application.
        name: without an extension; anything that somebody asks for.
        file_name: what its files must be called, extension and all, if that matters.

    Raises:
        NotFoundError: there is none, or it is gone; code `expired`.
    """
    if not _NAME.fullmatch(name):
        raise no_file()
    async with services.database.read() as connection:
        image = await find_by_name(connection, name)
    if image is None or file_name not in {None, image.file_name}:
        raise no_file()
    if image.files_removed_at is not None or image.expires_at <= clock.now():
        raise file_expired()
    return image


def no_file() -> NotFoundError:
    """The answer where nothing is to be had under a name."""
    return NotFoundError("There is no such file.")
