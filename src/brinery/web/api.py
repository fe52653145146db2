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

from brinery.actions import promote
from brinery.actions.report import kept_report
from brinery.actions.rooms import Rooms
from brinery.errors import BrineryError
from brinery.records.version import Alias, Stage, Version
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
                ("POST", "/models/{name}/promote", pages.promote),
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
                    views.of_model(name, versions, stages(name))
                    for name in registry.names()
                    if (versions := registry.versions(name))
                ]
            }
        )

    def model(self, request: Request) -> Response:
        """Return a model."""
        name, versions = self._versions(request)
        return _json(views.of_model(name, versions, _stages(self._rooms)(name)))

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
        """Return what was done to a model, oldest first."""
        name, _ = self._versions(request)
        return _json({"history": self._rooms.audit.entries(name)})

    async def promote(self, request: Request) -> Response:
        """Give an alias to a version."""
        asked = await bodies.read(request, bodies.PromoteBody)
        name = request.path_params["name"]
        reference = (
            Reference(name, alias=LATEST)
            if asked.version is None
            else Reference(name, version=asked.version)
        )
        done = await run_in_threadpool(
            promote.promote_in, self._rooms, reference, alias=asked.alias, why=asked.why
        )
        return _json(
            {
                "reference": done.version.reference,
                "alias": done.alias,
                "previous": done.previous,
                "changed": done.changed,
            }
        )

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


def _json(value: object) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")
