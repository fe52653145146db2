"""The REST API: models, versions, their history, and what moves a champion."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from brinery.actions import history
from brinery.actions.promote import PromoteAsked, promote_in
from brinery.actions.report import kept_report
from brinery.actions.rollback import rollback_in
from brinery.actions.rooms import Rooms
from brinery.errors import BrineryError, InvalidGate
from brinery.records.version import Alias, Promotion, Stage, Version
from brinery.registry.interface import resolve
from brinery.serve.problems import Problem
from brinery.specs.reference import LATEST, Reference
from brinery.web import bodies, document, views
from brinery.web.problems import on_error, on_http, on_problem

PREFIX = "/api/v1"

# A report is a program of ours about data of others: it may run, and reach nothing.
_SANDBOXED = (
    "sandbox allow-scripts allow-popups; default-src 'none'; img-src data:; font-src data:; "
    "style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'"
)


def application(rooms: Rooms) -> Starlette:
    """Return the application that answers under `/api/v1`.

    Args:
        rooms: of the workspace.
    """
    pages = Pages(rooms)
    made = Starlette(
        routes=[
            Route(f"{PREFIX}{path}", handler, methods=[method])
            for method, path, handler in (
                ("GET", "", pages.root),
                ("GET", "/openapi.json", pages.openapi),
                ("GET", "/models", pages.models),
                ("GET", "/models/{name}", pages.model),
                ("GET", "/models/{name}/versions", pages.versions),
                ("GET", "/models/{name}/versions/{number:int}", pages.version),
                ("GET", "/models/{name}/versions/{number:int}/report", pages.report),
                ("GET", "/models/{name}/champion", pages.champion),
                ("GET", "/models/{name}/history", pages.history),
                ("GET", "/models/{name}/decisions", pages.decisions),
                ("POST", "/models/{name}/promote", pages.promote),
                ("POST", "/models/{name}/rollback", pages.rollback),
            )
        ],
        exception_handlers={
            BrineryError: on_error,
            Problem: on_problem,
            HTTPException: on_http,
            Exception: on_error,
        },
    )
    made.router.redirect_slashes = False
    return made


class Pages:
    """The answers, each under its path; what asks the registry runs in a thread.

    Args:
        rooms: of the workspace.
    """

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    def root(self, _: Request) -> Response:
        """Say what there is."""
        return _json({"models": f"{PREFIX}/models", "openapi": f"{PREFIX}/openapi.json"})

    def openapi(self, _: Request) -> Response:
        """Return the document of this API."""
        return _json(document.document())

    def models(self, _: Request) -> Response:
        """Return every model."""
        registry = self._rooms.registry
        stages = _stages(self._rooms)
        return _json(
            {
                "models": [
                    views.of_model(name, versions, production=stages(name))
                    for name in registry.names()
                    if (versions := registry.versions(name))
                ]
            }
        )

    def model(self, request: Request) -> Response:
        """Return a model."""
        name, versions = self._versions(request)
        return _json(views.of_model(name, versions, production=_stages(self._rooms)(name)))

    def versions(self, request: Request) -> Response:
        """Return its versions, newest first."""
        name, versions = self._versions(request)
        stages = _stages(self._rooms)(name)
        return _json({"versions": [views.of_version(one, stages) for one in versions]})

    def version(self, request: Request) -> Response:
        """Return a version."""
        return self._told(self._version(request))

    def champion(self, request: Request) -> Response:
        """Return the version that is the champion."""
        name = request.path_params["name"]
        reference = Reference(name, alias=Alias.CHAMPION.value)
        return self._told(resolve(self._rooms.registry, reference))

    def report(self, request: Request) -> Response:
        """Return the page of what was found out about a version."""
        path: Path = kept_report(self._rooms, self._version(request))
        headers = {"content-security-policy": _SANDBOXED, "x-content-type-options": "nosniff"}
        return FileResponse(path, media_type="text/html", headers=headers)

    def history(self, request: Request) -> Response:
        """Return what became of a model's aliases, oldest first."""
        name, _ = self._versions(request)
        return _json({"history": history.history_in(self._rooms, name)})

    def decisions(self, request: Request) -> Response:
        """Return what gates decided on a model's versions, oldest first."""
        name, _ = self._versions(request)
        return _json({"decisions": self._rooms.decisions.kept(name)})

    async def promote(self, request: Request) -> Response:
        """Give an alias to a version, the champion's if the gate passes it."""
        body = await bodies.read(request, bodies.PromoteBody)
        _check_gate(body.gate)
        name = request.path_params["name"]
        asked = PromoteAsked(
            reference=f"{name}@{LATEST if body.version is None else body.version}",
            alias=Alias(body.alias),
            gate=body.gate,
            force=body.force,
            why=body.why,
        )
        return _json(_promotion(await run_in_threadpool(promote_in, self._rooms, asked)))

    async def rollback(self, request: Request) -> Response:
        """Give the champion's place back to a version that had it."""
        body = await bodies.read(request, bodies.RollbackBody)
        name = request.path_params["name"]
        done = await run_in_threadpool(rollback_in, self._rooms, name, to=body.to, why=body.why)
        return _json(_promotion(done))

    def _versions(self, request: Request) -> tuple[str, list[Version]]:
        """Return the name of a path, and the versions of that model, newest first.

        Raises:
            NotFound: there is no such model.
        """
        name = request.path_params["name"]
        resolve(self._rooms.registry, Reference(name))
        return name, self._rooms.registry.versions(name)

    def _version(self, request: Request) -> Version:
        """Return the version of a path.

        Raises:
            NotFound: there is none.
        """
        reference = Reference(request.path_params["name"], version=request.path_params["number"])
        return resolve(self._rooms.registry, reference)

    def _told(self, version: Version) -> Response:
        return _json(views.of_version(version, _stages(self._rooms)(version.name)))


def _stages(rooms: Rooms) -> Callable[[str], dict[int, str]]:
    """Return what gives the versions of a model that MLflow's clients know as `Production`."""
    standings = rooms.registry.standings()

    def of(name: str) -> dict[int, str]:
        standing = standings.get(name)
        numbers = () if standing is None else standing.production
        return dict.fromkeys(numbers, Stage.PRODUCTION.value)

    return of


def _check_gate(gate: str | None) -> None:
    """Check that a gate is one by name: a file of the server is not read for who asks over HTTP.

    Raises:
        InvalidGate: it is a path.
    """
    if gate is not None and not gate.replace("-", "").replace("_", "").isalnum():
        raise InvalidGate(f"'{gate[:100]}' is no name of a gate", hint="brinery gate show")


def _promotion(done: Promotion) -> views.Document:
    return {
        "reference": done.version.reference,
        "alias": done.alias,
        "previous": done.previous,
        "changed": done.changed,
        "forced": done.forced,
        "decision": done.decision,
    }


def _json(value: object) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")
