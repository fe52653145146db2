"""Recipes as steps of a job: what a run of one read becomes its inputs, what it wrote its outputs.

An item of the flow is named to the engine of jobs by an address, `flow:dataset/BANK/bank` or
`flow:folder/BANK/L3dZ3p1n/pipeline.pkl`, and stands for a file with the version of its content. So
a recipe is run again by the rules of every other step: when its command, its code, its environment
or the version of an input is another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from brinery.records.flow import Activity, ItemKind, Use, UseKind
from brinery.records.plan import Data, DataType, Output, Step

SCHEME: Final = "flow:"
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_.-]+")

# Kind, project, name and path within: what tells one item from another.
Place = tuple[ItemKind, str, str, str]


def place_of(use: Use) -> Place:
    """Return what tells the item of a use from others."""
    return (use.item, use.project, use.name, use.path)


def address_of(use: Use) -> str:
    """Return the address under which a plan names the item of a use."""
    return f"{SCHEME}{use.item}/{use.project}/{use.name}{use.path}"


def item_at(address: str) -> Place:
    """Return what an address names."""
    kind, project, rest = address.removeprefix(SCHEME).split("/", 2)
    name, slash, path = rest.partition("/")
    return (ItemKind(kind), project, name, f"{slash}{path}")


def called(use: Use) -> str:
    """Return what people call the item of a use: `bank`, `models/pipeline.pkl`, `model clf`."""
    match use.item:
        case ItemKind.DATASET:
            return use.name
        case ItemKind.FOLDER:
            return f"{use.label or use.name}{use.path or '/'}"
        case ItemKind.MODEL:
            return f"model {use.label or use.name}"
        case ItemKind.VARIABLES:
            return f"variables of {use.project}"


def of_kind(activity: Activity, kind: UseKind) -> list[Use]:
    """Return what a run used in one way."""
    return [use for use in activity.uses if use.kind is kind]


def recipe_step(step: Step, activity: Activity, *, after: Sequence[str] = ()) -> Step:
    """Return a step with the inputs and outputs that a run of its recipe had.

    Args:
        step: that runs the script.
        activity: the run.
        after: names of the steps that write what it reads.
    """
    return replace(
        step,
        inputs=dict(step.inputs)
        | {
            called(use): Data(uri=address_of(use), type=DataType.FILE, declared=called(use))
            for use in of_kind(activity, UseKind.READ)
        },
        outputs=dict(step.outputs)
        | {
            output_name(use): Output(type=DataType.FILE, path=address_of(use))
            for use in of_kind(activity, UseKind.WRITTEN)
        },
        after=tuple(after),
    )


def output_name(use: Use) -> str:
    """Return the name of an output that stands for an item, which is one of a file, too."""
    return _UNSAFE.sub(".", called(use)).strip(".") or "item"


def feeders(activities: Iterable[Activity]) -> dict[str, set[str]]:
    """Return for each recipe those that wrote what it read; none leads back to itself.

    Of several that wrote one item, the newest counts.

    Args:
        activities: the newest of each recipe, the oldest first.
    """
    known = list(activities)
    wrote: dict[Place, str] = {}
    for activity in known:
        wrote |= {place_of(use): activity.recipe for use in of_kind(activity, UseKind.WRITTEN)}
    fed: dict[str, set[str]] = {activity.recipe: set() for activity in known}
    for activity in known:
        for use in of_kind(activity, UseKind.READ):
            for place, writer in wrote.items():
                if _within(place, place_of(use)) and not _leads(fed, activity.recipe, writer):
                    fed[activity.recipe].add(writer)
    return fed


def counted(script: str, texts: Mapping[str, str]) -> list[str]:
    """Return which entries of a script's folder decide what it does, the script first.

    An entry counts when the script names it, or another that counts: a module or a package by its
    name anywhere, any other file or folder in a text within quotes. A name in a comment counts as
    well; it is only ever one run too many.

    Args:
        script: its name.
        texts: the text of each entry by its name, of a package that of all its modules; empty for
            what holds no Python and no settings.
    """
    found = [script]
    for name in found:
        text = texts.get(name, "")
        for other in sorted(texts):
            if other not in found and _names(text, other, module=_is_module(other, texts[other])):
                found.append(other)
    return found


def _is_module(name: str, text: str) -> bool:
    return name.endswith(".py") or ("." not in name and bool(text))


def _names(text: str, other: str, *, module: bool) -> bool:
    word = re.escape(other.removesuffix(".py"))
    if module:
        return re.search(rf"(?<![\w.]){word}(?!\w)", text) is not None
    return re.search(rf"['\"/]{word}(?=['\"/])", text) is not None


def _within(written: Place, read: Place) -> bool:
    """Return whether what was written is, or is in, what is read; of folders, or the reverse."""
    if written[:3] != read[:3]:
        return False
    there, asked = written[3], read[3]
    return there == asked or not asked or not there or there.startswith(f"{asked}/")


def _leads(fed: Mapping[str, set[str]], start: str, end: str) -> bool:
    """Return whether one recipe, by those that it feeds, feeds another, or is it."""
    waiting, seen = [end], set[str]()
    while waiting:
        one = waiting.pop()
        if one == start:
            return True
        if one not in seen:
            seen.add(one)
            waiting += fed.get(one, ())
    return False
