"""API services: which endpoints score with which saved model, frozen in packages and published.

A package names a version for each endpoint, with its threshold; what is published is answered by
`brinery serve` and `brinery up` under `/public/api/v1/SERVICE/ENDPOINT/predict`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from msgspec.structs import replace

from brinery.actions.published_services import services
from brinery.actions.rooms import Rooms
from brinery.actions.saved_models import listed, saved_model, unsaid
from brinery.errors import NotFound, NotServable
from brinery.records.evaluation_store import ApiService
from brinery.serve.service_keys import digest
from brinery.specs.names import nearest

_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,99}")
_KIND: Final = "STD_PREDICTION"
_WAYS: Final = ("PUBLIC", "API_KEYS")


def create_service(rooms: Rooms, name: str, *, project: str) -> ApiService:
    """Return a new API service without endpoints.

    Raises:
        ValueError: the id is not allowed, or taken.
    """
    _check(name)
    if any(one.id == name for one in services(rooms).all()):
        raise ValueError(f"there is an API service {name} already")
    rooms.workspace.prepare()
    return services(rooms).keep(ApiService(id=name, project=project, created=datetime.now(UTC)))


def service(rooms: Rooms, name: str) -> ApiService:
    """Return an API service.

    Raises:
        NotFound: there is none; the message has the nearest.
    """
    there = {one.id: one for one in services(rooms).all()}
    if name in there:
        return there[name]
    near = nearest(name, there)
    raise NotFound(
        f"there is no API service '{name}'" + (f": did you mean {near}?" if near else ""),
        hint=f"project.create_api_service('{name}')",
    )


def set_endpoints(
    rooms: Rooms,
    found: ApiService,
    *,
    endpoints: Sequence[Mapping[str, Any]],
    auth: str,
    keys: Sequence[Mapping[str, Any]] = (),
) -> ApiService:
    """Return an API service with these endpoints.

    Args:
        rooms: of the workspace.
        found: the service.
        endpoints: the settings of each.
        auth: `PUBLIC` where everybody may ask, `API_KEYS` where one of the keys must be sent.
        keys: what is said of each, with the `key` itself, or the `digest` that was told of it.

    Raises:
        ValueError: an id is not allowed or there twice, or a kind or a way to ask is not served.
        NotFound: there is no such saved model.
    """
    if auth not in _WAYS:
        raise ValueError(f"authMethod {auth}: only {' and '.join(_WAYS)} are served")
    ids = [str(one["id"]) for one in endpoints]
    for one in endpoints:
        _check(str(one["id"]))
        if one.get("type", _KIND) != _KIND:
            raise ValueError(f"endpoint {one['id']}: only {_KIND} is served, and not {one['type']}")
        saved_model(rooms, str(one["modelRef"]), project=found.project)
    if len(set(ids)) < len(ids):
        raise ValueError(f"two endpoints of {found.id} have the same id")
    return services(rooms).change(
        found,
        lambda now: replace(
            now,
            endpoints=tuple(map(dict, endpoints)),
            auth=auth,
            keys=tuple(_kept_key(one) for one in keys),
        ),
    )


def create_package(rooms: Rooms, found: ApiService, *, package: str, notes: str) -> ApiService:
    """Return an API service with a package: each endpoint with the version that is active now.

    Raises:
        ValueError: the id is not allowed or taken, or there is no endpoint.
        NotServable: a saved model has no active version that is registered.
    """
    _check(package.replace(".", "_"))
    if package in found.packages:
        raise ValueError(f"the API service {found.id} has a package {package} already")
    if not found.endpoints:
        raise ValueError(f"the API service {found.id} has no endpoint to package")
    frozen = tuple(_frozen(rooms, found, one) for one in found.endpoints)
    return services(rooms).change(
        found,
        lambda now: replace(
            now, packages={**now.packages, package: frozen}, notes={**now.notes, package: notes}
        ),
    )


def delete_package(rooms: Rooms, found: ApiService, *, package: str) -> None:
    """Delete a package.

    Raises:
        NotFound: there is none.
        ValueError: it is published.
    """
    packaged(found, package)
    if found.published == package:
        raise ValueError(f"the package {package} is published: publish another first")
    services(rooms).change(
        found,
        lambda now: replace(
            now, packages={key: one for key, one in now.packages.items() if key != package}
        ),
    )


def publish(rooms: Rooms, found: ApiService, *, package: str) -> None:
    """Have a package answered for from now on.

    Raises:
        NotFound: there is none.
    """
    packaged(found, package)
    services(rooms).change(found, lambda now: replace(now, published=package))


def packaged(found: ApiService, package: str) -> tuple[dict[str, Any], ...]:
    """Return what a package froze.

    Raises:
        NotFound: there is no such package.
    """
    if package in found.packages:
        return found.packages[package]
    has = ", ".join(found.packages) or "none yet"
    raise NotFound(f"the API service {found.id} has no package '{package}'", hint=f"it has {has}")


def _frozen(rooms: Rooms, found: ApiService, endpoint: Mapping[str, Any]) -> dict[str, Any]:
    model = saved_model(rooms, str(endpoint["modelRef"]), project=found.project)
    active = next((one for one in listed(rooms, model) if one.active), None)
    if active is None or active.version is None:
        raise NotServable(
            f"endpoint {endpoint['id']}: {model.title} has no active version that is registered",
            hint="saved_model.set_active_version(version_id)",
        )
    said = active.saved or unsaid(active)
    return {
        **endpoint,
        "model": active.version.name,
        "number": active.version.number,
        "versionId": active.id,
        "threshold": said.threshold,
        "data": said.data,
    }


def _kept_key(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is kept of a key: all but the key itself, of which there is a digest.

    Raises:
        ValueError: there is neither.
    """
    if not said.get("key") and not said.get("digest"):
        raise ValueError("a key of an API service is {'key': …}, and is not empty")
    known = {name: value for name, value in said.items() if name != "key"}
    return {**known, "digest": digest(str(said["key"]))} if said.get("key") else known


def _check(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ValueError(f"'{name}' is not allowed in a path: letters, digits, '_' and '-'")
