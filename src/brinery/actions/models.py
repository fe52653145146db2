"""List and show: what models there are, and what is recorded of them."""

from __future__ import annotations

from msgspec import Struct

from brinery.actions.rooms import Folder, Rooms, open_rooms
from brinery.records.audit import AuditEntry
from brinery.records.version import Version
from brinery.registry.interface import resolve
from brinery.specs.reference import Reference


class Model(Struct, frozen=True, kw_only=True):
    """A registered model.

    Attributes:
        name: of the model.
        versions: newest first.
        history: its state changes, oldest first.
        tracking_uri: where any MLflow program finds it; without a password.
    """

    name: str
    versions: tuple[Version, ...]
    history: tuple[AuditEntry, ...]
    tracking_uri: str


def models(*, workspace: Folder | None = None) -> list[Model]:
    """Return every model of a workspace, by name."""
    rooms = open_rooms(workspace)
    if not (rooms.workspace.exists or rooms.places.shared):
        return []
    return [_model(rooms, name) for name in rooms.registry.names()]


def model(name: str, *, workspace: Folder | None = None) -> Model:
    """Return a model with its versions and its history.

    Raises:
        NotFound: there is no such model.
    """
    rooms = open_rooms(workspace)
    resolve(rooms.registry, Reference(name))
    return _model(rooms, name)


def version(reference: str, *, workspace: Folder | None = None) -> Version:
    """Return the version that a reference means: `bank@1`, `bank@champion`, `bank@Production`.

    A name alone means its champion; where there is none, its newest version.

    Raises:
        NotFound: there is no such model, version or alias.
    """
    return resolve(open_rooms(workspace).registry, Reference.parse(reference))


def _model(rooms: Rooms, name: str) -> Model:
    return Model(
        name=name,
        versions=tuple(rooms.registry.versions(name)),
        history=tuple(rooms.audit.entries(name)),
        tracking_uri=rooms.places.shown,
    )
