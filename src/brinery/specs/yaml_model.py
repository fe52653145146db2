"""A YAML file in which the user declares something, as a Pydantic model; every fault with its line.

The file is read by `yaml_file`, which knows no models and costs no import of Pydantic.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from brinery.specs import yaml_file
from brinery.specs.names import nearest
from brinery.specs.yaml_file import Document, Faults, Place, Refusal

_Model = TypeVar("_Model", bound=BaseModel)


def read(
    file: Path,
    model: type[_Model],
    *,
    refusal: Refusal,
    check: Callable[[_Model, Document], Faults] = lambda _, __: (),
) -> _Model:
    """Return what a YAML file declares.

    Args:
        file: of at most a megabyte.
        model: what it is read as.
        refusal: how it is refused.
        check: yields the faults that only the whole tells, with their lines.

    Raises:
        UserError: that of the refusal, with every fault at once, each with its line and path.
    """
    stated, document = yaml_file.values(file, refusal=refusal)
    faults = document.faults
    try:
        declared = model.model_validate(stated)
    except ValidationError as error:
        faults += [_fault(one, document.lines, model) for one in error.errors()]
    else:
        faults += check(declared, document)
        if not faults:
            return declared
    raise refusal.of("; ".join(f"{file}:{line}: {fault}" for line, fault in sorted(faults)))


def _fault(fault: Any, lines: dict[Place, int], model: type[BaseModel]) -> tuple[int, str]:
    """Return the line of one fault, and what is wrong with its path."""
    path: Place = tuple(fault["loc"])
    known = path
    while known not in lines and known:
        known = known[:-1]
    line, where = lines.get(known, 1), _told(path)
    if fault["type"] == "extra_forbidden":
        near = nearest(str(path[-1]), _keys(path[:-1], model))
        return line, f"{where} is not known" + (f": did you mean {near}?" if near else "")
    if fault["type"] == "value_error":
        return line, f"{where} {fault['ctx']['error']}"
    return line, f"{where}: {fault['msg'].lower()}"


def _told(path: Place) -> str:
    """Return a path as it is read: `assertions[2].where`, counted from 1."""
    parts = [f"[{one + 1}]" if isinstance(one, int) else f".{one}" for one in path]
    return "".join(parts).removeprefix(".") or "the file"


def _keys(path: Place, model: type[BaseModel]) -> list[str]:
    """Return the keys that may stand at a path."""
    for part in path:
        fields = {field.alias or name: field for name, field in model.model_fields.items()}
        if isinstance(part, str) and part in fields:
            model = _inner(fields[part].annotation) or model
    return [field.alias or name for name, field in model.model_fields.items()]


def _inner(annotation: Any) -> type[BaseModel] | None:
    """Return the model that an annotation is about: itself, or one that stands within it."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _inner(part))), None)
