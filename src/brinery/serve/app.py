"""The application: scoring first, then everything that can afford a router."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from brinery.serve import openapi
from brinery.serve.answerer import Answerer
from brinery.serve.endpoint import Endpoint
from brinery.serve.page import Page
from brinery.serve.problems import Problem
from brinery.serve.scoring import Scoring, unexpected


def create_app(endpoint: Endpoint) -> ASGIApp:
    """Return the ASGI application of an endpoint; its model begins to load at start-up."""
    answerer = Answerer(endpoint)
    return Application(Scoring(endpoint, answerer), _rest(endpoint, answerer))


class Application:
    """Sends a prediction straight to its handler, and everything else to the router."""

    def __init__(self, scoring: Scoring, rest: Starlette) -> None:
        self._scoring = scoring
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "http" and scope["path"] in self._scoring.routes:
            await self._scoring(scope, receive, send)
        else:
            await self._rest(scope, receive, send)


def _rest(endpoint: Endpoint, answerer: Answerer) -> Starlette:
    version, page = endpoint.version, Page()
    document = msgspec.json.encode(openapi.document(endpoint))
    description = msgspec.json.encode(describe(endpoint))

    async def health(_: Request) -> Response:
        return _json({"status": "ok"})

    async def ready(_: Request) -> Response:
        if answerer.ready:
            return _json({"status": "ready", "model": version.name, "version": version.number})
        answerer.load_soon()
        problem = Problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "not-ready",
            answerer.fault or "the model is being loaded",
            retry_after_s=1,
        )
        return _problem(problem)

    async def model(_: Request) -> Response:
        return Response(description, media_type="application/json")

    async def api(_: Request) -> Response:
        return Response(document, media_type="application/json")

    async def root(_: Request) -> Response:
        return RedirectResponse("/docs")

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        answerer.load_soon()
        try:
            yield
        finally:
            await answerer.close()

    rest = Starlette(
        routes=[
            Route("/", root),
            Route("/health", health),
            Route("/ping", health),
            Route("/ready", ready),
            Route(f"/v1/models/{version.name}", model),
            Route("/openapi.json", api),
            Route("/docs", page.document),
            Route("/docs/assets/{path:path}", page.file),
        ],
        lifespan=lifespan,
        exception_handlers={HTTPException: _refused, Exception: _failed},
    )
    rest.router.redirect_slashes = False  # it would send to whatever host the request names
    return rest


def describe(endpoint: Endpoint) -> dict[str, object]:
    """Return what `/v1/models/{name}` says of a version."""
    version, candidate = endpoint.version, endpoint.candidate
    evaluation = candidate.evaluation
    return {
        "name": version.name,
        "version": version.number,
        "aliases": version.aliases,
        "stage": version.stage,
        "type": candidate.description.type,
        "model": candidate.description.outline,
        "classes": candidate.description.classes,
        "metrics": evaluation.metrics if evaluation else {},
        "signature": candidate.signature,
        "data": candidate.data,
        "environment": candidate.environment,
        "sha256": candidate.origin.sha256,
        "created": version.created,
    }


def _json(value: object) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")


def _problem(problem: Problem) -> Response:
    headers = {key.decode(): value.decode() for key, value in problem.headers()}
    return Response(problem.body(), status_code=problem.status, headers=headers)


async def _refused(_: Request, error: Exception) -> Response:
    refused = error if isinstance(error, HTTPException) else HTTPException(500)
    status = HTTPStatus(refused.status_code)
    return _problem(
        Problem(
            status,
            status.phrase.lower().replace(" ", "-"),
            status.description,
            hint="/docs lists what there is",
            headers=refused.headers,
        )
    )


async def _failed(_: Request, __: Exception) -> Response:
    return _problem(unexpected())
