"""The application: scoring first, then everything that can afford a router."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Sequence
from http import HTTPStatus
from importlib.metadata import version

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from brinery.serve import openapi, paths
from brinery.serve.answered import Answered, Observer
from brinery.serve.bridge import Bridge
from brinery.serve.endpoint import Endpoint
from brinery.serve.inference_pages import PREFIX, InferencePages, refusal
from brinery.serve.manifest import Manifest, ManifestFile
from brinery.serve.metrics import REFRESH_S, Metrics
from brinery.serve.models import Models
from brinery.serve.page import Page
from brinery.serve.problems import Problem, unexpected
from brinery.serve.request_ids import HEADER, RequestIds
from brinery.serve.rsgi import Exchange, Scope
from brinery.serve.scoring import Scoring

_log = logging.getLogger("brinery.serve")

# How often a process looks whether something else is to be served.
_LOOK_S = 0.25


class Application:
    """Sends a prediction straight to its handler, and everything else to the router.

    Args:
        manifest: what is served at first.
        file: where it is replaced; None where it stays.
        metrics: count each answer.
        observers: are told of each answer, too.
    """

    def __init__(
        self,
        manifest: Manifest,
        *,
        file: ManifestFile | None = None,
        metrics: Metrics | None = None,
        observers: Sequence[Observer] = (),
    ) -> None:
        self._metrics = metrics or Metrics()
        self._observers: tuple[Observer, ...] = (self._metrics, *observers)
        self._request_ids = RequestIds()
        self._models = Models(manifest, on_batch=self._metrics.batch)
        self._scoring = Scoring(manifest, self._observers, self._request_ids)
        self._rest = Bridge(_rest(self._models, self._metrics))
        self._refreshing: asyncio.Task[None] | None = None
        self._file = file
        self._looking: asyncio.Task[None] | None = None

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to load what is served; the loop does not run yet."""
        self._models.start()
        if self._metrics.shared:
            self._refreshing = loop.create_task(self._refresh())
        if self._file is not None:
            self._looking = loop.create_task(self._look(self._file))

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let everything go; the loop runs no more."""
        loop.run_until_complete(self.close())

    def __rsgi__(self, scope: Scope, exchange: Exchange) -> Awaitable[None]:
        """Return what answers a request when it is awaited."""
        route = self._models.routes.get(scope.path)
        if route is None:
            return self._answer(scope, exchange)
        return self._scoring(route, scope, exchange)

    async def close(self) -> None:
        """End what is under way, once it is answered."""
        for task in (self._looking, self._refreshing):
            if task is not None:
                task.cancel()
        await self._models.close()
        for observer in self._observers:
            await asyncio.to_thread(observer.close)

    async def _answer(self, scope: Scope, exchange: Exchange) -> None:
        """Answer what no model is asked for."""
        began = time.perf_counter()
        request_id = self._request_ids.of(scope.headers)
        sent = await self._rest(scope, exchange, [(HEADER, request_id)])
        answered = Answered(
            request_id,
            scope.method,
            scope.path,
            paths.other(scope.path),
            "",
            sent.status,
            "",
            0,
            0,
            sent.n_bytes,
            time.perf_counter() - began,
            scope.client,
        )
        for observer in self._observers:
            observer(answered)

    async def _refresh(self) -> None:
        """Tell the processes beside this one how its models are, again and again."""
        while True:
            self._metrics.refresh(self._models)
            await asyncio.sleep(REFRESH_S)

    async def _look(self, file: ManifestFile) -> None:
        """Serve what the manifest says, as often as it is replaced."""
        while True:
            try:
                manifest = await asyncio.to_thread(file.changed)
                if manifest is not None:
                    self._models.apply(manifest)
            except (OSError, msgspec.MsgspecError):
                _log.exception("the manifest cannot be read; what is served stays")
            await asyncio.sleep(_LOOK_S)


def _rest(models: Models, metrics: Metrics) -> Starlette:
    page = Page()

    async def health(_: Request) -> Response:
        return _json({"status": "ok"})

    async def ready(_: Request) -> Response:
        return _readiness(models)

    async def model(request: Request) -> Response:
        slot = models.targets.get(request.path_params["name"])
        endpoint = None if slot is None else models.endpoint_of(slot)
        if slot is None or endpoint is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        return _json({**describe(endpoint), "fault": slot.fault})

    async def listed(_: Request) -> Response:
        return _json({"models": models.listed()})

    async def api(_: Request) -> Response:
        return _json(openapi.document(_first(models)))

    async def measured(request: Request) -> Response:
        metrics.refresh(models)
        accept = request.headers.get("accept", "")
        content, media = await asyncio.to_thread(metrics.text, accept)
        return Response(content, headers={"content-type": media})

    async def root(_: Request) -> Response:
        return RedirectResponse("/docs")

    rest = Starlette(
        routes=[
            Route("/", root),
            Route("/health", health),
            Route("/ping", health),
            Route("/ready", ready),
            Route("/metrics", measured),
            Route("/v1/models", listed),
            Route("/v1/models/{name}", model),
            Route("/openapi.json", api),
            Route("/docs", page.document),
            Route("/docs/assets/{path:path}", page.file),
            *InferencePages(models, version=version("brinery")).routes(),
        ],
        exception_handlers={HTTPException: _refused, Exception: _failed},
    )
    rest.router.redirect_slashes = False  # it would send to whatever host the request names
    return rest


def _first(models: Models) -> Endpoint:
    for slot in models.targets.values():
        endpoint = models.endpoint_of(slot)
        if endpoint is not None:
            return endpoint
    raise HTTPException(HTTPStatus.NOT_FOUND)


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
