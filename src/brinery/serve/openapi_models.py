"""The OpenAPI document of a server with several models: theirs, side by side.

What a model's document calls `Row` is `bank.Row` here; what the server says of itself stands once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from brinery.serve import openapi
from brinery.serve.endpoint import Endpoint

_SCHEMAS = "#/components/schemas/"


def document(endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """Return the document of some models; of one, its own.

    Args:
        endpoints: at least one, each of another model.
    """
    if len(endpoints) == 1:
        return openapi.document(endpoints[0])
    names = ", ".join(endpoint.version.name for endpoint in endpoints)
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    for endpoint in endpoints:
        own, name = openapi.document(endpoint, alone=False), endpoint.version.name
        for path, operations in own["paths"].items():
            if path not in paths:
                paths[path] = _renamed(operations, name)
        for schema, content in own["components"]["schemas"].items():
            schemas[f"{name}.{schema}"] = _renamed(content, name)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Brinery", "version": "1", "summary": f"The models {names}"},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _renamed(value: Any, name: str) -> Any:
    """Return a part of a document whose references and operations are those of a model."""
    if isinstance(value, list):
        return [_renamed(one, name) for one in value]
    if not isinstance(value, dict):
        return value
    made = {key: _renamed(held, name) for key, held in value.items()}
    reference, operation = made.get("$ref"), made.get("operationId")
    if isinstance(reference, str) and reference.startswith(_SCHEMAS):
        made["$ref"] = f"{_SCHEMAS}{name}.{reference.removeprefix(_SCHEMAS)}"
    if isinstance(operation, str) and "responses" in made:
        made["operationId"] = f"{name}.{operation}"
    return made
