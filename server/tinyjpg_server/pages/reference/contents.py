"""All that the page of the reference shows and that does not change while the service runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from tinyjpg_server.accounts.tokens import TOKEN_LENGTH
from tinyjpg_server.openapi.codes import CODES, IMAGE_CODES
from tinyjpg_server.openapi.operations import INVALID, MEANINGS
from tinyjpg_server.pages.reference.endpoints import endpoints_of
from tinyjpg_server.pages.reference.examples import LANGUAGES, load_examples
from tinyjpg_server.pages.reference.highlighting import highlighted_json
from tinyjpg_server.settings import Settings


class Section(NamedTuple):
    """A heading with an address, in the table of contents."""

    id: str
    title: str


SECTIONS: Final = (
    Section("quick-start", "Quick Start"),
    Section("base-url", "Base URL"),
    Section("authentication", "Authentication"),
    Section("optimize", "Image Optimization"),
    Section("status", "Check Optimization Status"),
    Section("images", "List Images"),
    Section("delete-image", "Delete Image"),
    Section("usage", "Usage Statistics"),
    Section("stats", "Remaining Quota"),
    Section("files", "Files"),
    Section("keys", "Sessions and API Keys"),
    Section("health", "Health"),
    Section("errors", "Error Handling"),
    Section("limits", "Rate Limits & Quotas"),
    Section("idempotency", "Idempotency"),
)

_SUCCESS: Final = {200: "Success: the request completed successfully."}


@dataclass(frozen=True, slots=True)
class Contents:
    """What the template takes, by name."""

    values: dict[str, Any]


def contents_of(document: dict[str, Any], settings: Settings) -> Contents:
    """The page's contents for the service that `document` (OpenAPI) describes."""
    return Contents(
        {
            "sections": SECTIONS,
            "titles": {section.id: section.title for section in SECTIONS},
            "endpoints": endpoints_of(document),
            "examples": load_examples(settings.base_url, settings.longest_wait),
            "languages": LANGUAGES,
            "meanings": sorted({**_SUCCESS, **MEANINGS}.items()),
            "codes": CODES,
            "image_codes": IMAGE_CODES,
            "invalid": highlighted_json(INVALID),
            "limits": settings,
            "key_length": TOKEN_LENGTH,
        }
    )
