"""The files that pages load: read once, named by their content, sent small, kept by browsers."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from importlib import resources
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

PREFIX: Final = "/assets"

# Name to the package and the path in it; whatever else lies there is not asked for.
_FILES: Final = {
    "plotly.css": ("brinery.web", "plotly.css"),
    "icon.svg": ("brinery.serve", "favicon.svg"),
    "theme.js": ("brinery.web", "theme.js"),
    "job.js": ("brinery.web", "job.js"),
    "page.js": ("brinery.web", "page.js"),
    "upload.js": ("brinery.web", "upload.js"),
    "threshold.js": ("brinery.web", "threshold.js"),
    "whatif.js": ("brinery.web", "whatif.js"),
}
# Sent as one, for a page that asks for one of them asks for all: one request less for each.
_TOGETHER: Final = {
    "page.css": (
        ("brinery.charts", "tokens.css"),
        ("brinery.web", "page.css"),
        ("brinery.charts", "graph.css"),
        ("brinery.web", "jobs.css"),
    ),
    "htmx.js": (("brinery.web", "vendor/htmx.min.js"), ("brinery.web", "vendor/sse.min.js")),
    "charts.js": (
        ("brinery.charts", "vendor/plotly-cartesian.min.js"),
        ("brinery.charts", "charts.js"),
    ),
    "endpoint.js": (("brinery.serve", "snippets.js"), ("brinery.web", "endpoint.js")),
}
_MEDIA_TYPES: Final = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_HEADERS: Final = {
    # The URL holds the digest of the content: it never means anything else.
    "cache-control": "public, max-age=31536000, immutable",
    "vary": "accept-encoding",
    "x-content-type-options": "nosniff",
}


@dataclass(frozen=True)
class Asset:
    """A file.

    Attributes:
        name: of it, with its suffix.
        content: its bytes.
    """

    name: str
    content: bytes

    @cached_property
    def digest(self) -> str:
        """Return what its URL is told by."""
        return hashlib.sha256(self.content).hexdigest()[:16]

    @cached_property
    def small(self) -> bytes:
        """Return its bytes, gzipped the same way each time."""
        return gzip.compress(self.content, 9, mtime=0)

    @property
    def media_type(self) -> str:
        """Return what browsers insist on."""
        return _MEDIA_TYPES[self.name.rpartition(".")[2]]


class Assets:
    """All files that pages may load."""

    def __init__(self) -> None:
        self._assets = {name: _read(name) for name in (*_FILES, *_TOGETHER)}

    def url(self, name: str) -> str:
        """Return the path of a file on this server."""
        return f"{PREFIX}/{self._assets[name].digest}/{name}"

    def answer(self, request: Request) -> Response:
        """Return a file; one whose content is another by now is not found."""
        asset = self._assets.get(request.path_params["name"])
        if asset is None or asset.digest != request.path_params["digest"]:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers = {**_HEADERS, "content-encoding": "gzip"}
            return Response(asset.small, media_type=asset.media_type, headers=headers)
        return Response(asset.content, media_type=asset.media_type, headers=_HEADERS)


def _read(name: str) -> Asset:
    files = _TOGETHER.get(name) or (_FILES[name],)
    parts = [(resources.files(package) / "assets" / path).read_bytes() for package, path in files]
    return Asset(name, b"\n".join(parts))
