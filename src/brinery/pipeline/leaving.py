"""What a step leaves: its declared outputs, and those of the pipeline that they are."""

from __future__ import annotations

from collections.abc import Mapping

from brinery.pipeline.components import Component
from brinery.pipeline.scopes import Promise, Scope
from brinery.records.plan import DataType, Output
from brinery.specs.components import OutputPort
from brinery.specs.expressions import references
from brinery.specs.job_parts import DATA_TYPES, DataOutput
from brinery.specs.job_source import Spot
from brinery.specs.names import nearest
from brinery.specs.yaml_file import Place

Declared = Mapping[str, DataOutput | str | None]


def outputs(
    given: Declared, component: Component | None, *, scope: Scope, place: Place, name: str
) -> dict[str, Output]:
    """Return what a step leaves; what cannot be is told.

    Args:
        given: what the step says.
        component: whose outputs they are; None where the step is written in place.
        scope: the pipeline.
        place: where the outputs stand.
        name: of the step in the plan.
    """
    known = ports_of(component) if component is not None else None
    found: dict[str, Output] = {}
    if known is not None and component is not None:
        _unknown(given, component, Spot(scope.source, place))
    for key in known if known is not None else given:
        settings, promise = _settings(given.get(key), scope, place=(*place, key), made=(name, key))
        port = known.get(key) if known is not None else None
        found[key] = _output(port, settings, promise)
    return found


def inner(
    given: Declared, component: Component, *, scope: Scope, place: Place, name: str
) -> dict[str, Promise]:
    """Return the outputs of a pipeline component, which its own steps will leave."""
    known = ports_of(component)
    _unknown(given, component, Spot(scope.source, place))
    found: dict[str, Promise] = {}
    for key, port in known.items():
        settings, promise = _settings(given.get(key), scope, place=(*place, key), made=(name, key))
        if promise is not None:
            settings = _merged(settings, promise.settings)
        kind: str = port.type or settings.type or (promise.type if promise is not None else "")
        top = promise is not None and promise.top
        found[key] = Promise(kind, settings, top=top)
    return found


def output(settings: DataOutput, *, kind: str = "", mode: str = "") -> Output:
    """Return an output as it is declared."""
    return Output(
        type=_type(kind or settings.type or ""),
        mode=settings.mode or mode or "rw_mount",
        path=settings.path or "",
        asset=settings.name or "",
        version=settings.version or "",
    )


def ports_of(component: Component) -> dict[str, OutputPort]:
    """Return the outputs of a component."""
    return component.model.outputs or {}


def _output(port: OutputPort | None, settings: DataOutput, promise: Promise | None) -> Output:
    kind: str = (port.type if port is not None else None) or settings.type or ""
    mode = (port.mode if port is not None else None) or ""
    if promise is not None:
        kind = kind or promise.type
        mode = promise.settings.mode or mode
        if not promise.top:
            settings = _merged(settings, promise.settings)
    return output(settings, kind=kind, mode=mode)


def _settings(
    given: DataOutput | str | None, scope: Scope, *, place: Place, made: tuple[str, str]
) -> tuple[DataOutput, Promise | None]:
    """Return what is declared of an output, and the pipeline's output that it is, if any."""
    if given is None:
        return DataOutput(), None
    text = given if isinstance(given, str) else given.path or ""
    bound = isinstance(given, str) or any(
        one.path[0] in ("parent", "outputs", "inputs") for one in references(text)
    )
    if not bound:
        return given if isinstance(given, DataOutput) else DataOutput(), None
    where = place if isinstance(given, str) else (*place, "path")
    promise = scope.promised(text, where)
    if promise is not None:
        if promise.by is not None and promise.by != made:
            scope.source.fault(where, f"{text} is left by {promise.by[0]} already")
        promise.by = made
    if isinstance(given, DataOutput):
        return given.but(path=None), promise
    return DataOutput(), promise


def _merged(own: DataOutput, outer: DataOutput) -> DataOutput:
    held = {
        key: value
        for key in ("type", "path", "mode", "name", "version")
        if (value := getattr(own, key) or getattr(outer, key)) is not None
    }
    return DataOutput(**held)


def _unknown(given: Declared, component: Component, spot: Spot) -> None:
    known = ports_of(component)
    for key in given:
        if key not in known:
            near = nearest(key, known)
            said = f" (did you mean {near}?)" if near else ""
            spot.at(key).fault(f"no such output on component {component.told}{said}")


def _type(kind: str) -> DataType:
    if kind in DATA_TYPES:
        return DataType(kind)
    # A parameter that a step leaves is written to a file.
    return DataType.FILE if kind in ("string", "number", "integer", "boolean") else DataType.FOLDER
