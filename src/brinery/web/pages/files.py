"""Files that others made, sent so that no browser takes them for a page of ours."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import IO, Final

from starlette.responses import FileResponse, Response, StreamingResponse

from brinery.serve.problems import Problem
from brinery.store.previews import image_type

# A document that is opened all the same has no scripts, no forms and no origin.
SANDBOXED: Final = {
    "content-security-policy": "sandbox; default-src 'none'",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
    "cross-origin-resource-policy": "same-origin",
}
_BYTES: Final = "application/octet-stream"
_HEAD: Final = 16
_BLOCK: Final = 1 << 18


def sent(place: Path, *, seen: bool) -> Response:
    """Return the answer with a file of this machine.

    Args:
        place: of the file.
        seen: whether it is an image that a page shows; what is none is sent to be kept.

    Raises:
        Problem: 404 for a folder.
    """
    if not place.is_file():
        raise Problem(HTTPStatus.NOT_FOUND, "not-a-file", f"{place.name} is a folder")
    with place.open("rb") as stream:
        image = image_type(stream.read(_HEAD)) if seen else ""
    return FileResponse(
        place,
        media_type=image or _BYTES,
        filename=place.name,
        content_disposition_type="inline" if image else "attachment",
        headers=SANDBOXED,
    )


def streamed(stream: IO[bytes], *, name: str, seen: bool) -> Response:
    """Return the answer with a file that is opened, wherever it lies.

    Args:
        stream: at its beginning; it is closed once it is sent.
        name: of the file.
        seen: whether it is an image that a page shows.
    """
    head = stream.read(_HEAD)
    image = image_type(head) if seen else ""

    def parts() -> object:
        with stream:
            yield head
            while block := stream.read(_BLOCK):
                yield block

    plain = "".join(
        one if (one.isascii() and one.isalnum()) or one in "._-" else "_" for one in name
    )
    kept = "inline" if image else f'attachment; filename="{plain}"'
    headers = {**SANDBOXED, "content-disposition": kept}
    return StreamingResponse(parts(), media_type=image or _BYTES, headers=headers)  # type: ignore[arg-type]
