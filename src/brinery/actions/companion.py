"""The companion of a server: the process that answers for MLflow and for the REST API."""

from __future__ import annotations

from msgspec import Struct

from brinery.actions.folders import folder, uri_of
from brinery.actions.project_rooms import open_project_rooms
from brinery.actions.projects import project_key
from brinery.actions.rooms import Rooms
from brinery.registry import mlflow_server
from brinery.registry.mlflow_folders import ManagedFolders


class Task(Struct, frozen=True, kw_only=True):
    """What it is told.

    Attributes:
        workspace: its folder, absolute.
        socket: path of the Unix socket to listen on.
        store: database of the models and records; as the settings say when None.
        artifacts: bucket or folder of the models' files; as the settings say when None.
        loops: paths of the loops whose turns are begun when they are due.
    """

    workspace: str
    socket: str
    store: str | None = None
    artifacts: str | None = None
    loops: tuple[str, ...] = ()


def with_managed_folders(rooms: Rooms, application: mlflow_server.Asgi) -> mlflow_server.Asgi:
    """Return MLflow's application where a path before its own puts experiments into folders."""

    def place(folder_id: str) -> str:
        data = open_project_rooms(rooms.workspace.root)
        return uri_of(data, folder(data, folder_id).folder)

    def own() -> str:
        return project_key(open_project_rooms(rooms.workspace.root), "")

    return ManagedFolders(application, place, own=own)


def mlflow_application(rooms: Rooms) -> mlflow_server.Asgi:
    """Return MLflow's own application on a workspace's registry, whose database is made.

    Raises:
        RegistryFault: the registry cannot be opened.
    """
    rooms.registry.open()
    places = rooms.places
    return mlflow_server.application(places.tracking_uri, root=places.artifacts.rstrip("/"))
