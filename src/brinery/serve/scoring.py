"""The path of a prediction, from body to answer, without a router in between."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from http import HTTPStatus

from brinery.serve import body, public_api, service_keys
from brinery.serve.answered import Answered, Observer
from brinery.serve.asked import Asked
from brinery.serve.manifest import Manifest
from brinery.serve.models import Route
from brinery.serve.negotiation import JSON, Terms
from brinery.serve.open_inference import error_of
from brinery.serve.problems import Problem, unexpected
from brinery.serve.request_ids import HEADER, RequestIds
from brinery.serve.rsgi import Exchange, Headers, Scope
from brinery.serve.served import Protocol
from brinery.serve.share import Share

# What is larger is worked on beside the loop, which has others to answer.
_INLINE_BYTES = 100_000
_INLINE_ROWS = 1000
_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]{0,9})?")


class Scoring:
    """Answers the requests of all models.

    Args:
        manifest: its limits on bodies.
        observers: are told of each answer.
        request_ids: name the requests.
    """

    def __init__(
        self, manifest: Manifest, observers: Sequence[Observer], request_ids: RequestIds
    ) -> None:
        self._max_body_bytes = manifest.max_body_bytes
        self._patience = body.Patience(manifest.body_timeout_s)
        self._observers = observers
        self._request_ids = request_ids

    async def __call__(self, route: Route, scope: Scope, exchange: Exchange, *, path: str) -> None:
        """Answer a request for one of the routes, by its path."""
        began = time.perf_counter()
        headers = scope.headers
        request_id = self._request_ids.of(headers)
        reference = code = ""
        n_rows = n_bytes = 0
        status = 200
        content: bytes | None = None
        try:
            _check_method(scope)
            if route.public is not None:
                service_keys.check(route.public.keys, headers)
            content = await body.read(
                headers, exchange, limit=self._max_body_bytes, patience=self._patience
            )
            n_bytes = len(content)
            served = route.slot.current or await route.slot.served()
            served.users += 1
            served.used = began
            try:
                reference = served.reference
                terms = (route.forms or served.families[route.protocol]).terms(headers)
                small = terms.decode is None and n_bytes <= _INLINE_BYTES and not terms.vast
                asked = terms.read(content) if small else await self._read(terms, content)
                n_rows = asked.batch.n_rows
                said = headers.get("request-timeout", "")
                job = served.answerer.score(
                    asked.batch,
                    exchange=exchange,
                    timeout_s=_timeout_s(said) if said else None,
                    at_once=not self._patience.busy,
                )
                share = job.share or await job
                if asked.explain is not None:
                    asked.explained = await served.explaining(
                        asked.explain, asked.batch, share.scores
                    )
                few = n_rows <= _INLINE_ROWS
                answer = terms.write(asked, share) if few else await _written(terms, asked, share)
                answer_headers = [*terms.headers, (HEADER, request_id)]
            finally:
                served.leave()
        except Exception as error:  # noqa: BLE001 - a fault is logged under an id; it is answered
            problem = error if isinstance(error, Problem) else unexpected()
            if content is None:
                await body.drain(headers, exchange)
            status, code = problem.status.value, problem.code
            answer, answer_headers = refused(problem, route)
            answer_headers.append((HEADER, request_id))
            if reference:
                answer_headers.append(("x-model-version", reference))
        exchange.response_bytes(status, answer_headers, answer)
        answered = Answered(
            request_id,
            scope,
            path,
            "",
            reference or route.slot.wanted[0],
            status,
            code,
            n_rows,
            n_bytes,
            len(answer),
            time.perf_counter() - began,
        )
        for observer in self._observers:
            observer(answered)

    async def _read(self, terms: Terms, content: bytes) -> Asked:
        """Return what a large or compressed body asks, found out beside the loop."""

        def read() -> Asked:
            decode, limit = terms.decode, self._max_body_bytes
            return terms.read(content if decode is None else decode(content, limit))

        return await asyncio.to_thread(read)


async def _written(terms: Terms, asked: Asked, share: Share) -> bytes:
    return await asyncio.to_thread(terms.write, asked, share)


def refused(problem: Problem, route: Route) -> tuple[bytes, Headers]:
    """Return the body and the headers of a refusal, as those who ask on a route have it."""
    headers = problem.headers()
    if route.public is not None:
        return public_api.error_of(problem), headers
    if route.protocol is Protocol.OPEN:
        return error_of(problem), [
            *(h for h in headers if h[0] != "content-type"),
            ("content-type", JSON),
        ]
    return problem.body(), headers


def _timeout_s(said: str) -> float:
    """Return how long a client says that it waits, in seconds.

    Raises:
        Problem: 400 where that is no time.
    """
    timeout_s = float(said) if _SECONDS.fullmatch(said) else 0.0
    if not timeout_s:
        raise Problem(
            HTTPStatus.BAD_REQUEST,
            "malformed-timeout",
            "the header request-timeout takes seconds, as in 0.5",
        )
    return timeout_s


def _check_method(scope: Scope) -> None:
    if scope.method != "POST":
        raise Problem(
            HTTPStatus.METHOD_NOT_ALLOWED,
            "method-not-allowed",
            "predictions are asked by POST",
            headers={"allow": "POST"},
        )
