"""The YAML of jobs and of what they name: read with the line of every value, `--set` applied.

Values are those of YAML 1.1, as other clients of such files have them. Faults are gathered, not
raised: the room `pipeline` adds those that only the whole tells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from brinery.errors import InvalidJob
from brinery.specs import components, job_kinds, job_source
from brinery.specs.job_source import Findings, Source
from brinery.specs.names import nearest
from brinery.specs.parts import Part


class Noun(StrEnum):
    """What a file declares."""

    JOB = "job"
    COMPONENT = "component"
    ENVIRONMENT = "environment"
    DATA = "data asset"
    MODEL = "model"
    DATASTORE = "datastore"
    SCHEDULE = "schedule"

    @property
    def command(self) -> str:
        """Return the word of the command line."""
        return "data" if self is Noun.DATA else self.value


_JOB_MODELS: Final[dict[str, type[Part]]] = {
    "command": job_kinds.CommandJob,
    "pipeline": job_kinds.PipelineJob,
}
_JOBS: Final = (*_JOB_MODELS, "sweep")
_COMPONENT_MODELS: Final[dict[str, type[Part]]] = {
    "command": components.CommandComponent,
    "pipeline": components.PipelineComponent,
    "parallel": components.ParallelComponent,
}
_ELSEWHERE: Final = ("automl", "spark", "import", "data_transfer", "base", "finetuning")
_DATASTORES: Final = (
    "azure_blob",
    "azure_file",
    "azure_data_lake_gen1",
    "azure_data_lake_gen2",
    "one_lake",
    "local",
    "fsspec",
)
_PARAMETERS: Final = ("string", "number", "integer", "boolean")
_SCHEMAS: Final = {
    "commandjob": Noun.JOB,
    "pipelinejob": Noun.JOB,
    "sweepjob": Noun.JOB,
    "commandcomponent": Noun.COMPONENT,
    "pipelinecomponent": Noun.COMPONENT,
    "parallelcomponent": Noun.COMPONENT,
    "environment": Noun.ENVIRONMENT,
    "data": Noun.DATA,
    "model": Noun.MODEL,
    "schedule": Noun.SCHEDULE,
    "azureblob": Noun.DATASTORE,
    "azurefile": Noun.DATASTORE,
    "azuredatalakegen1": Noun.DATASTORE,
    "azuredatalakegen2": Noun.DATASTORE,
}


class Declared(Struct, frozen=True):
    """A file that declares something, `--set` applied.

    Attributes:
        noun: what it declares.
        type: of it: `command`, `pipeline`, `sweep`, `parallel`, `uri_folder`, …
        model: its values as the model of its noun and type has them; what is at fault is absent.
        source: its values as they stand there, with their lines.
    """

    noun: Noun
    type: str
    model: Part
    source: Source

    @property
    def found(self) -> Findings:
        """Return the faults and notes so far."""
        return self.source.found


def read(file: Path, *, sets: Sequence[str] = (), noun: Noun = Noun.JOB) -> Declared:
    """Return what a file declares, with its faults gathered in it.

    Args:
        file: of at most a megabyte.
        sets: each `a.b.c=value` or `a[0].b=value`, set before anything is checked.
        noun: what it is to declare.

    Raises:
        InvalidJob: it cannot be read, is no YAML, or declares another noun.
    """
    return declared(job_source.read(file, found=Findings(), sets=sets), noun=noun)


def checked(file: Path, *, sets: Sequence[str] = (), noun: Noun) -> Declared:
    """Return what a file declares, without faults.

    Raises:
        InvalidJob: with every fault at once, or as `read` does.
    """
    found = read(file, sets=sets, noun=noun)
    found.found.raise_if_any()
    return found


def declared(source: Source, *, noun: Noun) -> Declared:
    """Return what a source declares, with its faults gathered in it.

    Raises:
        InvalidJob: it declares another noun, or a type that is run elsewhere.
    """
    there = noun_of(source.stated)
    if there is not None and there is not noun:
        raise InvalidJob(
            f"{source.name} declares a{'n' if there.value[0] in 'aeiou' else ''} {there}, "
            f"and no {noun}",
            hint=f"brinery {there.command} create -f {source.name}",
        )
    kind = type_of(source, noun)
    lenient = True if noun is Noun.COMPONENT else None
    model = source.checked(_model(noun, kind), source.stated, lenient=lenient)
    return Declared(noun, kind, model, source)


def noun_of(stated: Mapping[str, Any]) -> Noun | None:  # noqa: PLR0911 - one for each noun
    """Return what values declare, by `$schema` or else by their keys; None where that is open."""
    schema = stated.get("$schema")
    if isinstance(schema, str):
        last = schema.rstrip("/").rpartition("/")[2].lower()
        found = _SCHEMAS.get(last.removesuffix(".json").removesuffix(".schema"))
        if found:
            return found
    kind = stated.get("type")
    if kind in _DATASTORES:
        return Noun.DATASTORE
    if "trigger" in stated and "create_job" in stated:
        return Noun.SCHEDULE
    if kind in ("uri_file", "uri_folder", "mltable"):
        return Noun.DATA
    if kind in ("mlflow_model", "custom_model", "triton_model"):
        return Noun.MODEL
    if {"image", "build", "conda_file"} & set(stated) and not {"command", "jobs"} & set(stated):
        return Noun.ENVIRONMENT
    ports = _ports(stated, "inputs") + _ports(stated, "outputs")
    typed = any(
        {"optional", "default"} & set(one) or one.get("type") in _PARAMETERS for one in ports
    )
    if "is_deterministic" in stated or (typed and "name" in stated and "compute" not in stated):
        return Noun.COMPONENT
    if {"experiment_name", "settings", "compute", "trial"} & set(stated):
        return Noun.JOB
    return None


def _ports(stated: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    held = stated.get(key)
    return [one for one in held.values() if isinstance(one, dict)] if isinstance(held, dict) else []


def type_of(source: Source, noun: Noun) -> str:
    """Return the type of what a source declares; a fault is told, and the likeliest returned.

    Raises:
        InvalidJob: it is a type that is run elsewhere.
    """
    if noun not in (Noun.JOB, Noun.COMPONENT):
        return str(source.stated.get("type") or "")
    known = _JOBS if noun is Noun.JOB else tuple(_COMPONENT_MODELS)
    stated = source.stated.get("type")
    if stated in known:
        return str(stated)
    likely = _likely(source.stated, noun)
    if stated is None:
        if likely != "command":
            source.fault((), f"type is missing: write type: {likely}")
        return likely
    if stated in _ELSEWHERE:
        # Nothing else of it is of a kind that we know.
        raise InvalidJob(
            f"{source.at(('type',))} type: {noun}s of type {stated} are not run here, but "
            f"{', '.join(known)}",
            hint="docs/how-to/job.md shows how a job is written",
        )
    near = nearest(str(stated), known)
    said = f" (did you mean {near}?)" if near else f": there are {', '.join(known)}"
    source.fault(("type",), f"there is no {noun} of type {stated!r}{said}")
    return likely


def _likely(stated: Mapping[str, Any], noun: Noun) -> str:
    if "jobs" in stated or "component" in stated:
        return "pipeline"
    if "task" in stated and noun is Noun.COMPONENT:
        return "parallel"
    return "sweep" if "trial" in stated else "command"


def _model(noun: Noun, kind: str) -> type[Part]:
    """Return the model of a noun and type."""
    if noun is Noun.COMPONENT:
        return _COMPONENT_MODELS[kind]
    if noun is Noun.JOB and kind in _JOB_MODELS:
        return _JOB_MODELS[kind]
    # To make other models takes as long as to plan a small job, which needs none of them.
    if noun is Noun.JOB:
        sweep: type[Part] = import_module("brinery.specs.sweep_kinds").SweepJob
        return sweep
    models: dict[str, type[Part]] = import_module("brinery.specs.assets").MODELS
    return models[noun.command]
