"""What a step asks of the machine that it runs on: `resources.properties.ray`, and the count."""

from __future__ import annotations

import re
from typing import Any, Final

from brinery.records.plan import Needs
from brinery.specs.job_parts import Resources
from brinery.specs.job_source import Spot
from brinery.specs.names import nearest

_KEYS: Final = ("num_cpus", "num_gpus", "memory", "resources")
_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?", re.IGNORECASE)
_POWERS: Final = {"": 0, "k": 10, "m": 20, "g": 30, "t": 40}


def needs_of(resources: Resources | None, spot: Spot) -> Needs:
    """Return what a step asks for; faults are told.

    Args:
        resources: as declared; None where nothing is.
        spot: where that stands.
    """
    declared = ((resources.properties if resources else None) or {}).get("ray")
    if declared is None:
        return Needs()
    where = spot.at("resources", "properties", "ray")
    if not isinstance(declared, dict):
        where.fault("is no mapping: {num_cpus: 2, num_gpus: 1, memory: 4gb} is one")
        return Needs()
    for key in declared:
        if key not in _KEYS:
            near = nearest(str(key), _KEYS)
            said = f" (did you mean {near}?)" if near else f": {', '.join(_KEYS)} are known"
            where.fault(f"{key}: no such need{said}")
    others = declared.get("resources") or {}
    if not isinstance(others, dict):
        where.fault("resources: is no mapping of names to numbers")
        others = {}
    return Needs(
        cpus=_number(declared, "num_cpus", where),
        gpus=_number(declared, "num_gpus", where),
        memory_bytes=_bytes(declared.get("memory"), where),
        others={str(name): _number(others, name, where) for name in others},
    )


def _number(declared: dict[str, Any], name: str, where: Spot) -> float:
    given = declared.get(name, 0)
    if isinstance(given, bool) or not isinstance(given, int | float) or given < 0:
        where.fault(f"{name}: {given!r} is no number from 0 on")
        return 0.0
    return float(given)


def _bytes(given: Any, where: Spot) -> int:
    if given is None:
        return 0
    found = _SIZE.fullmatch(str(given).strip())
    if found is None:
        where.fault(f"memory: {given!r} is no size as 500mb or 4gb is")
        return 0
    return int(float(found[1]) * 2 ** _POWERS[found[2].lower()])
