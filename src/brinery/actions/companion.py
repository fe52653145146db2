"""The companion of a server: the process that answers for MLflow and for the REST API."""

from __future__ import annotations

from msgspec import Struct

from brinery.actions.rooms import Rooms
from brinery.registry import mlflow_server


class Task(Struct, frozen=True, kw_only=True):
    """What it is told.

    Attributes:
        workspace: its folder, absolute.
        socket: path of the Unix socket to listen on.
    """

    workspace: str
    socket: str


def mlflow_application(rooms: Rooms) -> mlflow_server.Asgi:
    """Return MLflow's own application on a workspace's registry, whose database is made.

    Raises:
        RegistryFault: the registry cannot be opened.
    """
    rooms.registry.open()
    return mlflow_server.application(
        rooms.workspace.tracking_uri, root=rooms.workspace.artifacts.as_uri()
    )
