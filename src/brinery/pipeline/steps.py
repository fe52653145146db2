"""A step as the record `Step`: a command, a function over mini-batches, or a sweep."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from msgspec import Struct, field
from msgspec.structs import replace

from brinery.pipeline import commands, feeding
from brinery.pipeline.catalog import Catalog
from brinery.pipeline.commands import Names
from brinery.pipeline.components import Component
from brinery.pipeline.needs import needs_of
from brinery.pipeline.scopes import Fed, Scope, located
from brinery.pipeline.softwares import software
from brinery.records.plan import Output, Parallel, Spread, Step, StepKind
from brinery.specs.components import CommandComponent, ParallelPart
from brinery.specs.expressions import references
from brinery.specs.job_kinds import CommandPart
from brinery.specs.job_parts import CommandLimits, Distribution, Resources, Variables
from brinery.specs.job_source import Spot
from brinery.specs.yaml_file import Place

_SIZE: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(b|kb?|mb?|gb|)\s*", re.IGNORECASE)
_UNITS: Final = {"": 1, "b": 1, "k": 2**10, "kb": 2**10, "m": 2**20, "mb": 2**20, "gb": 2**30}


class Making(Struct, frozen=True):
    """What a step is made of.

    Attributes:
        name: in the plan.
        scope: that its expressions are filled in from.
        place: where it stands.
        fed: what its inputs stand for.
        outputs: what it leaves.
        component: None where it is written in place.
        catalog: of what was registered.
        given: the inputs that the step itself names.
    """

    name: str
    scope: Scope
    place: Place
    fed: Mapping[str, Fed]
    outputs: dict[str, Output]
    component: Component | None
    catalog: Catalog
    given: tuple[str, ...] = ()
    space: dict[str, Any] = field(default_factory=dict)

    @property
    def declared(self) -> Spot:
        """Return where what runs is declared: in the component's file, where it is one."""
        if self.component is not None:
            return Spot(self.component.source)
        return Spot(self.scope.source, self.place)

    @property
    def spot(self) -> Spot:
        """Return where the step stands."""
        return Spot(self.scope.source, self.place)

    def step(self, kind: StepKind) -> Step:
        """Return what every step has."""
        component = self.component
        deterministic = component is None or component.model.is_deterministic is not False
        return Step(
            name=self.name,
            kind=kind,
            inputs=feeding.values(self.fed),
            types=feeding.types(self.fed),
            optional=tuple(name for name, one in self.fed.items() if one.optional),
            outputs=self.outputs,
            deterministic=deterministic,
            component=component.name if component is not None else "",
            place=self.scope.source.at(self.place),
        )

    def names(self, *, space: bool = False) -> Names:
        """Return what its command may name."""
        if self.component is None:
            optional = [name for name, one in self.fed.items() if one.optional]
            inputs = list(self.fed)
            owner = "the step" if self.place[:1] == ("jobs",) else "the job"
            drawn = self.space if space else None
            return Names(inputs, list(self.outputs), optional, drawn, owner)
        ports = feeding.ports_of(self.component)
        optional = [name for name, port in ports.items() if port.optional and port.default is None]
        told = f"component {self.component.told}"
        return Names(list(ports), list(self.outputs), optional, None, told)


def command(
    making: Making, part: CommandPart | CommandComponent, *, own: CommandPart | None = None
) -> Step:
    """Return a step that runs a command.

    Args:
        making: what it is made of.
        part: what declares the command: the component, the step, the job or its trial.
        own: the step, which may change what its component says; None where it is the part.
    """
    spot = making.declared
    names = making.names(space=True)
    if part.command is not None:
        used = commands.check(part.command, names, spot=spot.at("command"))
        if making.component is None:
            _unused(making, part, used)
    own_software = own.environment if own is not None else None
    includes: tuple[str, ...] = ()
    if isinstance(part, CommandComponent):
        includes = _includes(part, spot.at("additional_includes"))
    declared = own_software if own_software is not None else part.environment
    where = (making.spot if own_software is not None else spot).at("environment")
    own_parts = [one for one in (own, part) if one is not None]
    resources = next((one.resources for one in own_parts if one.resources), None)
    return replace(
        making.step(StepKind.COMMAND),
        command=part.command or "",
        code=code(part.code, spot.at("code")),
        includes=includes,
        software=software(declared, where, catalog=making.catalog),
        variables=_variables(making, [one.environment_variables for one in own_parts]),
        spread=_spread(
            making,
            resources,
            next((one.distribution for one in own_parts if one.distribution), None),
        ),
        needs=needs_of(resources, making.spot if own and own.resources else spot),
    )


