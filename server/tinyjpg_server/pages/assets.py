"""Style sheets, scripts and pictures of the pages, served from memory under addresses that change
with their content, so that browsers may keep them for ever.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from tinyjpg_server.errors import NotFoundError

FOLDER: Final = Path(__file__).parent / "static"
ROUTE: Final = "/static/{version}/{name:path}"

_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
}
_HEADERS: Final = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Assets:
    """The files of `folder`.

    One version stands for all of them: modules import one another by relative addresses.
    """

    def __init__(self, folder: Path = FOLDER) -> None:
        self._files: Final = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.suffix in _TYPES
        }
        digest = hashlib.blake2b(digest_size=6)
        for name, data in self._files.items():
            digest.update(f"{name} {len(data)} ".encode())
            digest.update(data)
        self._version: Final = digest.hexdigest()

    def url(self, name: str) -> str:
        """The address of the file called `name`; a KeyError if there is none."""
        if name not in self._files:
            raise KeyError(f"there is no {name} in {FOLDER.name}/")
        return f"/static/{self._version}/{name}"

    async def serve(self, request: Request) -> Response:
        """Answer a GET of `ROUTE`.

        Raises:
            NotFoundError: there is no such file, or not of this version.
        """
        name = request.path_params["name"]
        data = self._files.get(name)
        if data is None or request.path_params["version"] != self._version:
            raise NotFoundError("There is no such file.")
        return Response(data, media_type=_TYPES[Path(name).suffix], headers=_HEADERS)
