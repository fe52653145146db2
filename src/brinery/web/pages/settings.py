"""Settings: where everything is, what holds models back, and what all of it stands on."""

from __future__ import annotations

import threading
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from brinery.actions import doctor, keys
from brinery.actions.rooms import Rooms
from brinery.records.diagnosis import Diagnosis
from brinery.serve.door import COOKIE
from brinery.specs.places import shown
from brinery.web.pages.frame import Crumb, Frame

_CRUMBS: Final = (Crumb(title="Settings", href="/settings"),)


def routes(rooms: Rooms, frame: Frame, *, key_file: str = "") -> list[Route]:
    """Return the routes of the settings."""
    pages = SettingsPages(rooms, frame, key_file=key_file)
    return [
        Route("/settings", pages.page),
        Route("/settings/sandbox", pages.sandbox),
        Route("/settings/environments", pages.environments),
    ]


class SettingsPages:
    """Answers for the settings.

    What takes seconds (the sandbox is tried, environments are measured) is asked for by itself.

    Args:
        rooms: of the workspace.
        frame: of all pages.
        key_file: path of a file with keys; empty where there is none.
    """

    def __init__(self, rooms: Rooms, frame: Frame, *, key_file: str) -> None:
        self._rooms = rooms
        self._frame = frame
        self._key_file = key_file
        self._lock = threading.Lock()
        self._found: Diagnosis | None = None

    def page(self, request: Request) -> Response:
        """Return the page."""
        places = self._rooms.places
        settings = self._rooms.settings
        return self._frame.page(
            request,
            "settings.html",
            title="Settings",
            section="settings",
            command="brinery doctor",
            places=[
                ("Workspace", str(self._rooms.workspace.root), "brinery --workspace PATH"),
                ("Models and runs", places.shown, "store.uri in brinery.toml"),
                ("Records", shown(places.database_uri), "store.uri in brinery.toml"),
                ("Files of models", places.artifacts, "store.artifacts in brinery.toml"),
            ],
            libraries=doctor.libraries(),
            keys=keys.keys(workspace=self._rooms.workspace.root),
            key_file=self._key_file,
            logged_in=COOKIE in request.cookies,
            limits=[
                ("Memory of a model", f"{settings.sandbox.memory_gb:g} GB", "sandbox.memory_gb"),
                ("Written at a time", f"{settings.sandbox.scratch_gb:g} GB", "sandbox.scratch_gb"),
                ("Time to answer", f"{settings.model.timeout_s:g} s", "model.timeout_s"),
                (
                    "Without a whole sandbox",
                    "refused" if settings.sandbox.require_sandbox else "loaded, and said",
                    "sandbox.require_sandbox",
                ),
            ],
        )

    def sandbox(self, request: Request) -> Response:
        """Return what holds a model back, tried once for this server; again where that is asked."""
        with self._lock:
            if self._found is None or "again" in request.query_params:
                self._found = doctor.doctor_in(self._rooms)
        return self._frame.page(
            request,
            "settings_sandbox.html",
            title="Sandbox",
            section="settings",
            command="brinery doctor",
            crumbs=_CRUMBS,
            found=self._found,
        )

    def environments(self, request: Request) -> Response:
        """Return the environments that were built for models, and what they take."""
        built = doctor.built_environments(self._rooms)
        return self._frame.page(
            request,
            "settings_environments.html",
            title="Environments",
            section="settings",
            command="brinery import MODEL --environment auto --name NAME --data FILE",
            crumbs=_CRUMBS,
            built=built,
            total_bytes=sum(one.size_bytes for one in built),
        )
