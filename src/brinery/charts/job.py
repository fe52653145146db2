"""A job as a graph of its steps; pipelines within it are boxes of their own until opened."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from msgspec import Struct

from brinery.charts.graph import GraphEdge, GraphNode, graph_svg
from brinery.charts.words import counted, duration
from brinery.records.job import JobRun, Status, StepRun
from brinery.records.plan import Joined, Plan, Produced, Step, Value

# Of more steps than these, the pipelines within are closed until somebody opens them.
_READABLE: Final = 40
_BETWEEN: Final = "."


class Look(Struct, frozen=True, kw_only=True):
    """How a state is shown: by a class for its colour, a sign, and words.

    Attributes:
        state: the class.
        sign: before the name.
        told: under it.
    """

    state: str
    sign: str
    told: str


_LOOKS: Final[Mapping[Status, Look]] = {
    Status.NOT_STARTED: Look(state="idle", sign="·", told="not begun"),
    Status.QUEUED: Look(state="active", sign="▷", told="queued"),
    Status.PREPARING: Look(state="active", sign="▷", told="preparing"),
    Status.RUNNING: Look(state="active", sign="▶", told="running"),
    Status.FINALIZING: Look(state="active", sign="▶", told="finalizing"),
    Status.CANCEL_REQUESTED: Look(state="warning", sign="■", told="asked to end"),
    Status.COMPLETED: Look(state="good", sign="✓", told="completed"),
    Status.FAILED: Look(state="bad", sign="✕", told="failed"),
    Status.CANCELED: Look(state="warning", sign="■", told="canceled"),
    Status.NOT_RESPONDING: Look(state="warning", sign="?", told="not responding"),
}


def look_of(status: Status) -> Look:
    """Return how a state is shown."""
    return _LOOKS[status]


def look_of_step(run: StepRun) -> Look:
    """Return how a step is shown, with how long it took."""
    look = _LOOKS[run.status]
    if run.reused and run.status is Status.COMPLETED:
        return Look(state="good", sign="↺", told="reused")
    if run.usage is not None and run.status is Status.COMPLETED:
        return Look(state=look.state, sign=look.sign, told=f"done in {duration(run.usage.wall_s)}")
    if run.usage is not None:
        told = f"{look.told} after {duration(run.usage.wall_s)}"
        return Look(state=look.state, sign=look.sign, told=told)
    return look


def groups(plan: Plan) -> list[str]:
    """Return the pipelines within a pipeline, each before those within it."""
    found: dict[str, None] = {}
    for step in plan.steps:
        parts = step.name.split(_BETWEEN)
        found |= {_BETWEEN.join(parts[:depth]): None for depth in range(1, len(parts))}
    return list(found)


def opened(plan: Plan, *, more: Iterable[str] = (), fewer: Iterable[str] = ()) -> set[str]:
    """Return which pipelines within a pipeline are open.

    Args:
        plan: of the job.
        more: those that somebody opened.
        fewer: those that somebody closed.
    """
    known = groups(plan)
    first = known if len(plan.steps) <= _READABLE else []
    return ({*first, *(one for one in more if one in known)}) - set(fewer)


def shown_as(step: str, within: AbstractSet[str]) -> str:
    """Return the box that a step stands in: itself, or the closed pipeline around it."""
    parts = step.split(_BETWEEN)
    for depth in range(1, len(parts)):
        outer = _BETWEEN.join(parts[:depth])
        if outer not in within:
            return outer
    return step


def job_nodes(
    job: JobRun,
    *,
    within: AbstractSet[str],
    hint: Callable[[StepRun], str],
    only: AbstractSet[str] | None = None,
) -> list[GraphNode]:
    """Return the boxes of a job: of its steps, and of closed pipelines.

    Args:
        job: that is shown.
        within: pipelines that are open.
        hint: gives all there is to say of a step.
        only: boxes that are wanted; all when None.
    """
    boxes: dict[str, list[StepRun]] = {}
    for run in job.steps:
        boxes.setdefault(shown_as(run.name, within), []).append(run)
    planned = {step.name: step for step in job.plan.steps}
    return [
        _step_node(runs[0], planned[name], hint(runs[0]))
        if name in planned
        else _group_node(name, runs)
        for name, runs in boxes.items()
        if only is None or name in only
    ]


def job_svg(
    job: JobRun,
    *,
    within: AbstractSet[str],
    hint: Callable[[StepRun], str],
    href: Callable[[str, bool], str],
    selected: str = "",
) -> str:
    """Return the picture of a job, as a part of a page.

    Args:
        job: that is shown.
        within: pipelines that are open.
        hint: gives all there is to say of a step.
        href: gives where a box leads, by its name and whether it is a closed pipeline.
        selected: the step that the page shows.
    """
    nodes = [
        GraphNode(
            id=node.id,
            name=node.name,
            told=node.told,
            kind=node.kind,
            state=node.state,
            sign=node.sign,
            hint=node.hint,
            href=href(node.id, node.kind == "group"),
            selected=node.id == selected,
        )
        for node in job_nodes(job, within=within, hint=hint)
    ]
    title = f"The job {job.name}: {counted(len(job.steps), 'step')}"
    return graph_svg(nodes, job_edges(job.plan, within), title=title)


def job_edges(plan: Plan, within: AbstractSet[str]) -> list[GraphEdge]:
    """Return what feeds what: between steps, and closed pipelines."""
    found: dict[tuple[str, str], list[str]] = {}
    for step in plan.steps:
        target = shown_as(step.name, within)
        for source, what in feeders(step):
            pair = (shown_as(source, within), target)
            if pair[0] != pair[1]:
                found.setdefault(pair, []).append(what)
    return [
        GraphEdge(source=source, target=target, hint=", ".join(dict.fromkeys(said)))
        for (source, target), said in found.items()
    ]


def feeders(step: Step) -> list[tuple[str, str]]:
    """Return the steps that come before a step, and what each hands it, in words."""
    found = [(one, "runs after it") for one in step.after]
    for name, value in step.inputs.items():
        found += [(one.step, f"{one.output} → {name}") for one in _produced(value)]
    return found


def _produced(value: Value) -> Sequence[Produced]:
    if isinstance(value, Produced):
        return [value]
    parts = value.parts if isinstance(value, Joined) else ()
    return [one for one in parts if isinstance(one, Produced)]


def _step_node(run: StepRun, step: Step, hint: str) -> GraphNode:
    look = look_of_step(run)
    return GraphNode(
        id=run.name,
        name=step.display_name or run.name,
        told=look.told,
        kind=str(step.kind),
        state=look.state,
        sign=look.sign,
        hint=f"{run.name}. {hint}",
    )


def _group_node(name: str, runs: Sequence[StepRun]) -> GraphNode:
    over = sum(run.status.over for run in runs)
    status = _together([run.status for run in runs])
    look = _LOOKS[status]
    told = f"{over} of {counted(len(runs), 'step')}"
    return GraphNode(
        id=name,
        name=name,
        told=told,
        kind="group",
        state=look.state,
        sign=look.sign,
        hint=f"The pipeline {name}: {told} over, {look.told}. Open it.",
    )


def _together(found: Sequence[Status]) -> Status:
    """Return how far several steps are together."""
    for status in (Status.FAILED, Status.CANCELED, Status.NOT_RESPONDING):
        if status in found:
            return status
    if all(one is Status.COMPLETED for one in found):
        return Status.COMPLETED
    begun = any(one is not Status.NOT_STARTED for one in found)
    return Status.RUNNING if begun else Status.NOT_STARTED
