"""What cannot be undone is asked about first: by a script on the page, else by a page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from tinyjpg_server.accounts.caller import Caller
from tinyjpg_server.accounts.keys import ApiKey
from tinyjpg_server.jobs.images import Image
from tinyjpg_server.pages.rendering import pages_of

_FIELD: Final = "confirmed"


def is_confirmed(fields: Mapping[str, str]) -> bool:
    """Whether the person said yes."""
    return fields.get(_FIELD) == "yes"


def ask_first(
    request: Request,
    caller: Caller,
    what: str,
    subject: ApiKey | Image,
    *,
    back: str,
    kept: Mapping[str, str] | None = None,
) -> Response:
    """The page that asks, and sends the form again.

    Args:
        request: of the form.
        caller: who is asked.
        what: would be done, a name in questions.html.
        subject: to what.
        back: where to go instead.
        kept: fields of the form to send again.
    """
    return pages_of(request).render(
        request, "confirm.html", caller, what=what, subject=subject, back=back, kept=kept or {}
    )
