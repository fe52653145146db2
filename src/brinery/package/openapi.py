"""The OpenAPI document of a package: what it takes and answers, for any language."""

from __future__ import annotations

from typing import Any

import msgspec

from brinery.package.runtime.facts import Facts
from brinery.records.signature import Column, ColumnType, Scalar

_TYPES: dict[ColumnType, dict[str, Any]] = {
    ColumnType.INTEGER: {"type": "integer", "format": "int64"},
    ColumnType.NUMBER: {"type": "number", "format": "double"},
    ColumnType.STRING: {"type": "string"},
    ColumnType.BOOLEAN: {"type": "boolean"},
    ColumnType.DATETIME: {"type": "string", "format": "date-time"},
}
_PROBLEM = {
    "description": "What is wrong, and where (RFC 9457).",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


def spoken(facts: Facts) -> dict[str, str]:
    """Return column to the name that clients write: its alias, where it has one."""
    aliases = {column: alias for alias, column in reversed(facts.aliases.items())}
    return {
        column.name: aliases.get(column.name, column.name) for column in facts.signature.columns
    }


def example(facts: Facts) -> dict[str, Scalar | None]:
    """Return the row that was made up, as clients write it."""
    names = spoken(facts)
    return {
        names[column.name]: facts.signature.example.get(column.name)
        for column in facts.signature.columns
        if column.required
    }


def render(facts: Facts) -> bytes:
    """Return the document."""
    row = {"$ref": "#/components/schemas/Row"}
    many = {"type": "array", "items": row, "minItems": 1}
    rows = {
        "type": "object",
        "required": ["rows"],
        "properties": {"rows": many, "id": {"type": "string"}},
    }
    instances = {"type": "object", "required": ["instances"], "properties": {"instances": many}}
    one = {"$ref": "#/components/schemas/Answer"}
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": f"{facts.model}-model",
            "version": str(facts.version),
            "description": f"{facts.reference}: {facts.outline}",
        },
        "paths": {
            "/": {
                "post": {
                    "operationId": "predict",
                    "summary": "Predict for one row, a list of rows, or `rows` with probabilities.",
                    "requestBody": {
                        "required": True,
                        "content": {
                            "application/json": {
                                "schema": {"anyOf": [row, many, rows, instances]},
                                "example": example(facts),
                            }
                        },
                    },
                    "responses": {
                        "200": {
                            "description": "The answers, in the order and the form of the rows.",
                            "content": {
                                "application/json": {
                                    "schema": {
                                        "anyOf": [
                                            one,
                                            {"type": "array", "items": one},
                                            {"$ref": "#/components/schemas/Answers"},
                                        ]
                                    }
                                }
                            },
                        },
                        **dict.fromkeys(("400", "413", "422"), _PROBLEM),
                    },
                },
                "get": {
                    "operationId": "describe",
                    "summary": "The model, its version and digest; also whether it is ready.",
                    "responses": {"200": {"description": "It is ready."}},
                },
            }
        },
        "components": {"schemas": _schemas(facts)},
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def _schemas(facts: Facts) -> dict[str, Any]:
    names = spoken(facts)
    columns = facts.signature.columns
    chances = {"type": "object", "additionalProperties": {"type": "number"}}
    answer = {"type": "object", "required": [facts.key], "properties": {facts.key: _answer(facts)}}
    if facts.classes:
        answer = {**answer, "properties": {facts.key: _answer(facts), "probabilities": chances}}
    return {
        "Row": {
            "type": "object",
            "required": [names[column.name] for column in columns if column.required],
            "properties": {names[column.name]: _column(column) for column in columns},
        },
        "Answer": answer,
        "Answers": {
            "type": "object",
            "required": ["predictions"],
            "properties": {
                "predictions": {"type": "array"},
                "model": {"type": "string"},
                "version": {"type": "integer"},
            },
        },
        "Problem": {
            "type": "object",
            "required": ["status", "code", "detail"],
            "properties": {
                "status": {"type": "integer"},
                "code": {"type": "string"},
                "detail": {"type": "string"},
                "errors": {"type": "array", "items": {"type": "object"}},
            },
        },
    }


def _answer(facts: Facts) -> dict[str, Any]:
    return {"enum": list(facts.classes)} if facts.classes else {}


def _column(column: Column) -> dict[str, Any]:
    schema = dict(_TYPES[column.type])
    if column.categories is not None:
        schema = {"enum": [*column.categories, *([None] if column.nullable else [])]}
    elif column.nullable:
        schema["type"] = [schema["type"], "null"]
    return {**schema, "description": f"the column '{column.name}'"}
