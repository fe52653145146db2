"""Saved models: registered models under the ids and types that scripts give them.

A saved model is a registered model, its active version the champion, and a version's own id names
it wherever a reference is. What the registry has no place for (the target, the labels as stated,
the threshold) is kept beside it; see `store/saved_models.py`.
"""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from msgspec.structs import replace

from brinery.actions import history
from brinery.actions.promote import activate
from brinery.actions.rooms import Rooms
from brinery.errors import InvalidName, NotFound
from brinery.records.audit import Change
from brinery.records.saved_model import SavedModel, SavedType, SavedVersion
from brinery.records.threshold import Aim
from brinery.records.version import Alias, Version
from brinery.registry.interface import resolve
from brinery.specs.names import nearest
from brinery.specs.reference import Reference
from brinery.store.saved_models import SavedModels

BY_SCRIPT: Final = "no gate was asked: a script activated it"
_ALPHABET: Final = string.ascii_letters + string.digits
_ID_LENGTH: Final = 8
_VERSION_ID: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.]{0,99}")
_RESERVED: Final = {"latest", *(alias.value for alias in Alias), "production", "staging"}


@dataclass(frozen=True)
class Listed:
    """A version of a saved model as a list shows it.

    Attributes:
        id: its own; the number of one that no script named.
        active: whether it is the champion, or is to be once it is registered.
        saved: what scripts said of it; None where none did.
        version: the registered one; None while it waits for data.
    """

    id: str
    active: bool
    saved: SavedVersion | None
    version: Version | None


def kept(rooms: Rooms) -> SavedModels:
    """Return where saved models are kept."""
    return SavedModels(rooms.documents, rooms.workspace.state / "saved_models")


def saved_models(rooms: Rooms, project: str) -> list[SavedModel]:
    """Return the saved models of a project, the oldest first, and then those of no script.

    A model that was imported by `brinery import` is one, too: its name is its id.
    """
    there = kept(rooms).all()
    found = [one for one in there if one.project == project]
    known = {one.name for one in there}
    names = rooms.registry.names()
    return found + [_adopted(rooms, name, project) for name in names if name not in known]


def saved_model(rooms: Rooms, lookup: str, *, project: str) -> SavedModel:
    """Return the saved model of an id or a name.

    Raises:
        NotFound: there is none; the message has the nearest.
    """
    there = saved_models(rooms, project)
    for key in ("id", "title", "name"):
        for one in there:
            if getattr(one, key) == lookup:
                return one
    near = nearest(lookup, [*(one.title for one in there), *(one.id for one in there)])
    raise NotFound(
        f"there is no saved model '{lookup}' in {project}"
        + (f": did you mean {near}?" if near else ""),
        hint="brinery model list shows the models",
    )


def create_saved_model(
    rooms: Rooms, title: str, *, project: str, kind: SavedType = SavedType.OTHER
) -> SavedModel:
    """Return a saved model that is new and has no version.

    Raises:
        InvalidName: the name has no letter or digit, or a model of another project has it.
    """
    rooms.workspace.prepare()
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", title).strip("-._")[:100]
    if not name:
        raise InvalidName(f"'{title}' is no name of a saved model", hint="name it by letters")
    with rooms.lock():
        there = kept(rooms).all()
        taken = {one.name for one in there} | set(rooms.registry.names())
        if name in taken:
            # Scripts may make several of one name; a number tells the registered models apart.
            name = next(
                f"{name}-{n}" for n in range(2, len(taken) + 1000) if f"{name}-{n}" not in taken
            )
        made = SavedModel(
            id=_drawn({one.id for one in there}),
            name=name,
            title=title,
            project=project,
            type=kind,
            created=datetime.now(UTC),
        )
        kept(rooms).keep(made)
    return made


def set_settings(
    rooms: Rooms, model: SavedModel, *, aim: Aim, settings: dict[str, Any]
) -> SavedModel:
    """Return a saved model with other settings."""
    return _own(rooms, model, lambda now: replace(now, aim=aim, settings=settings))


def delete_saved_model(rooms: Rooms, model: SavedModel) -> None:
    """Delete a saved model, and every version of it, for ever."""
    for version in rooms.registry.versions(model.name):
        _delete(rooms, version)
    kept(rooms).remove(model)


def listed(rooms: Rooms, model: SavedModel) -> list[Listed]:
    """Return the versions of a saved model, the oldest first."""
    registered = {one.number: one for one in rooms.registry.versions(model.name)}
    champion = history.holder(list(registered.values()), Alias.CHAMPION)
    said = kept(rooms).versions(model)
    wanted = next((one for one in reversed(said) if one.number is None and one.active), None)
    found: list[tuple[datetime, Listed]] = []
    for one in said:
        version = None if one.number is None else registered.pop(one.number, None)
        if one.number is not None and version is None:
            continue  # somebody deleted it from the registry
        is_champion = version is not None and version == champion
        active = one is wanted if wanted else is_champion
        found.append((one.created, Listed(one.id, active, one, version)))
    for number, version in registered.items():
        if number not in model.superseded:
            active = version == champion and wanted is None
            found.append((version.created, Listed(str(number), active, None, version)))
    return [one for _, one in sorted(found, key=lambda each: each[0])]


