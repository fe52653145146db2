"""What scripts ask about API services; see `gateway`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from brinery.actions import services as kept
from brinery.actions.gateway import Desk, Method
from brinery.actions.published_services import services
from brinery.records.evaluation_store import ApiService

Asked = Mapping[str, Any]


def _listed(desk: Desk, asked: Asked) -> list[dict[str, Any]]:
    """Return the API services of a project."""
    project = desk.project(asked.get("project", ""))
    return [_facts(one) for one in services(desk.rooms).all() if one.project == project]


def _create(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Return a new API service."""
    project = desk.project(asked.get("project", ""))
    return _facts(kept.create_service(desk.rooms, asked["service"], project=project))


def _settings(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Return the settings of an API service."""
    return _facts(kept.service(desk.rooms, asked["service"]))


def _save(desk: Desk, asked: Asked) -> None:
    """Keep the settings of an API service."""
    told = asked["settings"]
    kept.set_endpoints(
        desk.rooms,
        kept.service(desk.rooms, asked["service"]),
        endpoints=told.get("endpoints", ()),
        auth=told.get("authMethod", "PUBLIC"),
        keys=[
            {"key": one} if isinstance(one, str) else one
            for one in dict(told.get("authRealm") or {}).get("queryKeys", ())
        ],
    )


def _packages(desk: Desk, asked: Asked) -> list[dict[str, Any]]:
    """Return the packages of an API service."""
    found = kept.service(desk.rooms, asked["service"])
    return [{"id": one, "published": one == found.published} for one in found.packages]


def _package(desk: Desk, asked: Asked) -> dict[str, Any]:
    """Return what a package froze."""
    found = kept.service(desk.rooms, asked["service"])
    frozen = kept.packaged(found, asked["package"])
    notes = found.notes.get(asked["package"], "")
    return {"id": asked["package"], "endpoints": list(frozen), "releaseNotes": notes}


def _create_package(desk: Desk, asked: Asked) -> None:
    """Freeze the endpoints with the versions that are active now."""
    kept.create_package(
        desk.rooms,
        kept.service(desk.rooms, asked["service"]),
        package=asked["package"],
        notes=asked.get("notes", ""),
    )


def _delete_package(desk: Desk, asked: Asked) -> None:
    """Delete a package."""
    found = kept.service(desk.rooms, asked["service"])
    kept.delete_package(desk.rooms, found, package=asked["package"])


def _publish(desk: Desk, asked: Asked) -> None:
    """Have a package answered for from now on."""
    found = kept.service(desk.rooms, asked["service"])
    kept.publish(desk.rooms, found, package=asked["package"])
    model = kept.packaged(found, asked["package"])[0]["model"]
    path = f"/public/api/v1/{found.id}/{found.endpoints[0]['id']}/predict"
    desk.note(f"brinery serve {model}, and brinery up, answer POST {path} from now on")
    if found.auth != "PUBLIC" and not found.keys:
        desk.note(
            f"the API service {found.id} asks for a key and has none, so that nobody is answered: "
            'settings.get_raw()["authRealm"]["queryKeys"].append({"key": …})'
        )


def _facts(found: ApiService) -> dict[str, Any]:
    return {
        "id": found.id,
        "authMethod": found.auth,
        "authRealm": {"queryKeys": list(found.keys)},
        "endpoints": list(found.endpoints),
        "projectKey": found.project,
        "published": found.published or None,
    }


METHODS: Final[Mapping[str, Method]] = {
    "list": _listed,
    "create": _create,
    "settings": _settings,
    "save": _save,
    "packages": _packages,
    "package": _package,
    "create_package": _create_package,
    "delete_package": _delete_package,
    "publish": _publish,
}