def timeout(making: Making, limits: CommandLimits | None) -> float | None:
    """Return the seconds after which a step is cancelled; None where it may take any time."""
    if limits is None or limits.timeout is None:
        return None
    where = making.spot.at("limits", "timeout")
    given = _count(limits.timeout, making.scope, where.place)
    if given is not None and given <= 0:
        where.fault(f"is {given}, and must be more than 0")
    return float(given) if given is not None else None


def parallel(making: Making, part: ParallelPart, *, own: ParallelPart | None = None) -> Step:
    """Return a step that runs a function over mini-batches; arguments as of `command`."""
    scope, task = making.scope, part.task

    def _given(name: str) -> Any:
        return next(
            (value for one in (own, part) if one and (value := getattr(one, name)) is not None),
            None,
        )

    def _number(name: str, default: int) -> int:
        given = _given(name)
        found = _count(given, scope, (*making.place, name)) if given is not None else None
        return default if found is None else found

    kind = task.type if task is not None else None
    where = making.declared.at("task")
    if kind not in (None, "run_function"):
        where.at("type").fault(f"tasks of type {kind} are not run here, but run_function")
    folder = code(task.code if task else None, where.at("code"))
    entry = _entry(task.entry_script if task else None, folder, where)
    arguments = (task.program_arguments if task else None) or ""
    commands.check(arguments, making.names(), spot=where.at("program_arguments"))
    retries = _given("retry_settings")
    return replace(
        making.step(StepKind.PARALLEL),
        code=folder,
        software=software(
            task.environment if task else None, where.at("environment"), catalog=making.catalog
        ),
        variables=_variables(making, [one.environment_variables for one in (own, part) if one]),
        spread=_spread(making, _given("resources"), None),
        needs=needs_of(
            _given("resources"), making.spot if own and own.resources else making.declared
        ),
        parallel=Parallel(
            data=_data(making, _given("input_data"), own),
            entry=entry,
            arguments=arguments,
            append_to=_append(
                making, task.append_row_to if task else None, where.at("append_row_to")
            ),
            batch_size=_size(making, _given("mini_batch_size")),
            partition_keys=tuple(_given("partition_keys") or ()),
            concurrency=_number("max_concurrency_per_instance", 1),
            retries=_of(retries, "max_retries", making, default=2),
            timeout_s=float(_of(retries, "timeout", making, default=60)),
            batch_errors=_number("mini_batch_error_threshold", -1),
            item_errors=_number("error_threshold", -1),
            logging_level=_given("logging_level") or "INFO",
        ),
    )


def code(stated: str | None, spot: Spot) -> str:
    """Return the absolute folder or file of code; empty where there is none."""
    if not stated:
        return ""
    if stated.startswith(("azureml:", "git", "http:", "https:")):
        spot.fault(f"{stated}: code is a folder or a file on this machine")
        return ""
    path = located(stated, spot.source)
    if not os.path.exists(path):  # noqa: PTH110 - a name that is too long is no error of the system
        spot.fault(f"there is no folder or file {stated}")
    return path


def _unused(making: Making, part: CommandPart | CommandComponent, used: set[str]) -> None:
    for one in (part.environment_variables or {}).values():
        used |= {found.path[1] for found in references(one or "") if len(found.path) > 1}
    for name in making.fed:
        if name not in used and name in making.given:
            making.spot.at("inputs", name).note("nothing names it")


def _includes(part: CommandComponent, spot: Spot) -> tuple[str, ...]:
    found = []
    for number, one in enumerate(part.additional_includes or ()):
        path = located(one, spot.source)
        if not os.path.exists(path):  # noqa: PTH110 - as above
            spot.at(number).fault(f"there is no folder or file {one}")
        found.append(path)
    return tuple(found)


