"""A managed folder: its files, what is in them, and where it is used."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path, PurePosixPath

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from brinery.actions.data_details import (
    folder_file,
    folder_preview,
    project_rooms_in,
    uses_of,
)
from brinery.actions.folders import folder, uri_of
from brinery.actions.project_rooms import ProjectRooms
from brinery.actions.rooms import Rooms
from brinery.records.flow import ItemKind
from brinery.web.pages.datasets import CRUMBS
from brinery.web.pages.files import sent, streamed
from brinery.web.pages.flow import SECTION
from brinery.web.pages.frame import Frame
from brinery.web.pages.step import crumbs
from brinery.web.pages.tokens import url


def routes(rooms: Rooms, frame: Frame) -> list[Route]:
    """Return the routes of folders."""
    pages = FolderPages(rooms, frame)
    return [
        Route("/folders/{id}", pages.page),
        Route("/folders/{id}/file", pages.file),
    ]


class FolderPages:
    """Answers for managed folders.

    Args:
        rooms: of the workspace.
        frame: of all pages.
    """

    def __init__(self, rooms: Rooms, frame: Frame) -> None:
        self._workspace = rooms
        self._frame = frame

    @cached_property
    def _rooms(self) -> ProjectRooms:
        return project_rooms_in(self._workspace)

    def page(self, request: Request) -> Response:
        """Return the page of a folder, of one within it, or of a file."""
        found = folder(self._rooms, request.path_params["id"]).folder
        inside = request.query_params.get("path", "")
        path = request.url.path
        return self._frame.page(
            request,
            "folder.html",
            title=found.name,
            section=SECTION,
            command=f"brinery folder show {found.project}.{found.id}",
            crumbs=CRUMBS,
            folder=found,
            where=uri_of(self._rooms, found),
            files={
                "output": found.name,
                "path": inside,
                "preview": folder_preview(self._rooms, found, path=inside),
                "crumbs": crumbs(inside, lambda one: url(path, {"path": one})),
                "href": lambda one: url(path, {"path": one}),
                "file": lambda one: url(f"{path}/file", {"path": one}),
            },
            uses=uses_of(self._rooms, ItemKind.FOLDER, project=found.project, name=found.id),
        )

    def file(self, request: Request) -> Response:
        """Answer with a file of a folder: to keep, or an image to be seen."""
        found = folder(self._rooms, request.path_params["id"]).folder
        path, seen = request.query_params.get("path", ""), "seen" in request.query_params
        there = folder_file(self._rooms, found, path=path)
        if isinstance(there, Path):
            return sent(there, seen=seen)
        return streamed(there, name=PurePosixPath(path).name, seen=seen)
