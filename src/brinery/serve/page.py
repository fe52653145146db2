"""The pages and their files, read once: no request ever opens a path."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

_FOLDER = Path(__file__).parent / "assets"
_PAGE = "docs.html"

# Said here, because what a machine's own tables say differs from one to the next.
_MEDIA_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
_HEADERS = {"cache-control": "no-cache", "x-content-type-options": "nosniff"}
_PAGE_HEADERS = {
    "content-security-policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'",
    "referrer-policy": "no-referrer",
}


@dataclass(frozen=True)
class _Asset:
    content: bytes
    media_type: str
    headers: dict[str, str]


class Page:
    """The pages, and the files they load."""

    def __init__(self) -> None:
        self._assets = {
            path.relative_to(_FOLDER).as_posix(): _read(path)
            for path in _FOLDER.rglob("*")
            if path.suffix in _MEDIA_TYPES
        }

    async def document(self, request: Request) -> Response:
        """Return the page of a model."""
        return self._answer(request, _PAGE)

    async def file(self, request: Request) -> Response:
        """Return one of its files."""
        return self._answer(request, request.path_params["path"])

    def _answer(self, request: Request, path: str) -> Response:
        asset = self._assets.get(path)
        if asset is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        known = request.headers.get("if-none-match", "").split(",")
        if asset.headers["etag"] in [tag.strip().removeprefix("W/") for tag in known]:
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=asset.headers)
        return Response(asset.content, media_type=asset.media_type, headers=asset.headers)


def _read(path: Path) -> _Asset:
    content = path.read_bytes()
    headers = {"etag": f'"{hashlib.sha256(content).hexdigest()[:32]}"', **_HEADERS}
    if path.suffix == ".html":
        headers.update(_PAGE_HEADERS)
    return _Asset(content, _MEDIA_TYPES[path.suffix], headers)