def _variables(making: Making, stated: list[Variables | None]) -> dict[str, str]:
    """Return variables; the first that says one decides."""
    found: dict[str, str] = {}
    for each in reversed(stated):
        for name, text in (each or {}).items():
            if not name or "=" in name:
                where = (*making.place, "environment_variables", name)
                making.scope.source.fault(where, f"{name!r} is no name of a variable")
            elif any(one.path[0] == "parent" for one in references(text or "")):
                where = (*making.place, "environment_variables", name)
                found[name] = making.scope.plain(text or "", where)
            else:
                found[name] = text or ""
    return found


def _spread(
    making: Making, resources: Resources | None, distribution: Distribution | None
) -> Spread:
    def _number(given: int | str | None, *keys: str) -> int | None:
        where = (*making.place, *keys)
        found = _count(given, making.scope, where) if given is not None else None
        if found is not None and found < 1:
            making.scope.source.fault(where, f"is {found}, and must be at least 1")
            return None
        return found

    instances = (
        _number(resources.instance_count, "resources", "instance_count") if resources else None
    ) or 1
    if distribution is None or distribution.type is None:
        return Spread(instances=instances)
    per = _number(
        distribution.process_count_per_instance, "distribution", "process_count_per_instance"
    )
    workers = _number(distribution.worker_count, "distribution", "worker_count")
    servers = distribution.parameter_server_count
    return Spread(
        instances=instances,
        distribution=distribution.type,
        processes=per or 1,
        workers=workers or 0,
        parameter_servers=(
            _count(servers, making.scope, (*making.place, "distribution")) or 0
            if servers is not None
            else 0
        ),
    )


def _count(given: int | str, scope: Scope, place: Place) -> int | None:
    """Return a whole number, which may be an expression; None where a fault is told."""
    if isinstance(given, int):
        return given
    text = scope.plain(given, place)
    try:
        return int(float(text))
    except (ValueError, OverflowError):
        if text:
            scope.source.fault(place, f"{given} is {text!r}, which is no number")
        return None


def _of(retries: Any, name: str, making: Making, *, default: int) -> int:
    given = getattr(retries, name) if retries is not None else None
    where = (*making.place, "retry_settings", name)
    found = _count(given, making.scope, where) if given is not None else None
    return default if found is None else found


def _entry(stated: str | None, folder: str, spot: Spot) -> str:
    if stated is None:
        spot.fault("entry_script is missing")
        return ""
    if folder and Path(folder).is_dir() and not (Path(folder) / stated).is_file():
        spot.at("entry_script").fault(f"there is no file {stated} in the code")
    return stated


def _data(making: Making, given: str | None, own: ParallelPart | None) -> str:
    stated_here = own is not None and own.input_data is not None
    spot = making.spot if stated_here else making.declared
    if given is None:
        spot.fault("input_data is missing")
        return ""
    where = spot.at("input_data")
    commands.check(given, making.names(), spot=where)
    name = commands.single(given, "inputs")
    if not name:
        where.fault(f"{given!r} names no input: ${{{{inputs.NAME}}}} does")
    elif name in making.fed and making.fed[name].value is not None and not making.fed[name].data:
        where.fault(f"the input {name} is a value, and is cut into no mini-batches")
    return name


def _append(making: Making, given: str | None, spot: Spot) -> str:
    if given is None:
        return ""
    commands.check(given, making.names(), spot=spot)
    name = commands.single(given, "outputs")
    if not name:
        spot.fault(f"{given!r} names no output: ${{{{outputs.NAME}}}} does")
    return name


def _size(making: Making, given: str | None) -> int:
    """Return files, or bytes: `10kb` is 10,240."""
    if given is None:
        return 0
    if references(given):
        given = making.scope.plain(given, (*making.place, "mini_batch_size"))
    found = _SIZE.fullmatch(given)
    if found is None:
        if given:
            making.declared.at("mini_batch_size").fault(
                f"is no number of files, and no size as 10kb or 1mb is: {given!r}",
            )
        return 0
    return int(float(found[1]) * _UNITS[found[2].lower()])
