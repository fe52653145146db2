"""What a command may name: the inputs and outputs of its own step, and nothing else."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from brinery.specs.expressions import Reference, references, unclosed
from brinery.specs.job_source import Spot
from brinery.specs.names import nearest

_PATH = 2
_LATE = ("name", "default_datastore", "output_name")


class Names(NamedTuple):
    """What a command may name.

    Attributes:
        inputs: of the step.
        outputs: of the step.
        optional: those of the inputs that may be without a value.
        space: the hyperparameters of a sweep that stands alone; None elsewhere.
        owner: whose they are, for messages: `component train`.
    """

    inputs: Collection[str]
    outputs: Collection[str]
    optional: Collection[str] = ()
    space: Collection[str] | None = None
    owner: str = "the job"


def check(  # noqa: C901 - one branch for each group of names
    template: str, names: Names, *, spot: Spot
) -> set[str]:
    """Return the inputs that a command names; what it names wrongly is told."""
    used: set[str] = set()
    if unclosed(template):
        spot.fault("${{ is not ended by }}")
    for one in references(template):
        group = one.path[0]
        if group == "inputs" and len(one.path) >= _PATH:
            name = ".".join(one.path[1:])
            used.add(name)
            if name not in names.inputs:
                spot.fault(_unknown(one, "input", names.inputs, owner=names.owner))
            elif name in names.optional and not one.optional:
                spot.fault(
                    f"the input {name} is optional, and {one.text} must stand in $[[…]]",
                )
        elif group == "outputs" and len(one.path) >= _PATH:
            name = ".".join(one.path[1:])
            if name not in names.outputs:
                spot.fault(_unknown(one, "output", names.outputs, owner=names.owner))
        elif group == "search_space" and len(one.path) == _PATH and names.space is not None:
            used.add(one.path[1])
            if one.path[1] not in names.space:
                known = names.space
                spot.fault(_unknown(one, "hyperparameter", known, owner=names.owner))
        elif group == "parent":
            spot.fault(f"{one.text} is of the pipeline, and a command names inputs of its step")
        elif not (len(one.path) == 1 and group in _LATE):
            spot.fault(f"{one.text} names nothing{_mended(one, names)}")
    return used


def _unknown(one: Reference, kind: str, known: Collection[str], *, owner: str) -> str:
    name = ".".join(one.path[1:])
    near = nearest(name, known)
    said = f" (did you mean {near}?)" if near else ""
    return f"{one.text}: {owner} has no {kind} {name}{said}"


def _mended(one: Reference, names: Names) -> str:
    for group, known in (("inputs", names.inputs), ("outputs", names.outputs)):
        if one.path[-1] in known:
            return f" (did you mean ${{{{{group}.{one.path[-1]}}}}}?)"
    return ": there are inputs.NAME and outputs.NAME"


def single(template: str | None, group: str) -> str:
    """Return the name in `${{inputs.NAME}}`, of a text that is nothing else; empty for others."""
    found = references(template or "")
    if len(found) == 1 and found[0].path[0] == group and len(found[0].path) == _PATH:
        return found[0].path[1]
    return ""
