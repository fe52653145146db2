"""The order of steps: each after all that feed it; and the circle where there is none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from brinery.records.plan import Joined, Produced, Step, Value


def produced(value: Value) -> Iterator[Produced]:
    """Yield what a value has from other steps."""
    if isinstance(value, Produced):
        yield value
    elif isinstance(value, Joined):
        yield from (part for part in value.parts if isinstance(part, Produced))


def needs(step: Step) -> set[str]:
    """Return the names of the steps that feed one."""
    return {one.step for value in step.inputs.values() for one in produced(value)}


def ordered(steps: Mapping[str, Step]) -> tuple[list[Step], list[str]]:
    """Return the steps in order, and the circle that keeps them from it; one of both is empty.

    Steps that need each other in no way keep the order of the file.
    """
    graph = {name: sorted(needs(step) & steps.keys()) for name, step in steps.items()}
    sorter = TopologicalSorter(graph)
    try:
        sorter.prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        return [], circle
    place = {name: at for at, name in enumerate(steps)}
    found: list[Step] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready(), key=place.__getitem__)
        found += [steps[name] for name in ready]
        sorter.done(*ready)
    return found, []
