"""The compression of a body, taken off within a limit: a small body may become a vast one."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from http import HTTPStatus

import pyarrow as pa

from brinery.serve.problems import Problem

Decode = Callable[[bytes, int], bytes]

_SHOWN = 60
_GZIP = 16 + zlib.MAX_WBITS
_READ = "gzip, zstd, identity"


def decoder(encoding: str) -> Decode | None:
    """Return what takes a content encoding off a body; None where there is nothing to take off.

    Raises:
        Problem: 415 for one that is not known, or several on top of each other.
    """
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return None
    if name in ("gzip", "x-gzip"):
        return _gunzip
    if name == "zstd":
        return _unzstd
    raise Problem(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "unsupported-media-type",
        f"the body is compressed with {name[:_SHOWN]}, and gzip and zstd are read",
        hint="send it without content-encoding",
        headers={"accept-encoding": _READ},
    )


def _gunzip(body: bytes, limit: int) -> bytes:
    """Return what a gzip body holds.

    Raises:
        Problem: 400 where it is damaged, 413 where it becomes larger than the limit.
    """
    parts: list[bytes] = []
    size = 0
    rest = body
    try:
        while rest:
            one = zlib.decompressobj(_GZIP)
            part = one.decompress(rest, limit + 1 - size)
            size += len(part)
            parts.append(part)
            if size > limit:
                raise _too_large(limit)
            if not one.eof:
                raise _damaged("gzip")
            rest = one.unused_data
    except zlib.error:
        raise _damaged("gzip") from None
    return b"".join(parts)


def _unzstd(body: bytes, limit: int) -> bytes:
    """Return what a zstd body holds, as above."""
    parts: list[bytes] = []
    size = 0
    try:
        with pa.CompressedInputStream(pa.BufferReader(body), "zstd") as stream:
            while part := stream.read(min(1 << 20, limit + 1 - size)):
                size += len(part)
                parts.append(part)
                if size > limit:
                    raise _too_large(limit)
    except (OSError, pa.ArrowException):
        raise _damaged("zstd") from None
    return b"".join(parts)


def _damaged(name: str) -> Problem:
    return Problem(HTTPStatus.BAD_REQUEST, "malformed-body", f"the body is not what {name} writes")


def _too_large(limit: int) -> Problem:
    return Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "body-too-large",
        f"the body is larger than {limit / 1e6:g} MB when its compression is taken off",
        hint="send fewer rows at a time, or score the file with brinery predict",
    )
