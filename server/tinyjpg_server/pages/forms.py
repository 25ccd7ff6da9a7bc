"""Small forms that pages send: read whole, checked for where they come from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final
from urllib.parse import parse_qsl

from fastapi import Depends
from starlette.exceptions import HTTPException
from starlette.requests import Request

from tinyjpg_server.errors import BadRequestError
from tinyjpg_server.origin import same_origin
from tinyjpg_server.pages.form_token import FIELD, check_form_token

_LARGEST: Final = 16 * 1024
_MOST_FIELDS: Final = 50
_TYPE: Final = "application/x-www-form-urlencoded"


async def posted(request: Request) -> Mapping[str, str]:
    """The fields of a form, the last of each name.

    Raises:
        ForbiddenError: another site's page sent it, or its token does not fit.
        BadRequestError: it is no form.
        HTTPException: 413, it has more than 16 KiB.
    """
    same_origin(request)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _TYPE:
        raise BadRequestError(f"The form must be sent as {_TYPE}.", code="bad_form")
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > _LARGEST:
            raise HTTPException(413)
    try:
        fields = dict(
            parse_qsl(
                body.decode("utf-8"),
                keep_blank_values=True,
                errors="strict",
                max_num_fields=_MOST_FIELDS,
            )
        )
    except ValueError as error:
        raise BadRequestError("The form cannot be read.", code="bad_form") from error
    check_form_token(request, fields.pop(FIELD, ""))
    return fields


PostedForm = Annotated[Mapping[str, str], Depends(posted)]
"""The fields of a checked form, as a parameter of a route."""
