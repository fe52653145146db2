"""The path of a prediction, from body to answer, without a router in between."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import pyarrow as pa
from starlette.types import Receive, Scope, Send

from brinery.records.scores import Scores
from brinery.serve import answers
from brinery.serve.endpoint import Endpoint
from brinery.serve.holder import Holder
from brinery.serve.invocations import InvocationsReader
from brinery.serve.problems import Problem
from brinery.serve.rows import RowsReader
from brinery.specs.settings import UnknownCategories

_log = logging.getLogger("brinery.serve")
_JSON = [(b"content-type", b"application/json")]

# What curl sends when it is told nothing is read as JSON too.
_READ_AS_JSON = (b"", b"application/json", b"application/x-www-form-urlencoded")

Handler = Callable[[bytes], Awaitable[bytes]]


class Scoring:
    """The two prediction routes of one endpoint.

    Args:
        endpoint: what is served.
        holder: of its model.
    """

    def __init__(self, endpoint: Endpoint, holder: Holder) -> None:
        self._endpoint = endpoint
        self._holder = holder
        signature = endpoint.candidate.signature
        allow = endpoint.unknown_categories is UnknownCategories.ALLOW
        self._rows = RowsReader(signature, unknown_categories=allow)
        self._invocations = InvocationsReader(signature)
        self.routes: dict[str, Handler] = {
            endpoint.predict_path: self._own,
            "/invocations": self._mlflow,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request for one of the routes."""
        try:
            _check_request(scope)
            body = await _body(scope, receive, self._endpoint.max_body_bytes)
            answer = await self.routes[scope["path"]](body)
        except Problem as problem:
            await respond(send, problem.status, problem.headers(), problem.body())
        except Exception:  # noqa: BLE001 - logged under an id; the connection gets an answer
            fault = unexpected()
            await respond(send, fault.status, fault.headers(), fault.body())
        else:
            await respond(send, HTTPStatus.OK, _JSON, answer)

    async def _own(self, body: bytes) -> bytes:
        return answers.own(self._endpoint, await self._scores(self._rows.table(body)))

    async def _mlflow(self, body: bytes) -> bytes:
        return answers.mlflow(await self._scores(self._invocations.table(body)))

    async def _scores(self, table: pa.Table) -> Scores:
        return await self._holder.score(table)


def unexpected() -> Problem:
    """Return the problem of a fault of ours, which is logged under the id it names."""
    fault = uuid.uuid4().hex[:12]
    _log.exception("fault %s", fault)
    return Problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "fault",
        f"a fault of the server, logged under {fault}",
    )


async def respond(
    send: Send, status: HTTPStatus, headers: list[tuple[bytes, bytes]], body: bytes
) -> None:
    """Send a whole response."""
    length = (b"content-length", str(len(body)).encode())
    await send(
        {"type": "http.response.start", "status": status.value, "headers": [*headers, length]}
    )
    await send({"type": "http.response.body", "body": body})


def _check_request(scope: Scope) -> None:
    if scope["method"] != "POST":
        raise Problem(
            HTTPStatus.METHOD_NOT_ALLOWED, "method-not-allowed", "predictions are asked by POST"
        )
    media = _header(scope, b"content-type").partition(b";")[0].strip().lower()
    if media not in _READ_AS_JSON and not media.endswith(b"+json"):
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "unsupported-media-type",
            f"the body is sent as {media.decode('latin-1')[:60]}, and application/json is read",
            hint="curl -H 'content-type: application/json' …",
        )


async def _body(scope: Scope, receive: Receive, limit: int) -> bytes:
    """Return the body of a request; one that is too large is refused before it is read."""
    length = _header(scope, b"content-length")
    if length.isdigit() and int(length) > limit:
        raise _too_large(limit)
    parts = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Problem(HTTPStatus.BAD_REQUEST, "disconnected", "the client is gone")
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise _too_large(limit)
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


def _too_large(limit: int) -> Problem:
    return Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "body-too-large",
        f"the body is larger than {limit / 1e6:g} MB",
        hint="send fewer rows at a time, or score the file with brinery predict",
    )


def _header(scope: Scope, name: bytes) -> bytes:
    return next((value for key, value in scope["headers"] if key == name), b"")
