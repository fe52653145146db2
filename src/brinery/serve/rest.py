"""Everything but predictions: what is served, how it is, the documents and the page.

It is asked seldom, and can afford a router.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from importlib.metadata import version

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from brinery.serve import openapi, openapi_models
from brinery.serve.endpoint import Endpoint
from brinery.serve.inference_pages import PREFIX, InferencePages, refusal
from brinery.serve.metrics import Metrics
from brinery.serve.models import Models
from brinery.serve.page import Page
from brinery.serve.problems import Problem, unexpected


def rest(models: Models, metrics: Metrics, *, home: bool = False) -> Starlette:
    """Return the application that answers all other paths.

    Args:
        models: what is served.
        metrics: of the server.
        home: whether a companion answers with pages, and MLflow's, beside the models.
    """
    page = Page()
    pages = Pages(models, metrics, page=page)
    made = Starlette(
        routes=[
            *([] if home else [Route("/", pages.root)]),
            *([Route("/mlflow", pages.mlflow)] if home else []),
            Route("/health", pages.health),
            Route("/ping", pages.health),
            Route("/ready", pages.ready),
            Route("/metrics", pages.metrics),
            Route("/v1/models", pages.models),
            Route("/v1/models/{name}", pages.model),
            Route("/v1/models/{name}/openapi.json", pages.openapi_of),
            Route("/openapi.json", pages.openapi),
            Route("/docs", pages.docs),
            Route("/docs/{name}", pages.docs_of),
            Route("/docs/assets/{path:path}", page.file),
            *InferencePages(models, version=version("brinery")).routes(),
        ],
        exception_handlers={HTTPException: _refused, Exception: _failed},
    )
    made.router.redirect_slashes = False  # it would send to whatever host the request names
    return made


class Pages:
    """The answers, each under its path.

    Args:
        models: what is served.
        metrics: of the server.
        page: for people.
    """

    def __init__(self, models: Models, metrics: Metrics, *, page: Page) -> None:
        self._models = models
        self._metrics = metrics
        self._page = page

    async def root(self, _: Request) -> Response:
        """Send to the page."""
        return RedirectResponse("/docs")

    async def mlflow(self, _: Request) -> Response:
        """Send to MLflow's own page, whose files lie beside it."""
        return RedirectResponse("/mlflow/")

    async def health(self, _: Request) -> Response:
        """Say that the server runs."""
        return _json({"status": "ok"})

    async def ready(self, _: Request) -> Response:
        """Say whether every model that is loaded can answer."""
        return _readiness(self._models)

    async def metrics(self, request: Request) -> Response:
        """Return what was counted."""
        self._metrics.refresh(self._models)
        accept = request.headers.get("accept", "")
        content, media = await asyncio.to_thread(self._metrics.text, accept)
        return Response(content, headers={"content-type": media})

    async def models(self, _: Request) -> Response:
        """Return what there is."""
        return _json({"models": self._models.listed()})

    async def model(self, request: Request) -> Response:
        """Return what is known of the version that answers for a model."""
        slot = self._models.targets.get(request.path_params["name"])
        return _json({**describe(self._endpoint(request)), "fault": slot.fault if slot else None})

    async def openapi(self, _: Request) -> Response:
        """Return the document of all models."""
        return _json(openapi_models.document(_endpoints(self._models)))

    async def openapi_of(self, request: Request) -> Response:
        """Return the document of a model."""
        alone = self._models.single is not None
        return _json(openapi.document(self._endpoint(request), alone=alone))

    async def docs(self, request: Request) -> Response:
        """Return the page, or send to that of the first of several models."""
        if self._models.single is not None:
            return await self._page.document(request)
        return RedirectResponse(f"/docs/{_endpoints(self._models)[0].version.name}")

    async def docs_of(self, request: Request) -> Response:
        """Return the page of a model."""
        self._endpoint(request)
        return await self._page.document(request)

    def _endpoint(self, request: Request) -> Endpoint:
        """Return how the model of a path is served.

        Raises:
            HTTPException: 404 where there is none.
        """
        slot = self._models.targets.get(request.path_params["name"])
        endpoint = None if slot is None else self._models.endpoint_of(slot)
        if endpoint is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        return endpoint


def _endpoints(models: Models) -> list[Endpoint]:
    """Return how the models are served that can be.

    Raises:
        HTTPException: 404 where none can.
    """
    found = [models.endpoint_of(slot) for slot in models.targets.values()]
    endpoints = [endpoint for endpoint in found if endpoint is not None]
    if not endpoints:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return endpoints


def _readiness(models: Models) -> Response:
    """Return whether every model that is loaded can answer."""
    shown = []
    for slot in models.targets.values():
        served = slot.current
        if served is None:
            continue
        if not served.answerer.ready:
            served.answerer.load_soon()
            detail = served.answerer.fault or "the model is being loaded"
            return _problem(
                Problem(
                    HTTPStatus.SERVICE_UNAVAILABLE,
                    "not-ready",
                    detail if models.single else f"{served.endpoint.version.reference}: {detail}",
                    retry_after_s=1,
                )
            )
        shown.append({"model": served.key[0], "version": served.key[1]})
    single = shown[0] if models.single and shown else {"models": shown}
    return _json({"status": "ready", **single})


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
    return Response(problem.body(), status_code=problem.status, headers=dict(problem.headers()))


async def _refused(request: Request, error: Exception) -> Response:
    refused = error if isinstance(error, HTTPException) else HTTPException(500)
    status = HTTPStatus(refused.status_code)
    problem = Problem(
        status,
        status.phrase.lower().replace(" ", "-"),
        status.description,
        hint="/docs lists what there is",
        headers=refused.headers,
    )
    return refusal(problem) if request.url.path.startswith(f"{PREFIX}/") else _problem(problem)


async def _failed(_: Request, __: Exception) -> Response:
    return _problem(unexpected())
