"""The flow: what made what, what of it is out of date and why, and making it again.

The graph is drawn from the records that runs of recipes leave. Whether a recipe would leave
something else now is decided as for any step of a job: by its command, its code, its environment
and the versions of what it reads, compared with those of its newest run.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace

from brinery.actions.flow_items import dataset_facts, facts_of, folder_facts, version_now
from brinery.actions.flow_rooms import FlowRooms
from brinery.actions.job import How, run_plan
from brinery.actions.projects import project_key
from brinery.actions.run_script import asked_again, planned
from brinery.errors import BrineryError, NotFound
from brinery.pipeline.flow import ItemFacts, graph, node_of
from brinery.pipeline.keys import parts_of
from brinery.pipeline.recipes import called, feeders, of_kind, place_of, recipe_step
from brinery.records.dataset import Dataset
from brinery.records.flow import Activity, Flow, Use, UseKind
from brinery.records.folder import ManagedFolder
from brinery.records.job import JobRun, Status, StepRun
from brinery.records.job_event import JobEvent
from brinery.records.plan import Plan, Step
from brinery.specs.names import nearest
from brinery.store.fingerprints import hash_text
from brinery.store.snapshots import place_of as place_in

EXPERIMENT: Final = "flow"


def flow(rooms: FlowRooms, *, project: str = "") -> Flow:
    """Return the graph of a project, with what is out of date and why.

    Args:
        rooms: of the workspace.
        project: its key; the default one when empty.

    Raises:
        NotFound: there is no such project.
    """
    key = project_key(rooms.projects, project)
    activities = rooms.projects.records.latest(key)
    items: dict[str, ItemFacts] = {}
    for dataset in rooms.projects.records.all(Dataset, key):
        items[f"dataset:{dataset.full_name}"] = dataset_facts(dataset)
    for activity in activities:
        for use in activity.uses:
            if node_of(use) not in items:
                items[node_of(use)] = facts_of(rooms.projects, use)
    for folder in rooms.projects.records.all(ManagedFolder, key):
        node = f"folder:{folder.project}.{folder.id}"
        if node not in items:
            items[node] = folder_facts(rooms.projects, folder)
    changed = {}
    for activity in activities:
        why = why_again(rooms, activity)
        if why:
            changed[activity.recipe] = why
    return graph(key, activities, items=items, changed=changed)


def why_again(rooms: FlowRooms, activity: Activity) -> str:
    """Return why a recipe would leave something else now than its newest run; empty for no reason.

    What comes before it and is out of date itself is not looked at.
    """
    try:
        step = recipe_step(_step(rooms, activity), activity)
        before = _run_of(rooms, activity)
        top, beside = ("", step.watched) if step.watched else (step.code, step.includes)
        code, tree = rooms.jobs.snapshots.look(top, beside)
        environment = rooms.jobs.software.key(step)
    except (BrineryError, OSError) as error:
        return error.message if isinstance(error, BrineryError) else f"{error}"
    inputs = {}
    for use in of_kind(activity, UseKind.READ):
        version = version_now(rooms.projects, place_of(use))
        if version is None:
            return f"{called(use)} is gone"
        inputs[called(use)] = hash_text(_known(use, version))
    given = {part.name.partition(" ")[2]: part.value for part in before.parts}
    others = {name: given.get(name, "") for name in step.inputs if name not in inputs}
    parts = parts_of(step, code=code, inputs={**others, **inputs}, environment=environment)
    # Comparing texts takes an import that a flow in which nothing changed does not need.
    explain: Any = import_module("brinery.pipeline.explain")
    places = {content: place_in(top, beside, name=name) for name, content in tree.items()}

    def files(content: str) -> bytes | None:
        kept = rooms.jobs.reuse.file(content)
        now = places.get(content)
        return kept if kept is not None or not now else Path(now).read_bytes()

    found = explain.differences(
        before.parts,
        parts,
        trees=lambda content: tree if content == code else rooms.jobs.reuse.tree(content),
        files=files,
    )
    for use in of_kind(activity, UseKind.WRITTEN):
        version = version_now(rooms.projects, place_of(use))
        if version is None:
            found.append(f"{called(use)} is gone")
        elif _known(use, version) != use.version:
            found.append(f"{called(use)} is not what it wrote")
    return "; ".join(found)


def build(
    rooms: FlowRooms,
    targets: Sequence[str] = (),
    *,
    project: str = "",
    name: str = "",
    how: How | None = None,
) -> Generator[JobEvent, None, JobRun]:
    """Run the recipes that targets need and that are out of date, in order; return the job.

    Args:
        rooms: of the workspace.
        targets: names of datasets, folders, models or recipes; everything when there is none.
        project: its key; the default one when empty.
        name: of the job; one is drawn when empty.
        how: it is run.

    Yields:
        What happens: of each recipe why it ran, or what stands for it.

    Raises:
        NotFound: no recipe is known, or none that writes a target.
    """
    key = project_key(rooms.projects, project)
    activities = rooms.projects.records.latest(key)
    fed = feeders(activities)
    wanted = _wanted(activities, fed, targets)
    plan, names = _plan(rooms, wanted, fed=fed, targets=targets)
    earlier = {
        names[activity.recipe]: (activity.job, _run_or_none(rooms, activity)) for activity in wanted
    }
    known = {name: (job, run) for name, (job, run) in earlier.items() if run is not None}
    plan = replace(plan, name=name)
    job = yield from run_plan(rooms.jobs, plan, how=replace(how or How(), earlier=known))
    by_step = {names[activity.recipe]: activity for activity in wanted}
    for run in job.steps:
        if run.reused and run.status is Status.COMPLETED and run.name in by_step:
            _recall(rooms, by_step[run.name], run)
    return job


def _wanted(
    activities: Sequence[Activity], fed: Mapping[str, set[str]], targets: Sequence[str]
) -> list[Activity]:
    """Return the newest run of each recipe that targets need, each after those that feed it."""
    if not activities:
        raise NotFound("no recipe was run yet", hint="brinery run SCRIPT")
    waiting: list[str] = []
    for target in targets:
        waiting += _writers(activities, target)
    needed: set[str] = set() if targets else {activity.recipe for activity in activities}
    while waiting:
        one = waiting.pop()
        if one not in needed:
            needed.add(one)
            waiting += fed[one]
    found: list[Activity] = []
    left = [activity for activity in activities if activity.recipe in needed]
    while left:
        done = {activity.recipe for activity in found}
        ready = next(one for one in left if fed[one.recipe] & needed <= done)
        left.remove(ready)
        found.append(ready)
    return found


def _writers(activities: Sequence[Activity], target: str) -> list[str]:
    """Return the recipes that make a target: itself, or those that wrote it last."""
    known: dict[str, set[str]] = {}
    for activity in activities:
        known[activity.recipe] = {activity.recipe}
        known.setdefault(Path(activity.recipe).stem, {activity.recipe})
    for activity in activities:
        for use in of_kind(activity, UseKind.WRITTEN):
            for name in {use.name, use.label, f"{use.project}.{use.name}"} - {""}:
                if use.path:
                    known.setdefault(name, set()).add(activity.recipe)
                else:
                    known[name] = {activity.recipe}
    if target in known:
        return sorted(known[target])
    near = nearest(target, known)
    meant = f": did you mean {near}?" if near else ""
    raise NotFound(f"no recipe writes {target}{meant}", hint="brinery flow shows what there is")


def _plan(
    rooms: FlowRooms,
    wanted: Sequence[Activity],
    *,
    fed: Mapping[str, set[str]],
    targets: Sequence[str],
) -> tuple[Plan, dict[str, str]]:
    """Return the plan of some recipes, and the name of the step of each."""
    steps: list[Step] = []
    names: dict[str, str] = {}
    for activity in wanted:
        step = _step(rooms, activity)
        name = step.name
        number = 2
        while name in names.values():
            name, number = f"{step.name}_{number}", number + 1
        names[activity.recipe] = name
        after = [names[one] for one in sorted(fed[activity.recipe]) if one in names]
        steps.append(replace(recipe_step(step, activity, after=after), name=name))
    plan = Plan(
        name="",
        pipeline=True,
        steps=tuple(steps),
        display_name=f"flow: {', '.join(targets)}" if targets else "flow",
        experiment=EXPERIMENT,
        file=str(rooms.projects.workspace.state / "flow"),
    )
    return plan, names


def _step(rooms: FlowRooms, activity: Activity) -> Step:
    """Return the step that runs a recipe as it was run.

    Raises:
        NotFound: its script is gone.
        InvalidNotebook: its script cannot be read.
    """
    script = Path(activity.call.script)
    if not script.is_file():
        raise NotFound(
            f"the script of {activity.recipe} is gone",
            hint=f"run it where it is now: brinery run {script.name}",
        )
    return planned(rooms.jobs, script, asked=asked_again(activity.call)).steps[0]


def _run_of(rooms: FlowRooms, activity: Activity) -> StepRun:
    """Return the run of a recipe as its job has it.

    Raises:
        NotFound: the job was deleted.
    """
    job = rooms.jobs.jobs.read(activity.job)
    places = {step.name: step.place for step in job.plan.steps}
    for run in job.steps:
        if places.get(run.name) == activity.call.script:
            return run
    raise NotFound(f"the job {activity.job} did not run {activity.recipe}")


def _run_or_none(rooms: FlowRooms, activity: Activity) -> StepRun | None:
    try:
        return _run_of(rooms, activity)
    except (BrineryError, OSError):
        return None


def _recall(rooms: FlowRooms, newest: Activity, run: StepRun) -> None:
    """Have an earlier run of a recipe that stands for it again be its newest."""
    if newest.job == run.reused:
        return
    for activity in rooms.projects.records.of_job(run.reused):
        if activity.recipe == newest.recipe and activity.completed:
            now = datetime.now(UTC)
            rooms.projects.records.begin(replace(activity, started=now, ended=now))
            return


def _known(use: Use, version: str) -> str:
    """Return the version of an item as it is compared: a model's is never looked up."""
    return version or use.version
