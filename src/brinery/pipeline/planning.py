"""From a job file to a plan: nested pipelines flat, expressions of parents filled in, faults told.

Component files are read by `specs`; what is registered is asked of a `Catalog`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from msgspec import Struct, field
from msgspec.structs import replace

from brinery.pipeline import feeding, leaving, order, scopes, steps
from brinery.pipeline.catalog import Catalog, Nothing, Registered
from brinery.pipeline.components import Component, Components
from brinery.pipeline.entries import Entry, entry
from brinery.pipeline.ports import LONGEST
from brinery.pipeline.remarks import Remarks
from brinery.pipeline.scopes import Fed, Promise, Scope
from brinery.pipeline.steps import Making
from brinery.records.plan import (
    Joined,
    Kept,
    Plan,
    Produced,
    Step,
    StepKind,
    Sweep,
    Value,
)
from brinery.specs.components import (
    CommandComponent,
    InputPort,
    ParallelComponent,
    PipelineComponent,
)
from brinery.specs.job_kinds import (
    CommandJob,
    CommandStep,
    JobPart,
    ParallelStep,
    PipelineJob,
)
from brinery.specs.job_parts import DataOutput
from brinery.specs.job_source import Source, Spot
from brinery.specs.job_yaml import Declared
from brinery.specs.yaml_file import Place

__all__ = ["Catalog", "Nothing", "Registered", "plan", "validate_component"]

# The one step of a job that is no pipeline.
ALONE: Final = "main"
_KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_JOB_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,254}")


def plan(declared: Declared, catalog: Catalog | None = None) -> Plan:
    """Return the plan of a job.

    Args:
        declared: as `job_yaml.read` has it.
        catalog: what was registered; nothing when None.

    Raises:
        InvalidJob: every fault of the file, of the files it names, and of the whole, at once.
    """
    planner = _planner(catalog)
    made = planner.job(declared)
    declared.found.raise_if_any()
    return made


def validate_component(declared: Declared, catalog: Catalog | None = None) -> None:
    """Check a component by itself, as it is when it is registered.

    Raises:
        InvalidJob: every fault at once; its name is one of them where it has other characters than
            small letters, digits and `_`.
    """
    planner = _planner(catalog)
    planner.component(declared)
    declared.found.raise_if_any()


def _planner(catalog: Catalog | None) -> _Planner:
    known = catalog or Nothing()
    return _Planner(known, Components(known))


class _Planner(Struct):
    """Plans one job; faults go to the findings of its source."""

    catalog: Catalog
    components: Components
    steps: dict[str, Step] = field(default_factory=dict)
    # What a nested pipeline's output is an output of.
    aliases: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    places: dict[str, tuple[Source, Place]] = field(default_factory=dict)
    remarks: Remarks = field(default_factory=Remarks)
    open: list[str] = field(default_factory=list)
    pipelines: set[str] = field(default_factory=set)

    def job(self, declared: Declared) -> Plan:
        """Return a plan, whole where no fault was found."""
        job, source = declared.model, declared.source
        assert isinstance(job, JobPart)  # noqa: S101 - for the type checker
        _check_names(job, source)
        self.remarks.of(job, Spot(source))
        kept: dict[str, Kept] = {}
        settings = None
        if isinstance(job, PipelineJob):
            settings = job.settings
            if settings is not None:
                self.remarks.of(settings, Spot(source, ("settings",)))
            kept = self._pipeline_job(job, source)
        else:
            step = self._alone(job, source)
            self.steps[step.name] = step
            kept = {
                name: Kept(step=step.name, output=name, settings=each)
                for name, each in step.outputs.items()
            }
        return Plan(
            name=job.name or "",
            pipeline=isinstance(job, PipelineJob),
            steps=tuple(self._ordered()),
            outputs=kept,
            display_name=job.display_name or "",
            description=job.description or "",
            experiment=job.experiment_name or Path.cwd().name or "Default",
            tags={name: text or "" for name, text in (job.tags or {}).items()},
            file=str(source.folder / Path(source.name).name),
            datastore=self._datastore(settings, source),
            continue_on_failure=bool(settings and settings.continue_on_step_failure),
            force_rerun=bool(settings and settings.force_rerun),
            notes=tuple(declared.found.notes),
        )

    def component(self, declared: Declared) -> None:
        """Find the faults of a component by itself."""
        made = self.components.declared(declared)
        if made is None:
            return
        if not re.fullmatch(r"[a-z][a-z0-9_]*", made.model.name or ""):
            said = (
                f"{made.model.name!r} is no name of a component: small letters, digits and _, the "
                "first a letter"
            )
            made.source.fault(("name",), said if made.model.name else "is missing")
        fed = {name: _opaque(name, port) for name, port in feeding.ports_of(made).items()}
        scope = Scope(made.source, self.catalog)
        if made.type == "pipeline":
            promises = leaving.inner({}, made, scope=scope, place=(), name="")
            self._within(made, fed, promises, prefix="")
        else:
            outputs = leaving.outputs({}, made, scope=scope, place=(), name=ALONE)
            making = Making(ALONE, scope, (), fed, outputs, made, self.catalog)
            self._leaf(made.type, making, None)

    def _datastore(self, settings: Any, source: Source) -> str:
        given = settings.default_datastore if settings is not None else None
        if given is None:
            return "workspaceblobstore"
        name: str = given.removeprefix("azureml:").rpartition("/")[2]
        if self.catalog.exists("datastore", name) is False:
            near = scopes.near(name, self.catalog.names("datastore"))
            source.fault(("settings", "default_datastore"), f"there is no datastore {name}{near}")
        return name

    def _alone(self, job: JobPart, source: Source) -> Step:
        """Return the one step of a command or a sweep."""
        scope = Scope(source, self.catalog)
        fed: dict[str, Fed] = {}
        for name, given in (job.inputs or {}).items():
            one = scope.fed(given, ("inputs", name)) if not isinstance(given, str) else None
            fed[name] = one or feeding.told(given)
            if fed[name].missing not in ("", "told"):
                source.fault(("inputs", name), fed[name].missing)
        outputs = {
            name: leaving.output(given or DataOutput())
            for name, given in (job.outputs or {}).items()
        }
        making = Making(ALONE, scope, (), fed, outputs, None, self.catalog, tuple(fed))
        if not isinstance(job, CommandJob):
            return _swept(making, job)
        made = steps.command(making, job)
        return replace(
            made,
            display_name=job.display_name or "",
            timeout_s=steps.timeout(making, job.limits),
        )

    def _pipeline_job(self, job: PipelineJob, source: Source) -> dict[str, Kept]:
        """Plan the steps of a pipeline, and return its outputs."""
        promises = {
            name: Promise((given.type if given else None) or "", given or DataOutput(), top=True)
            for name, given in (job.outputs or {}).items()
        }
        if job.component is not None:
            if job.jobs:
                source.fault(("component",), "goes with no jobs: a pipeline has one of both")
            promises = self._of_component(job, source, promises)
        elif not job.jobs:
            source.fault(("jobs",) if "jobs" in source.stated else (), "a pipeline needs jobs")
        else:
            scope = Scope(source, self.catalog, outputs=promises)
            scope.inputs = _inputs(job, scope)
            self._jobs(job.jobs, scope)
            self._unused(scope)
        return self._kept(promises, source)

    def _of_component(
        self, job: PipelineJob, source: Source, promises: dict[str, Promise]
    ) -> dict[str, Promise]:
        """Plan a job that is an instance of a pipeline component; return its outputs."""
        place: Place = ("component",)
        found = self.components.of(job.component or "", Spot(source, place))
        if found is None:
            return promises
        if found.type != "pipeline":
            source.fault(place, f"is of type {found.type}, and a pipeline's is pipeline")
            return promises
        scope = Scope(source, self.catalog)
        fed = feeding.feed(job.inputs or {}, found, scope=scope, place=("inputs",))
        known = leaving.inner(
            {name: each.settings for name, each in promises.items()},
            found,
            scope=scope,
            place=("outputs",),
            name="",
        )
        for each in known.values():
            each.top = True
        self._within(found, fed, known, prefix="")
        return known

    def _kept(self, promises: Mapping[str, Promise], source: Source) -> dict[str, Kept]:
        kept = {}
        for name, each in promises.items():
            if each.by is None:
                source.note(("outputs", name), "no step leaves it")
                continue
            step, output = self._leaf_of(*each.by)
            made = self.steps[step].outputs.get(output) if step in self.steps else None
            kind = each.type or (made.type if made is not None else "")
            mode = made.mode if made is not None else ""
            settings = leaving.output(each.settings, kind=kind, mode=mode)
            kept[name] = Kept(step=step, output=output, settings=settings)
        return kept

    def _within(
        self,
        component: Component,
        fed: Mapping[str, Fed],
        promises: dict[str, Promise],
        *,
        prefix: str,
    ) -> None:
        """Plan the steps of a pipeline component."""
        model = component.model
        assert isinstance(model, PipelineComponent)  # noqa: S101 - for the type checker
        key = f"{component.source.folder}/{component.source.name}/{component.source.prefix}"
        if key in self.open:
            component.source.fault((), "the pipeline is a step of itself")
            return
        if not model.jobs:
            return
        self.open.append(key)
        scope = Scope(component.source, self.catalog, prefix, dict(fed), promises)
        self._jobs(model.jobs, scope)
        self.open.pop()
        for name, each in promises.items():
            if each.by is None:
                component.source.note(("outputs", name), "no step leaves it")

    def _jobs(self, stated: Mapping[str, Any], scope: Scope) -> None:
        found = [
            entry(key, each, scope=scope, components=self.components)
            for key, each in stated.items()
        ]
        for one in found:
            if one is not None and one.kind:
                self._step(one, scope)
            elif one is not None:
                _bindings(one, scope)

    def _step(self, one: Entry, scope: Scope) -> None:
        """Plan one step, or the steps of a pipeline that is one."""
        source, place, model = scope.source, one.place, one.model
        self.remarks.step(model, Spot(source, place), component=one.component)
        _check_keys(model.inputs or {}, source, (*place, "inputs"))
        _check_outputs(model.outputs or {}, source, (*place, "outputs"))
        if model.compute and "${{" in model.compute:
            scope.plain(model.compute, (*place, "compute"))
        self.places[one.name] = (source, place)
        given, where = model.inputs or {}, (*place, "inputs")
        space: dict[str, Any] = {}
        swept: Sweep | None = None
        if one.kind == "sweep":
            swept = _sweeps().sweep(model, Spot(source, place), scope=scope)
            space = dict(swept.space) if swept is not None else {}
        if one.component is None:
            fed = feeding.inline(given, scope, place=where, name=one.key)
        else:
            fed = feeding.feed(
                given, one.component, scope=scope, place=where, name=one.key, drawn=list(space)
            )
        if one.kind == "pipeline" and one.component is not None:
            name, outs = one.name, (*place, "outputs")
            self.pipelines.add(name)
            promises = leaving.inner(one.outputs, one.component, scope=scope, place=outs, name=name)
            self._within(one.component, fed, promises, prefix=f"{name}.")
            for output, each in promises.items():
                if each.by is not None:
                    self.aliases[name, output] = each.by
            return
        outputs = leaving.outputs(
            one.outputs, one.component, scope=scope, place=(*place, "outputs"), name=one.name
        )
        making = Making(
            one.name, scope, place, fed, outputs, one.component, self.catalog, tuple(given), space
        )
        if swept is not None:
            _sweeps().check_space(making, swept)
        step = self._leaf(one.kind, making, model)
        if step is None:
            return
        if swept is not None:
            step = replace(step, kind=StepKind.SWEEP, sweep=swept)
        self.steps[one.name] = replace(step, display_name=model.display_name or one.key)

    def _leaf(self, kind: str, making: Making, model: Any) -> Step | None:
        """Return the record of a step that is no pipeline."""
        component = making.component.model if making.component is not None else None
        if kind == "parallel":
            own = model if isinstance(model, ParallelStep) else None
            if isinstance(component, ParallelComponent):
                return steps.parallel(making, component, own=own)
            if own is None:
                return None
            if own.task is None and "task" not in model.stated:
                making.spot.fault("task is missing")
            return steps.parallel(making, own)
        own_command = model if isinstance(model, CommandStep) else None
        limits = own_command.limits if own_command is not None else None
        if isinstance(component, CommandComponent):
            of_trials = model.resources if kind == "sweep" else None
            said = CommandStep(resources=of_trials) if of_trials else own_command
            step = steps.command(making, component, own=said)
            limits = limits or component.limits
        elif own_command is not None:
            for name in ("command", "environment"):
                if name not in own_command.stated:
                    making.spot.fault(f"{name} is missing")
            step = steps.command(making, own_command)
        else:
            return None
        return replace(step, timeout_s=steps.timeout(making, limits))

    @staticmethod
    def _unused(scope: Scope) -> None:
        for name, one in scope.inputs.items():
            if not one.used:
                scope.source.note(("inputs", name), "nothing names it")

    def _leaf_of(self, step: str, output: str) -> tuple[str, str]:
        found = (step, output)
        while found in self.aliases:
            found = self.aliases[found]
        return found

    def _ordered(self) -> list[Step]:
        """Return the steps in order; a circle is told."""
        whole = {}
        for name, step in self.steps.items():
            inputs = {key: self._resolved(one) for key, one in step.inputs.items()}
            whole[name] = replace(step, inputs=inputs)
            for key, value in inputs.items():
                self._left(name, key, value)
        found, circle = order.ordered(whole)
        if circle:
            source, place = self.places[circle[0]]
            told = " → ".join(reversed(circle))
            source.fault(place, f"steps wait for each other: {told}")
        return found

    def _left(self, name: str, key: str, value: Value) -> None:
        """Tell an input that is an output which no step of a nested pipeline leaves."""
        for one in order.produced(value):
            if one.step in self.pipelines:
                source, place = self.places[name]
                said = f"no step of {one.step} leaves its output {one.output}"
                source.fault((*place, "inputs", key), said)

    def _resolved(self, value: Value) -> Value:
        if isinstance(value, Produced):
            step, output = self._leaf_of(value.step, value.output)
            return Produced(step=step, output=output)
        if isinstance(value, Joined):
            parts = [self._resolved(part) for part in value.parts]
            return Joined(parts=tuple(part for part in parts if not isinstance(part, Joined)))
        return value


def _inputs(job: PipelineJob, scope: Scope) -> dict[str, Fed]:
    """Return what the inputs of a pipeline stand for."""
    found: dict[str, Fed] = {}
    for name, given in (job.inputs or {}).items():
        one = feeding.told(given) if isinstance(given, str) else scope.fed(given, ("inputs", name))
        found[name] = one
    return found


def _bindings(one: Entry, scope: Scope) -> None:
    """Tell what is wrong with a step of which only its own words are known."""
    feeding.inline(one.model.inputs or {}, scope, place=(*one.place, "inputs"), name=one.key)
    leaving.outputs(one.outputs, None, scope=scope, place=(*one.place, "outputs"), name=one.name)


def _opaque(name: str, port: InputPort) -> Fed:
    """Return what stands for an input of a component that is looked at by itself."""
    kind = port.type or ""
    return Fed(Produced(step="", output=name), kind, bool(port.optional))


def _swept(making: Making, job: Any) -> Step:
    """Return the one step of a job that is a sweep."""
    found: Sweep = _sweeps().sweep(job, making.spot)
    making = replace(making, space=found.space)
    if job.trial is None:
        return making.step(StepKind.SWEEP)
    trial = job.trial
    if trial.resources is None and job.resources is not None:
        trial = trial.but(resources=job.resources)
    made = steps.command(_at(making, ("trial",)), trial)
    return replace(made, kind=StepKind.SWEEP, sweep=found, display_name=job.display_name or "")


def _sweeps() -> Any:
    # Its models take as long to make as a small job to plan, and few jobs have one.
    return import_module("brinery.pipeline.sweeps")


def _at(making: Making, place: Place) -> Making:
    """Return the same with what is run declared elsewhere in the file."""
    return replace(making, place=place)


def _check_names(job: JobPart, source: Source) -> None:
    if job.name and not _JOB_NAME.fullmatch(job.name):
        source.fault(
            ("name",), f"{job.name!r} is no name of a job: letters, digits, - and _ make one"
        )
    _check_keys(job.inputs or {}, source, ("inputs",))
    _check_outputs(job.outputs or {}, source, ("outputs",))


def _check_outputs(given: Mapping[str, Any], source: Source, place: Place) -> None:
    _check_keys(given, source, place)
    for name, each in given.items():
        path = each.path if isinstance(each, DataOutput) else None
        if path is not None and (said := scopes.outside(path)):
            source.fault((*place, name, "path"), said)


def _check_keys(given: Mapping[str, Any], source: Source, place: Place) -> None:
    for name in given:
        if not _KEY.fullmatch(name):
            source.fault((*place, name), "a name has letters, digits and _, and no digit first")
        elif len(name) > LONGEST:
            source.fault((*place, name), f"a name has at most {LONGEST} characters")
