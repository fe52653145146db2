"""The companion of a server: the process that answers for MLflow and for the REST API."""

from __future__ import annotations

from msgspec import Struct

from brinery.actions.folders import folder, uri_of
from brinery.actions.project_rooms import open_project_rooms
from brinery.actions.projects import project_key, projects
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
        front: address of the server before it, as it is reached on this machine.
        key_file: path of a file with keys, absolute; empty where there is none.
    """

    workspace: str
    socket: str
    store: str | None = None
    artifacts: str | None = None
    loops: tuple[str, ...] = ()
    front: str = ""
    key_file: str = ""


def with_managed_folders(rooms: Rooms, application: mlflow_server.Asgi) -> mlflow_server.Asgi:
    """Return MLflow's application where a path before its own puts experiments into folders."""

    def place(folder_id: str) -> str:
        data = open_project_rooms(rooms.workspace.root)
        return uri_of(data, folder(data, folder_id).folder)

    def keys() -> list[str]:
        data = open_project_rooms(rooms.workspace.root)
        own = project_key(data, "")
        return [own, *(one.name for one in projects(data) if one.name != own)]

    return ManagedFolders(application, place, keys=keys)


def mlflow_application(rooms: Rooms) -> mlflow_server.Asgi:
    """Return MLflow's own application on a workspace's registry, whose database is made.

    Raises:
        RegistryFault: the registry cannot be opened.
    """
    rooms.registry.open()
    places = rooms.places
    return mlflow_server.application(places.tracking_uri, root=places.artifacts.rstrip("/"))
