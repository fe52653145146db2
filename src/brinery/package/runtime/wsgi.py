"""The packaged model as a WSGI application, for any server that runs one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from brinery.package.runtime.service import MAX_BODY_BYTES, Service

Start = Callable[[str, list[tuple[str, str]]], Any]


def application(service: Service) -> Callable[[dict[str, Any], Start], Iterable[bytes]]:
    """Return the application of a service."""

    def app(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "/")
        length = environ.get("CONTENT_LENGTH") or "0"
        wanted = min(int(length), MAX_BODY_BYTES + 1) if length.isdigit() else 0
        answer = service.respond(method, path, body=environ["wsgi.input"].read(wanted))
        status = f"{answer.status} {HTTPStatus(answer.status).phrase}"
        start(status, [*answer.headers.items(), ("content-length", str(len(answer.body)))])
        return [] if method == "HEAD" else [answer.body]

    return app
