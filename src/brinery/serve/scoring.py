"""The path of a prediction, from body to answer, without a router in between."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

from starlette.types import Receive, Scope, Send

from brinery.records.scores import Scores
from brinery.serve import answers
from brinery.serve.answerer import Answerer
from brinery.serve.batch import Batch
from brinery.serve.body import Body, header
from brinery.serve.endpoint import Endpoint
from brinery.serve.invocations import InvocationsReader
from brinery.serve.problems import Problem
from brinery.serve.rows import RowsReader
from brinery.specs.settings import UnknownCategories

_log = logging.getLogger("brinery.serve")
_JSON = [(b"content-type", b"application/json")]

# What curl sends when it is told nothing is read as JSON too.
_READ_AS_JSON = ("", "application/json", "application/x-www-form-urlencoded")
_CHARSETS = ("utf-8", "utf8", "us-ascii")
_CODINGS = ("", "identity")

# What is larger is worked on beside the loop, which has others to answer.
_INLINE_BYTES = 100_000
_INLINE_ROWS = 1000

_SHOWN = 60

Handler = Callable[[bytes], Awaitable[bytes]]


class Scoring:
    """The two prediction routes of one endpoint.

    Args:
        endpoint: what is served.
        answerer: of its model.
    """

    def __init__(self, endpoint: Endpoint, answerer: Answerer) -> None:
        self._endpoint = endpoint
        self._answerer = answerer
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
        body = Body(scope, receive)
        try:
            _check_request(scope)
            content = await body.read(self._endpoint.max_body_bytes)
            answer = await self.routes[scope["path"]](content)
        except Problem as problem:
            await body.drain()
            await _respond(send, problem.status, headers=problem.headers(), body=problem.body())
        except Exception:  # noqa: BLE001 - logged under an id; the connection gets an answer
            fault = unexpected()
            await _respond(send, fault.status, headers=fault.headers(), body=fault.body())
        else:
            await _respond(send, HTTPStatus.OK, headers=_JSON, body=answer)

    async def _own(self, body: bytes) -> bytes:
        scores = await self._scores(self._rows.batch, body)
        if len(scores) <= _INLINE_ROWS:
            return answers.own(self._endpoint, scores)
        return await asyncio.to_thread(answers.own, self._endpoint, scores)

    async def _mlflow(self, body: bytes) -> bytes:
        return answers.mlflow(await self._scores(self._invocations.batch, body))

    async def _scores(self, read: Callable[[bytes], Batch], body: bytes) -> Scores:
        inline = len(body) <= _INLINE_BYTES
        batch = read(body) if inline else await asyncio.to_thread(read, body)
        return await self._answerer.score(batch)


def unexpected() -> Problem:
    """Return the problem of a fault of ours, which is logged under the id it names."""
    fault = uuid.uuid4().hex[:12]
    _log.exception("fault %s", fault)
    return Problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "fault",
        f"a fault of the server, logged under {fault}",
    )


async def _respond(
    send: Send, status: HTTPStatus, *, headers: list[tuple[bytes, bytes]], body: bytes
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
            HTTPStatus.METHOD_NOT_ALLOWED,
            "method-not-allowed",
            "predictions are asked by POST",
            headers={"allow": "POST"},
        )
    media, _, parameters = header(scope, b"content-type").decode("latin-1").partition(";")
    media = media.strip().lower()
    if media not in _READ_AS_JSON and not media.endswith("+json"):
        raise _unsupported(
            f"the body is sent as {media[:_SHOWN]}, and application/json is read",
            "curl -H 'content-type: application/json' …",
        )
    charset = _charset(parameters)
    if charset not in _CHARSETS:
        raise _unsupported(
            f"the body is sent in {charset[:_SHOWN]}, and utf-8 is read", "encode it as utf-8"
        )
    coding = header(scope, b"content-encoding").decode("latin-1").strip().lower()
    if coding not in _CODINGS:
        raise _unsupported(
            f"the body is compressed with {coding[:_SHOWN]}, and only plain bodies are read",
            "send it without content-encoding",
            {"accept-encoding": "identity"},
        )


def _charset(parameters: str) -> str:
    """Return the charset among the parameters of a media type."""
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"').lower()
    return "utf-8"


def _unsupported(detail: str, hint: str, headers: Mapping[str, str] | None = None) -> Problem:
    return Problem(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "unsupported-media-type",
        detail,
        hint=hint,
        headers=headers,
    )
