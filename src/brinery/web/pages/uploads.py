"""Files that a browser sends: written as they come, never more than is allowed."""

from __future__ import annotations

from contextlib import suppress
from http import HTTPStatus
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request

from brinery.serve.problems import Problem

_MB = 1_000_000


async def receive(request: Request, path: Path, *, most_mb: float) -> int:
    """Return how many bytes of a request's body were written to a file; all, or there is none.

    Raises:
        Problem: 413 where there are more than are allowed, 400 where there are none, or the browser
            broke off, 507 where they cannot be written.
    """
    most = int(most_mb * _MB)
    told = request.headers.get("content-length", "")
    if told.isdigit() and int(told) > most:
        raise _too_large(most_mb)
    n_bytes = -1
    try:
        n_bytes = await _written(request, path, most=most)
    except ClientDisconnect:
        raise Problem(HTTPStatus.BAD_REQUEST, "broken-off", "the file came in part") from None
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


async def _written(request: Request, path: Path, *, most: int) -> int:
    """Return how many bytes were written; more than `most` where there are too many."""
    n_bytes = 0
    with path.open("xb") as stream:
        async for part in request.stream():
            n_bytes += len(part)
            if n_bytes > most:
                break
            await run_in_threadpool(stream.write, part)
    return n_bytes


def _forget(path: Path) -> None:
    with suppress(OSError):
        path.unlink()


def _too_large(most_mb: float) -> Problem:
    return Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "file-too-large",
        f"the file is larger than {most_mb:,.0f} MB",
        hint="max_upload_mb under [up] in brinery.toml, or brinery import on the server's machine",
    )
