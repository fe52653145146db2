"""The JSON Schema of what job files declare, for editors; made of the models of their parts."""

from __future__ import annotations

from typing import Any, Final

from pydantic.json_schema import models_json_schema

from brinery.errors import InvalidName
from brinery.specs import assets, components, job_kinds, sweep_kinds
from brinery.specs.names import nearest
from brinery.specs.part_models import model_of
from brinery.specs.parts import Part

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_STEPS: Final = (
    job_kinds.CommandStep,
    job_kinds.ParallelStep,
    sweep_kinds.SweepStep,
    job_kinds.PipelineStep,
)

# Type to model; the first is that of a file without a type.
_NOUNS: Final[dict[str, dict[str, type[Part]]]] = {
    "job": {
        "command": job_kinds.CommandJob,
        "pipeline": job_kinds.PipelineJob,
        "sweep": sweep_kinds.SweepJob,
    },
    "component": {
        "command": components.CommandComponent,
        "pipeline": components.PipelineComponent,
        "parallel": components.ParallelComponent,
    },
    **{name: {"": model} for name, model in assets.MODELS.items()},
}
NOUNS: Final = tuple(_NOUNS)


def schema(noun: str) -> dict[str, Any]:
    """Return the JSON Schema of a noun.

    Raises:
        InvalidName: there is none of that name.
    """
    if noun not in _NOUNS:
        near = nearest(noun, _NOUNS)
        said = f": did you mean {near}?" if near else ""
        raise InvalidName(
            f"there is no schema of {noun!r}{said}", hint=f"there are {', '.join(_NOUNS)}"
        )
    kinds = _NOUNS[noun]
    parts = [*kinds.values(), *(_STEPS if noun in ("job", "component") else ())]
    models = {part: model_of(part) for part in parts}
    names, made = models_json_schema([(one, "validation") for one in models.values()])
    definitions: dict[str, Any] = made["$defs"]
    references = {part: names[model, "validation"] for part, model in models.items()}
    if noun in ("job", "component"):
        jobs = {"anyOf": [references[one] for one in _STEPS]}
        pipeline = definitions[kinds["pipeline"].__name__]
        pipeline["properties"]["jobs"] = {
            "type": "object",
            "propertyNames": {"pattern": "^[a-z_][a-z0-9_]*$"},
            "additionalProperties": jobs,
        }
    return {
        "$schema": _DIALECT,
        "title": f"{noun} of Brinery",
        **_chosen(kinds, references),
        "$defs": definitions,
    }


def _chosen(kinds: dict[str, type[Part]], references: dict[type[Part], Any]) -> dict[str, Any]:
    """Return the schema that chooses by type."""
    if len(kinds) == 1:
        (model,) = kinds.values()
        return {"allOf": [references[model]]}
    first, *others = kinds
    chosen: dict[str, Any] = references[kinds[first]]
    for name in others:
        chosen = {
            "if": {"properties": {"type": {"const": name}}, "required": ["type"]},
            "then": references[kinds[name]],
            "else": chosen,
        }
    return chosen
