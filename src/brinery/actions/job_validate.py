"""A file about jobs is checked, and nothing is run; and the schema that editors check with."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from msgspec import Struct

from brinery.actions.asset_rooms import open_asset_rooms
from brinery.pipeline import planning, softwares
from brinery.pipeline.catalog import Catalog
from brinery.records.plan import Plan
from brinery.specs import job_source, job_yaml
from brinery.specs.job_parts import InlineEnvironment
from brinery.specs.job_source import Findings, Spot
from brinery.specs.job_yaml import Noun

Folder = str | os.PathLike[str]


class Validated(Struct, frozen=True, kw_only=True):
    """A file without faults.

    Attributes:
        file: as it was named.
        noun: what it declares: `job`, `component`, `environment`, …
        type: of it: `command`, `pipeline`, …; empty where its noun has none.
        steps: names, in the order in which they would begin; of a job alone.
        notes: what is accepted and means nothing, or something else, here.
    """

    file: str
    noun: str
    type: str
    steps: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def validate_job(
    file: str | os.PathLike[str], *, sets: Sequence[str] = (), workspace: Folder | None = None
) -> Validated:
    """Return what a file declares: a job, a component, or another thing that may be created.

    Nothing is run.

    Args:
        file: in YAML.
        sets: each `a.b.c=value`, set before anything is checked.
        workspace: whose registered components, environments and data are known.

    Raises:
        InvalidJob: every fault of the file, of those it names, and of the whole, a line each.
    """
    source = job_source.read(Path(file), found=Findings(), sets=sets)
    noun = job_yaml.noun_of(source.stated) or Noun.JOB
    declared = job_yaml.declared(source, noun=noun)
    catalog: Catalog = open_asset_rooms(workspace).catalog
    steps: tuple[str, ...] = ()
    if noun is Noun.JOB:
        made: Plan = planning.plan(declared, catalog)
        steps = tuple(one.name for one in made.steps)
    elif noun is Noun.COMPONENT:
        planning.validate_component(declared, catalog)
    elif isinstance(declared.model, InlineEnvironment):
        softwares.inline(declared.model, Spot(source))
    declared.found.raise_if_any()
    return Validated(
        file=os.fspath(file),
        noun=noun.value,
        type=declared.type,
        steps=steps,
        notes=tuple(declared.found.notes),
    )


def schema(noun: str) -> dict[str, Any]:
    """Return the JSON Schema of what may be declared: `job`, `component`, `environment`, `data`.

    Raises:
        InvalidName: nothing of that name is declared.
    """
    # It is made by Pydantic, which whoever checks a right file has no need of.
    made: dict[str, Any] = import_module("brinery.specs.job_schema").schema(noun)
    return made
