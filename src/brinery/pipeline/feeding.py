"""What a step's inputs stand for: what is given, the component's defaults, and whether it fits."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from brinery.pipeline.components import Component
from brinery.pipeline.ports import default_text, misfit
from brinery.pipeline.scopes import Fed, Given, Scope, literal
from brinery.records.plan import Data, DataType, Text, Value
from brinery.specs.components import PARAMETERS, InputPort
from brinery.specs.job_parts import DATA_TYPES
from brinery.specs.job_source import Spot
from brinery.specs.names import nearest
from brinery.specs.yaml_file import Place

# So alike are an input that nothing is given to, and what was meant for it.
_MEANT: Final = 0.8


def ports_of(component: Component) -> dict[str, InputPort]:
    """Return the inputs of a component."""
    return component.model.inputs or {}


def feed(
    given: Mapping[str, Given],
    component: Component,
    *,
    scope: Scope,
    place: Place,
    name: str = "",
    drawn: Collection[str] = (),
) -> dict[str, Fed]:
    """Return what each input of a component stands for; what does not fit is told.

    Args:
        given: what the step says.
        component: whose inputs they are.
        scope: that its expressions are filled in from.
        place: where the inputs stand.
        name: of the step.
        drawn: inputs that a sweep draws.
    """
    ports = ports_of(component)
    fed: dict[str, Fed] = {}
    meant = _undeclared(given, component, scope, place=place)
    for key, port in ports.items():
        if key in drawn:
            continue
        if key not in given:
            fed[key] = _default(port)
            if fed[key].value is None and not port.optional:
                fed[key].missing = "told"
                if key not in meant:
                    scope.source.fault(
                        place[:-1],
                        f"the input {key} of component {component.told} is required, and not given",
                    )
            continue
        fed[key] = _given(given[key], port, component, scope=scope, place=(*place, key), of=name)
    return fed


def inline(given: Mapping[str, Given], scope: Scope, *, place: Place, name: str) -> dict[str, Fed]:
    """Return what each input of a step stands for that is written in place."""
    fed: dict[str, Fed] = {}
    for key, value in given.items():
        where = (*place, key)
        one = scope.fed(value, where, of=name)
        if one.missing and one.missing != "told":
            scope.source.fault(where, one.missing)
        fed[key] = one
    return fed


def told(given: Given) -> Fed:
    """Return a value of a job itself, which has no parent whose names it could have."""
    return literal(given) if isinstance(given, (str, bool, int, float)) else Fed(None)


def values(fed: Mapping[str, Fed]) -> dict[str, Value]:
    """Return those that have a value."""
    return {name: one.value for name, one in fed.items() if one.value is not None}


def types(fed: Mapping[str, Fed]) -> dict[str, DataType]:
    """Return the types of those that are data."""
    found: dict[str, DataType] = {}
    for name, one in fed.items():
        if not one.data:
            continue
        if one.type in DATA_TYPES:
            found[name] = DataType(one.type)
        elif isinstance(one.value, Data):
            found[name] = one.value.type
        else:
            found[name] = DataType.FOLDER
    return found


def _undeclared(
    given: Mapping[str, Given],
    component: Component,
    scope: Scope,
    *,
    place: Place,
) -> set[str]:
    """Tell the inputs that the component does not have; return those that were meant.

    Other clients drop them, so that one which resembles none is noted; one which resembles an input
    that nothing is given to was meant for that one.
    """
    ports = ports_of(component)
    left = [name for name in ports if name not in given]
    meant: set[str] = set()
    for name in given:
        if name in ports:
            continue
        near = nearest(name, left, alike=_MEANT)
        said = f"no such input on component {component.told}"
        if near:
            meant.add(near)
            scope.source.fault((*place, name), f"{said} (did you mean {near}?)")
        else:
            scope.source.note((*place, name), f"{said}: it is dropped")
            # What it names is known all the same.
            scope.fed(given[name], (*place, name))
    return meant


def _given(
    given: Given, port: InputPort, component: Component, *, scope: Scope, place: Place, of: str
) -> Fed:
    """Return what an input stands for that the step names."""
    where = Spot(scope.source, place)
    key = str(place[-1])
    kind, optional = port.type or "", bool(port.optional)
    one = scope.fed(given, place, of=of)
    if one.value is not None:
        if (why := _unfit(one, port, component)) and not one.missing:
            where.fault(why)
            return Fed(None, kind, missing="told")
        if one.optional and not optional and default_text(port) is None:
            where.fault(_optional(key, component))
        return Fed(one.value, kind, optional, one.missing)
    if one.missing:
        if one.missing != "told":
            where.fault(one.missing)
        return Fed(None, kind, missing="told")
    found = _default(port)
    if found.value is None and not optional:
        where.fault(_optional(key, component))
        found.missing = "told"
    return found


def _default(port: InputPort) -> Fed:
    text = default_text(port)
    value = Text(text=text) if text is not None else None
    return Fed(value, port.type or "", bool(port.optional))


def _optional(key: str, component: Component) -> str:
    return (
        f"is bound to an optional input of the pipeline, and component {component.told} "
        f"requires {key}"
    )


def _unfit(one: Fed, port: InputPort, component: Component) -> str:
    """Return why a value does not fit an input; empty where it does."""
    if port.type is None:
        return ""
    if isinstance(one.value, Text):
        if port.data:
            return (
                f"{one.value.text!r} is a text, and component {component.told} takes {port.type}: "
                f"write {{type: {port.type}, path: …}}"
            )
        return misfit(port, one.value.text)
    if port.data or port.type == "string" or one.type in PARAMETERS:
        return ""
    return f"files are no {port.type}, which component {component.told} takes"
