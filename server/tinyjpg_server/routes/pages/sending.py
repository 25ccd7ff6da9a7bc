"""Images that pages send, with scripts and without."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.requests import ClientDisconnect, Request

from tinyjpg_server.errors import ApiError, FieldErrors
from tinyjpg_server.jobs.images import Image
from tinyjpg_server.middleware import facts_of
from tinyjpg_server.routes import parameters
from tinyjpg_server.routes.pages.customer import charged, customer_of
from tinyjpg_server.routes.taking import Taken, UploadFields, take_again, take_upload
from tinyjpg_server.services import services_of


@dataclass(slots=True)
class QualityField:
    """The one field beside the image."""

    quality: int = parameters.DEFAULT_QUALITY

    def read(self, form: Mapping[str, str]) -> FieldErrors:
        """Take the value over, and say what is wrong with it."""
        faults = parameters.Faults()
        self.quality = parameters.quality(form, faults)
        return faults.errors


async def send(request: Request, fields: UploadFields) -> Taken:
    """Take on the image in the body of `request`, for whoever sends it.

    Raises:
        ApiError: it is refused; answer with `taking.refused`.
    """
    customer = await customer_of(request)
    customer.check()
    async with _refusals_counted(request), charged(request, customer):
        return await take_upload(request, services_of(request), customer.caller, fields)


async def send_again(request: Request, image: Image, form: Mapping[str, str]) -> Image:
    """Take on `image` once more, at the quality in `form`.

    Raises:
        ApiError: it is refused.
    """
    faults = parameters.Faults()
    quality = parameters.quality(form, faults)
    faults.check()
    customer = await customer_of(request)
    customer.check()
    services = services_of(request)
    async with _refusals_counted(request), charged(request, customer):
        return (await take_again(request, services, customer.caller, image, quality)).image


@asynccontextmanager
async def _refusals_counted(request: Request) -> AsyncIterator[None]:
    """Begin the block only while few images from this address are refused; count it if it raises.

    Raises:
        TooManyRequestsError: too many were.
    """
    limiter, address = services_of(request).limiter, facts_of(request).address
    await limiter.check_refused(address)
    try:
        yield
    except (ApiError, ClientDisconnect):
        await limiter.count_refused(address)
        raise


def explained(error: ApiError) -> str:
    """What to tell people: of each field what is wrong, else what the error says."""
    of_fields = (message for messages in error.errors.values() for message in messages)
    return " ".join(of_fields) or error.message