def listed_version(rooms: Rooms, model: SavedModel, *, version_id: str) -> Listed:
    """Return a version of a saved model.

    Raises:
        NotFound: there is none; the message has the nearest.
    """
    there = listed(rooms, model)
    for one in there:
        if one.id == version_id:
            return one
    near = nearest(version_id, [one.id for one in there])
    has = ", ".join(one.id for one in there) or "no version yet"
    raise NotFound(
        f"the saved model {model.title} has no version '{version_id}'"
        + (f": did you mean {near}?" if near else ""),
        hint=f"it has {has}",
    )


def set_active(rooms: Rooms, model: SavedModel, *, version_id: str) -> Listed:
    """Return a version that is active from now on; one that waits, as soon as it is registered."""
    found = listed_version(rooms, model, version_id=version_id)
    for one in kept(rooms).versions(model):
        wanted = one.id == version_id
        if one.number is None and one.active != wanted:
            kept(rooms).keep_version(model, replace(one, active=wanted))
    if found.version is not None:
        activate(rooms, found.version, why=BY_SCRIPT)
    return listed_version(rooms, model, version_id=version_id)


def delete_versions(rooms: Rooms, model: SavedModel, *, version_ids: Sequence[str]) -> None:
    """Delete versions for ever.

    Raises:
        NotFound: one is not there; nothing is deleted then.
        ValueError: one is active; nothing is deleted then.
    """
    found = [listed_version(rooms, model, version_id=version_id) for version_id in version_ids]
    for one in found:
        if one.active:
            raise ValueError(f"version {one.id} of {model.title} is active: activate another first")
    for one in found:
        if one.version is not None:
            _delete(rooms, one.version)
        if one.saved is not None:
            kept(rooms).remove_version(model, one.saved)


def check_version_id(version_id: str) -> str:
    """Return the id of a version unchanged.

    Raises:
        ValueError: it is empty, too long, means something else, or has a character that is not
            allowed.
    """
    if not _VERSION_ID.fullmatch(version_id) or version_id.lower() in _RESERVED:
        raise ValueError(
            f"'{version_id}' is no id of a version: letters, digits, '_' and '.', without "
            "whitespace or dashes"
        )
    return version_id


def registered_as(
    rooms: Rooms, model: SavedModel, *, saved: SavedVersion, version: Version
) -> SavedVersion:
    """Return what is kept of a version that is registered now, and active if it was meant so.

    A version that had the id before keeps its number, and is listed no more.
    """
    before = rooms.registry.versions(model.name)
    older = next((one for one in before if saved.id in one.ids), None)
    if older is not None and older.number != version.number:
        gone = older.number
        _own(rooms, model, lambda now: replace(now, superseded=(*now.superseded, gone)))
    rooms.registry.set_id(model.name, version.number, version_id=saved.id)
    known = kept(rooms).keep_version(model, replace(saved, number=version.number))
    kept(rooms).let_go(model, saved)
    if saved.active:
        again = resolve(rooms.registry, Reference(version.name, version=version.number))
        activate(rooms, again, why=BY_SCRIPT)
    return known


def unsaid(found: Listed) -> SavedVersion:
    """Return what is known of a version that no script made: what its import recorded."""
    version = found.version
    if version is None:
        raise ValueError(f"version {found.id} is not registered")
    data = version.candidate.data if version.candidate else None
    classes = version.candidate.description.classes if version.candidate else ()
    return SavedVersion(
        id=found.id,
        created=version.created,
        number=version.number,
        target=(data.target or "") if data else "",
        classes=tuple(map(str, classes)),
        origin=version.candidate.origin.file if version.candidate else "",
    )


def full_id(model: SavedModel, version_id: str) -> str:
    """Return how a version is named among all projects."""
    return f"S-{model.project}-{model.id}-{version_id}"


def _own(rooms: Rooms, model: SavedModel, edit: Callable[[SavedModel], SavedModel]) -> SavedModel:
    """Change a saved model; one that no script made is kept from now on."""
    if not kept(rooms).knows(model):
        kept(rooms).keep(model)
    return kept(rooms).change(model, edit)


def _adopted(rooms: Rooms, name: str, project: str) -> SavedModel:
    """Return a registered model that no script made as a saved model."""
    newest = rooms.registry.versions(name)[0]
    predicts = newest.candidate.description.type if newest.candidate else None
    kind = next((one for one in SavedType if one.predicts is predicts), SavedType.OTHER)
    return SavedModel(
        id=name, name=name, title=name, project=project, type=kind, created=newest.created
    )


def _delete(rooms: Rooms, version: Version) -> None:
    with rooms.lock():
        rooms.registry.delete(version.name, version.number)
        rooms.audit.add(
            rooms.entry(
                Change.DELETE,
                version.name,
                before=version.reference,
                after=f"{version.reference} deleted",
                why="a script deleted it",
            )
        )


def _drawn(taken: set[str]) -> str:
    while True:
        drawn = "".join(secrets.choice(_ALPHABET) for _ in range(_ID_LENGTH))
        if drawn not in taken:
            return drawn
