"""Deleting an image with its files, for the API and for the pages."""

from __future__ import annotations

from tinyjpg_server.db import clock
from tinyjpg_server.jobs import images
from tinyjpg_server.routes import parameters
from tinyjpg_server.services import Services


async def delete_with_files(services: Services, account_id: int, number: int) -> None:
    """Delete the image and its files now.

    Raises:
        NotFoundError: the account has no such image.
    """
    image = await images.delete(services.database, account_id, number, clock.now())
    if image is None:
        raise parameters.no_image(number)
    # The row says it is gone; what a crash leaves of the files, the purge removes.
    objects = (image.original_object, image.result_object)
    await services.store.delete([name for name in objects if name is not None])
    services.waiting.finished(number)
