"""One step as it is declared: its kind, its component, and what others may ask of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

from msgspec import Struct

from brinery.pipeline.components import Component, Components
from brinery.pipeline.leaving import ports_of
from brinery.pipeline.ports import LONGEST
from brinery.pipeline.scopes import Node, Scope
from brinery.specs.job_kinds import (
    CommandStep,
    ParallelStep,
    PipelineStep,
    StepPart,
)
from brinery.specs.job_parts import DataOutput
from brinery.specs.job_source import Spot
from brinery.specs.names import nearest
from brinery.specs.yaml_file import Place

_NAME: Final = re.compile(r"[a-z_][a-z0-9_]*")
_KINDS: Final[dict[str, type[StepPart]]] = {
    "command": CommandStep,
    "parallel": ParallelStep,
    "pipeline": PipelineStep,
}
_NAMES: Final = ("command", "parallel", "sweep", "pipeline")
_ELSEWHERE: Final = ("automl", "spark", "import", "data_transfer", "do_while", "if_else")


class Entry(Struct, frozen=True):
    """One step.

    Attributes:
        key: its name in its pipeline.
        name: its name in the plan.
        kind: `command`, `parallel`, `sweep` or `pipeline`; empty where its component is not known.
        model: what it says.
        component: None where it is written in place.
        place: where it stands.
    """

    key: str
    name: str
    kind: str
    model: StepPart
    component: Component | None
    place: Place

    @property
    def outputs(self) -> Mapping[str, DataOutput | str | None]:
        """Return the outputs that the step itself names."""
        return self.model.outputs or {}


def entry(key: str, stated: Any, *, scope: Scope, components: Components) -> Entry | None:
    """Return a step, and have its pipeline know it; None where faults leave nothing of it."""
    place: Place = ("jobs", key)
    source = scope.source
    if not _NAME.fullmatch(key):
        source.fault(
            place,
            "a step's name has small letters, digits and _, and begins with no digit: "
            f"{_mended(key)}",
        )
    name = f"{scope.prefix}{key}"
    if len(name) > LONGEST:
        said = f"a step's name, with those of its pipelines, has at most {LONGEST} characters"
        source.fault(place, said)
    scope.nodes[key] = Node(name, None, {}, place)
    if not isinstance(stated, dict):
        said = "is empty" if stated is None else "has no keys and values"
        source.fault(place, said)
        return None
    component = _component(stated, Spot(source, place), components)
    kind = _kind(stated, component, Spot(source, place))
    if kind is None:
        return None
    named = "component" in stated or "trial" in stated
    strict = kind == "command" and not named
    model = source.checked(_model_of(kind), stated, place=place, lenient=False if strict else None)
    if isinstance(model, PipelineStep) and "component" not in stated:
        source.fault(place, "component is missing: a pipeline within a pipeline is a component")
    outputs: dict[str, str] | None
    if named and component is None:
        # Its faults are told where it was read.
        outputs = None
    elif component is not None:
        outputs = {one: port.type or "" for one, port in ports_of(component).items()}
    else:
        outputs = {one: _type(given) for one, given in (model.outputs or {}).items()}
    scope.nodes[key] = Node(name, outputs, dict(model.inputs or {}), place)
    if component is None and (named or kind == "pipeline"):
        kind = ""
    return Entry(key, name, kind, model, component, place)


def _model_of(kind: str) -> type[StepPart]:
    """Return the model of a kind of steps; that of sweeps is made when one is met."""
    if kind in _KINDS:
        return _KINDS[kind]
    made: type[StepPart] = import_module("brinery.specs.sweep_kinds").SweepStep
    return made


def _component(stated: dict[str, Any], spot: Spot, components: Components) -> Component | None:
    for key in ("component", "trial"):
        given = stated.get(key)
        if isinstance(given, (str, dict)):
            return components.of(given, spot.at(key))
    return None


def _kind(stated: dict[str, Any], component: Component | None, spot: Spot) -> str | None:
    """Return the kind of a step; None where a fault is told."""
    likely = "command"
    if "trial" in stated:
        likely = "sweep"
    elif component is not None:
        likely = component.type
    elif "task" in stated:
        likely = "parallel"
    elif "jobs" in stated:
        likely = "pipeline"
    given = stated.get("type")
    where = spot.at("type")
    if given is None:
        return likely
    kind = given.lower() if isinstance(given, str) else str(given)
    if kind in _ELSEWHERE:
        where.fault(f"steps of type {kind} are not run here, but {', '.join(_NAMES)}")
        return None
    if kind not in _NAMES:
        near = nearest(kind, _NAMES)
        said = f" (did you mean {near}?)" if near else ""
        where.fault(f"{given!r} is none of {', '.join(_NAMES)}{said}")
        return likely
    if component is not None and kind not in ("sweep", component.type):
        where.fault(f"is {kind}, and component {component.told} is of type {component.type}")
        return component.type
    if kind == "sweep" and component is not None and component.type != "command":
        spot.at("trial").fault(f"is a {component.type}, and a trial is a command")
        return None
    return kind


def _type(given: DataOutput | str | None) -> str:
    return (given.type or "") if isinstance(given, DataOutput) else ""


def _mended(key: str) -> str:
    mended = re.sub(r"[^a-z0-9_]+", "_", key.lower())
    return f"try {mended if _NAME.fullmatch(mended) else f'_{mended}'}"
