"""The API services that a server answers: endpoints of published packages, with what they need.

It is looked at whenever a server starts, so it imports little.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from brinery.actions.rooms import Rooms
from brinery.records.appraisal import Appraisal
from brinery.records.evaluation_store import ApiService
from brinery.registry.interface import resolve
from brinery.serve.manifest import PublicEndpoint
from brinery.specs.reference import Reference
from brinery.store.script_records import ScriptRecords


def services(rooms: Rooms) -> ScriptRecords[ApiService]:
    """Return where API services are kept."""
    return ScriptRecords(rooms.workspace.state / "services", ApiService)


def published(rooms: Rooms) -> tuple[PublicEndpoint, ...]:
    """Return the endpoints of all packages that are published, with what their answers need."""
    return tuple(
        _public(rooms, one, endpoint)
        for one in services(rooms).all()
        if one.published
        for endpoint in one.packages[one.published]
    )


def _public(rooms: Rooms, found: ApiService, endpoint: Mapping[str, Any]) -> PublicEndpoint:
    version = resolve(rooms.registry, Reference(endpoint["model"], version=int(endpoint["number"])))
    # It draws reports, too, and takes longer to import than a server takes to start.
    kept: Any = import_module("brinery.actions.kept_appraisals")
    appraisal: Appraisal | None = kept.newest(rooms, version, data=str(endpoint.get("data", "")))
    curves = appraisal.curves.classes if appraisal and appraisal.curves else ()
    cuts = curves[0].cuts if len(curves) == 1 else None
    thresholds: tuple[float, ...] = ()
    below: tuple[float, ...] = ()
    if cuts is not None:
        above = [
            caught + alarm
            for caught, alarm in zip(cuts.true_positives, cuts.false_positives, strict=True)
        ]
        whole = above[0] or 1.0
        thresholds, below = cuts.threshold, tuple(1.0 - one / whole for one in above)
    return PublicEndpoint(
        service=found.id,
        endpoint=str(endpoint["id"]),
        generation=found.published,
        name=version.name,
        number=version.number,
        threshold=float(endpoint["threshold"]),
        cuts=thresholds,
        below=below,
        keys=None if found.auth == "PUBLIC" else tuple(str(one["digest"]) for one in found.keys),
    )
