"""Files that a browser sends: written as they come, never more than is allowed.

Our script sends a file as it is. A browser without scripts sends a form with the file in it, whose
token comes first: not a byte of the file is written before that was checked.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from email.message import Message
from http import HTTPStatus
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.sansio.multipart import Data, Epilogue, Event, Field, File, MultipartDecoder, NeedData

from brinery.serve.problems import Problem
from brinery.web.pages.tokens import FIELD

_MB = 1_000_000
_FORM = "multipart/form-data"
# Of a form, what is not the file: the token, and the lines around both.
_AROUND_BYTES = 65_536
_MOST_PARTS = 8


async def receive(request: Request, path: Path, *, most_mb: float) -> int:
    """Return how many bytes of a request's body were written to a file; all, or there is none.

    Raises:
        Problem: 413 where there are more than are allowed, 400 where there are none, or the browser
            broke off, 507 where they cannot be written.
    """
    _check_length(request, most_mb=most_mb)
    return await _kept(request.stream(), path, most_mb=most_mb)


def is_form(request: Request) -> bool:
    """Return whether the body is a form with a file, as a browser without scripts sends it."""
    kind = request.headers.get("content-type", "").partition(";")[0]
    return kind.strip().lower() == _FORM


async def receive_form(
    request: Request,
    *,
    check: Callable[[str], None],
    place: Callable[[str], Path],
    most_mb: float,
) -> tuple[str, Path]:
    """Return what the file of a form is called, and where it was written.

    Args:
        request: whose body is the form.
        check: raises where the token of the form is not the page's.
        place: returns where a file is written, by what it is called.
        most_mb: of the file.

    Raises:
        Problem: as `receive` does, 403 where `check` says so, and 400 where there is no file.
    """
    _check_length(request, most_mb=most_mb, around=_AROUND_BYTES)
    events, name, token = _events(request), "", bytearray()
    try:
        async for event in events:
            if isinstance(event, Field):
                name = event.name
            elif isinstance(event, File):
                check(token.decode("utf-8", errors="replace"))
                path = place(event.filename)
                await _kept(_content(events), path, most_mb=most_mb)
                return event.filename, path
            elif isinstance(event, Data) and name == FIELD:
                token += event.data
    except ClientDisconnect:
        raise _broken_off() from None
    raise Problem(HTTPStatus.BAD_REQUEST, "no-file", "the form has no file in it")


def _check_length(request: Request, *, most_mb: float, around: int = 0) -> None:
    told = request.headers.get("content-length", "")
    if told.isdigit() and int(told) > int(most_mb * _MB) + around:
        raise _too_large(most_mb)


async def _events(request: Request) -> AsyncIterator[Event]:
    """Yield what a form is made of, as it comes."""
    told = Message()
    told["content-type"] = request.headers.get("content-type", "")
    boundary = str(told.get_param("boundary") or "").encode("latin-1", errors="replace")
    decoder = MultipartDecoder(
        boundary, max_form_memory_size=4 * _AROUND_BYTES, max_parts=_MOST_PARTS
    )
    try:
        async for part in request.stream():
            for at in range(0, len(part), _AROUND_BYTES):
                decoder.receive_data(part[at : at + _AROUND_BYTES])
                while not isinstance(event := decoder.next_event(), NeedData):
                    yield event
                    if isinstance(event, Epilogue):
                        return
        decoder.receive_data(None)
        decoder.next_event()
    except (ValueError, RequestEntityTooLarge):
        raise Problem(
            HTTPStatus.BAD_REQUEST, "not-a-form", "the form cannot be read", hint="send it again"
        ) from None


async def _content(events: AsyncIterator[Event]) -> AsyncIterator[bytes]:
    """Yield the file that the form has come to."""
    async for event in events:
        if not isinstance(event, Data):
            return
        yield event.data
        if not event.more_data:
            return


async def _kept(parts: AsyncIterator[bytes], path: Path, *, most_mb: float) -> int:
    """Return how many bytes were written to a file; all, or there is none."""
    most = int(most_mb * _MB)
    n_bytes = -1
    try:
        n_bytes = await _written(parts, path, most=most)
    except ClientDisconnect:
        raise _broken_off() from None
    except OSError as error:
        raise Problem(
            HTTPStatus.INSUFFICIENT_STORAGE,
            "not-stored",
            f"the file cannot be stored: {error.strerror}",
            hint="free some space on the server's disk",
        ) from None
    finally:
        if not 0 < n_bytes <= most:
            _forget(path)
    if n_bytes > most:
        raise _too_large(most_mb)
    if not n_bytes:
        raise Problem(HTTPStatus.BAD_REQUEST, "empty-file", "the file is empty")
    return n_bytes


async def _written(parts: AsyncIterator[bytes], path: Path, *, most: int) -> int:
    """Return how many bytes were written; more than `most` where there are too many."""
    n_bytes = 0
    with path.open("xb") as stream:
        async for part in parts:
            n_bytes += len(part)
            if n_bytes > most:
                break
            await run_in_threadpool(stream.write, part)
    return n_bytes


def _forget(path: Path) -> None:
    with suppress(OSError):
        path.unlink()


def _broken_off() -> Problem:
    return Problem(HTTPStatus.BAD_REQUEST, "broken-off", "the file came in part")


def _too_large(most_mb: float) -> Problem:
    return Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "file-too-large",
        f"the file is larger than {most_mb:,.0f} MB",
        hint="max_upload_mb under [up] in brinery.toml, or brinery import on the server's machine",
    )
