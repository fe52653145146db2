"""Pydantic models of parts, which tell everything that is wrong with values at once.

They are made of the declarations of the parts when they are asked for: of values that `part_reader`
does not plainly take, and for the JSON Schema. Most files are right, and read without this module.
"""

from __future__ import annotations

from functools import reduce
from operator import or_
from types import UnionType
from typing import Annotated, Any, ClassVar, Final, TypeVar, Union, cast, get_args, get_origin

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    ValidationError,
    WithJsonSchema,
    create_model,
)
from pydantic import Tag as TagOfPydantic

from brinery.specs.parts import Before, Chosen, Part, Tag

_Part = TypeVar("_Part", bound=Part)


def _extra(schema: dict[str, Any], model: type[PartModel]) -> None:
    # A title is its key once more, and what may be absent may not be empty.
    part = model.part
    for name, each in schema.get("properties", {}).items():
        each.pop("title", None)
        if each.get("default", ...) is None:
            del each["default"]
        if "anyOf" in each and name not in part.nullable:
            left = [one for one in each.pop("anyOf") if one != {"type": "null"}]
            each.update(left[0] if len(left) == 1 else {"anyOf": left})
    if part.needed:
        schema["required"] = list(part.needed)
    if part.lenient:
        schema["additionalProperties"] = True


class PartModel(BaseModel):
    """What the models of parts have in common.

    Attributes:
        part: the kind of part that it is the model of.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        defer_build=True,
        populate_by_name=True,
        json_schema_extra=_extra,
    )

    part: ClassVar[type[Part]] = Part


_KNOWN: Final[dict[type[Part], type[PartModel]]] = {}


def model_of(kind: type[Part]) -> type[PartModel]:
    """Return the model of a kind of part."""
    # Of two threads that ask at once, both have the model of the first.
    return _KNOWN.get(kind) or _KNOWN.setdefault(kind, _model(kind))


def _model(kind: type[Part]) -> type[PartModel]:
    declared: dict[str, Any] = {
        name: (_annotation(annotation), Field(getattr(kind, name), alias=_other(key, name)))
        for name, (key, annotation) in kind.fields.items()
    }
    made = create_model(
        kind.__name__,
        __base__=PartModel,
        __module__=kind.__module__,
        __doc__=kind.__doc__,
        **declared,
    )
    made.part = kind
    return made


def read(kind: type[_Part], stated: object) -> tuple[_Part, list[Any]]:
    """Return values as a part, and Pydantic's faults; a part without values where there are any."""
    try:
        return valid(kind, stated), []
    except ValidationError as error:
        return kind(), error.errors(include_url=False)


def valid(kind: type[_Part], stated: object) -> _Part:
    """Return values as a part.

    Raises:
        pydantic.ValidationError: with every fault.
    """
    return cast("_Part", _part(model_of(kind).model_validate(stated)))


def _other(key: str, name: str) -> str | None:
    return key if key != name else None


def _part(made: PartModel) -> Part:
    """Return the part that a model's values are."""
    return made.part(**{name: _value(getattr(made, name)) for name in made.model_fields_set})


def _value(given: Any) -> Any:
    # What may be anything has no model in it, however deep it goes.
    if isinstance(given, dict):
        return {
            key: _part(one) if isinstance(one, PartModel) else one for key, one in given.items()
        }
    return _part(given) if isinstance(given, PartModel) else given


def _annotation(given: Any) -> Any:
    """Return an annotation as Pydantic takes it."""
    origin, inner = get_origin(given), get_args(given)
    if origin is Annotated:
        marks = [each for mark in inner[1:] for each in _marks(mark)]
        return Annotated[(_annotation(inner[0]), *marks)] if marks else _annotation(inner[0])
    if origin in (Union, UnionType):
        return reduce(or_, [_annotation(one) for one in inner])
    if origin in (list, dict):
        return origin[tuple(_annotation(one) for one in inner)]
    return model_of(given) if isinstance(given, type) and issubclass(given, Part) else given


def _marks(mark: object) -> list[Any]:
    """Return what Pydantic has for a mark."""
    match mark:
        case Before():
            kinds = [{"type": kind} for kind in mark.written]
            shown = [WithJsonSchema({"anyOf": kinds})] if kinds else []
            return [BeforeValidator(mark.change), *shown]
        case Tag():
            return [
                TagOfPydantic(mark.name),
                *([] if mark.shown else [WithJsonSchema({"not": {}})]),
            ]
        case Chosen():
            return [Discriminator(mark.by)]
    return []
