"""The path of a prediction, from body to answer, without a router in between."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
import uuid
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import NamedTuple

from brinery.records.scores import Scores
from brinery.serve import body
from brinery.serve.asked import Asked
from brinery.serve.manifest import Manifest
from brinery.serve.models import Route
from brinery.serve.negotiation import JSON, Terms
from brinery.serve.open_inference import error_of
from brinery.serve.problems import Problem
from brinery.serve.rsgi import Exchange, Headers, RequestHeaders, Scope
from brinery.serve.served import Protocol

_log = logging.getLogger("brinery.serve")

# What is larger is worked on beside the loop, which has others to answer.
_INLINE_BYTES = 100_000
_INLINE_ROWS = 1000

_LONGEST_ID = 128


class Answered(NamedTuple):
    """A request that was answered, for those who count and those who write it down.

    Attributes:
        id: of the request.
        path: that was asked.
        model: and its version, as in bank@1; empty where none answered.
        status: of the answer.
        code: of the problem; empty where there was none.
        n_rows: that were scored.
        n_bytes: of the body.
        time_s: from the first byte of the body to the answer.
        client: its address.
    """

    id: str
    path: str
    model: str
    status: int
    code: str
    n_rows: int
    n_bytes: int
    time_s: float
    client: str


Observer = Callable[[Answered], None]


class Scoring:
    """Answers the requests of all models.

    Args:
        manifest: its limits on bodies.
        observers: are told of each answer.
    """

    def __init__(self, manifest: Manifest, observers: Sequence[Observer] = ()) -> None:
        self._max_body_bytes = manifest.max_body_bytes
        self._patience = body.Patience(manifest.body_timeout_s)
        self._observers = observers
        self._count = itertools.count(1)
        self._process = uuid.uuid4().hex[:8]

    async def __call__(self, route: Route, scope: Scope, exchange: Exchange) -> None:
        """Answer a request for one of the routes."""
        began = time.perf_counter()
        headers = scope.headers
        request_id = headers.get("x-request-id", "")
        if not request_id or not _plain(request_id):
            request_id = f"{self._process}-{next(self._count)}"
        reference = code = ""
        n_rows = n_bytes = 0
        status = 200
        content: bytes | None = None
        try:
            _check_method(scope)
            content = await body.read(
                headers, exchange, limit=self._max_body_bytes, patience=self._patience
            )
            n_bytes = len(content)
            with route.slot.current or await route.slot.served() as served:
                reference = served.endpoint.version.reference
                terms = served.families[route.protocol].terms(headers)
                asked = await self._asked(terms, content)
                n_rows = asked.batch.n_rows
                scores = await served.answerer.score(
                    asked.batch, exchange=exchange, timeout_s=_timeout_s(headers)
                )
                answer = await _written(terms, asked, scores)
                answer_headers = [*terms.headers, ("x-request-id", request_id)]
        except Exception as error:  # noqa: BLE001 - a fault is logged under an id; it is answered
            problem = error if isinstance(error, Problem) else unexpected()
            if content is None:
                await body.drain(headers, exchange)
            status, code = problem.status.value, problem.code
            answer, answer_headers = refused(problem, route.protocol)
            answer_headers.append(("x-request-id", request_id))
            if reference:
                answer_headers.append(("x-model-version", reference))
        exchange.response_bytes(status, answer_headers, answer)
        if self._observers:
            self._tell(
                Answered(
                    request_id,
                    scope.path,
                    reference,
                    status,
                    code,
                    n_rows,
                    n_bytes,
                    time.perf_counter() - began,
                    scope.client,
                )
            )

    async def _asked(self, terms: Terms, content: bytes) -> Asked:
        if terms.decode is None and len(content) <= _INLINE_BYTES and not terms.vast:
            return terms.read(content)
        return await asyncio.to_thread(self._read, terms, content)

    def _read(self, terms: Terms, content: bytes) -> Asked:
        if terms.decode is not None:
            content = terms.decode(content, self._max_body_bytes)
        return terms.read(content)

    def _tell(self, answered: Answered) -> None:
        for observer in self._observers:
            observer(answered)


async def _written(terms: Terms, asked: Asked, scores: Scores) -> bytes:
    if asked.batch.n_rows <= _INLINE_ROWS:
        return terms.write(asked, scores)
    return await asyncio.to_thread(terms.write, asked, scores)


def refused(problem: Problem, protocol: Protocol) -> tuple[bytes, Headers]:
    """Return the body and the headers of a refusal, as those who speak a protocol have it."""
    headers = problem.headers()
    if protocol is Protocol.OPEN:
        return error_of(problem), [
            *(h for h in headers if h[0] != "content-type"),
            ("content-type", JSON),
        ]
    return problem.body(), headers


def unexpected() -> Problem:
    """Return the problem of a fault of ours, which is logged under the id it names."""
    fault = uuid.uuid4().hex[:12]
    _log.exception("fault %s", fault)
    return Problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "fault",
        f"a fault of the server, logged under {fault}",
    )


def _timeout_s(headers: RequestHeaders) -> float | None:
    """Return how long a client says that it waits, in seconds; None where it does not say.

    Raises:
        Problem: 400 where that is no time.
    """
    said = headers.get("request-timeout", "")
    if not said:
        return None
    try:
        timeout_s = float(said)
    except ValueError:
        timeout_s = -1.0
    if not 0 < timeout_s < float("inf"):
        raise Problem(
            HTTPStatus.BAD_REQUEST,
            "malformed-timeout",
            "the header request-timeout takes seconds, as in 0.5",
        )
    return timeout_s


def _plain(text: str) -> bool:
    return len(text) <= _LONGEST_ID and text.isascii() and text.isprintable()


def _check_method(scope: Scope) -> None:
    if scope.method != "POST":
        raise Problem(
            HTTPStatus.METHOD_NOT_ALLOWED,
            "method-not-allowed",
            "predictions are asked by POST",
            headers={"allow": "POST"},
        )
