"""The OpenAPI 3.1 document of an endpoint, generated from its signature."""

from __future__ import annotations

from typing import Any

from brinery.records.evaluation import PredictionType
from brinery.records.signature import Column, ColumnType, Scalar
from brinery.serve.endpoint import Endpoint
from brinery.serve.problems import MEDIA_TYPE
from brinery.specs.settings import UnknownCategories

_MAX_ENUM = 200

_JSON_TYPES: dict[ColumnType, dict[str, Any]] = {
    ColumnType.INTEGER: {"type": "integer"},
    ColumnType.NUMBER: {"type": "number"},
    ColumnType.STRING: {"type": "string"},
    ColumnType.BOOLEAN: {"type": "boolean"},
    ColumnType.DATETIME: {"type": "string", "format": "date-time"},
}


def document(endpoint: Endpoint) -> dict[str, Any]:
    """Return the document."""
    version, candidate = endpoint.version, endpoint.candidate
    return {
        "openapi": "3.1.0",
        "info": {
            "title": version.name,
            "version": str(version.number),
            "summary": candidate.description.outline,
        },
        "paths": _paths(endpoint),
        "components": {"schemas": _schemas(endpoint)},
    }


def _paths(endpoint: Endpoint) -> dict[str, Any]:
    name = endpoint.version.name
    example = endpoint.candidate.signature.example
    own = {"oneOf": [_ref("PredictRequest"), _ref("Row")]}
    return {
        endpoint.predict_path: {
            "post": _scoring(
                "predict",
                f"Predict with {name}",
                schema=own,
                example={"rows": [example]},
                answer="PredictResponse",
            )
        },
        "/invocations": {
            "post": _scoring(
                "invocations",
                "Predict, as a client of mlflow models serve asks",
                schema=_ref("InvocationsRequest"),
                example={"dataframe_records": [example]},
                answer="InvocationsResponse",
            )
        },
        "/health": {"get": _reading("health", "Whether the server runs", answer="Health")},
        "/ready": {
            "get": _reading("ready", "Whether the model is loaded", answer="Ready", may_wait=True)
        },
        "/metrics": {
            "get": {
                "operationId": "metrics",
                "summary": "What was counted, for Prometheus",
                "responses": {
                    "200": {
                        "description": "The answer",
                        "content": {"text/plain": {"schema": {"type": "string"}}},
                    }
                },
            }
        },
        f"/v1/models/{name}": {
            "get": _reading("model", "Its version, signature and metrics", answer="Model")
        },
    }


def _scoring(
    operation: str, summary: str, *, schema: dict[str, Any], example: Any, answer: str
) -> dict[str, Any]:
    refusals = {
        "400": "The body is empty or not JSON",
        "405": "Another method than POST",
        "413": "The body is too large",
        "415": "The body is not sent as JSON",
        "422": "The values are not what the model takes; each fault names its row and column",
        "503": "The model is not there now",
        "504": "The model did not answer in time",
    }
    return {
        "operationId": operation,
        "summary": summary,
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": schema, "example": example}},
        },
        "responses": {
            "200": _answer("The predictions", answer),
            **{status: _problem(meaning) for status, meaning in refusals.items()},
        },
    }


def _reading(
    operation: str, summary: str, *, answer: str, may_wait: bool = False
) -> dict[str, Any]:
    responses = {"200": _answer("The answer", answer)}
    if may_wait:
        responses["503"] = _problem("Not yet")
    return {"operationId": operation, "summary": summary, "responses": responses}


def _answer(meaning: str, schema: str) -> dict[str, Any]:
    return {"description": meaning, "content": {"application/json": {"schema": _ref(schema)}}}


def _problem(meaning: str) -> dict[str, Any]:
    return {"description": meaning, "content": {MEDIA_TYPE: {"schema": _ref("Problem")}}}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _schemas(endpoint: Endpoint) -> dict[str, Any]:
    signature = endpoint.candidate.signature
    strict = endpoint.unknown_categories is UnknownCategories.REFUSE
    array_of_rows = {"type": "array", "minItems": 1, "items": _ref("Row")}
    return {
        "Row": {
            "type": "object",
            "properties": {
                column.name: _column(column, strict=strict) for column in signature.columns
            },
            "required": [column.name for column in signature.columns if column.required],
            "additionalProperties": False,
            "examples": [signature.example],
        },
        "PredictRequest": _object({"rows": array_of_rows}),
        "PredictResponse": _object(
            {
                "predictions": {"type": "array", "items": _prediction(endpoint)},
                "model": {"type": "string", "const": endpoint.version.name},
                "version": {"type": "integer", "minimum": 1},
            }
        ),
        "InvocationsRequest": _invocations(),
        "InvocationsResponse": _object(
            {"predictions": {"type": "array", "items": _value(endpoint)}}
        ),
        "Health": _object({"status": {"type": "string"}}),
        "Ready": _object(
            {
                "status": {"type": "string"},
                "model": {"type": "string"},
                "version": {"type": "integer"},
            }
        ),
        "Model": {"type": "object", "required": ["name", "version", "signature", "metrics"]},
        "Problem": _problem_schema(),
    }


def _column(column: Column, *, strict: bool) -> dict[str, Any]:
    schema = dict(_JSON_TYPES[column.type])
    # Where unknown categories are let through, a missing value is one of them.
    nullable = column.nullable or not (strict or column.categories is None)
    if nullable:
        schema["type"] = [schema["type"], "null"]
    if column.categories is not None and len(column.categories) <= _MAX_ENUM:
        values: list[Scalar | None] = list(column.categories)
        if strict:
            schema["enum"] = [*values, None] if nullable else values
        else:
            schema["examples"] = values
    return schema


def _prediction(endpoint: Endpoint) -> dict[str, Any]:
    description = endpoint.candidate.description
    classifies = description.type in (PredictionType.BINARY, PredictionType.MULTICLASS)
    properties = {"label" if classifies else "value": _value(endpoint)}
    if description.gives_probabilities:
        share = {"type": "number", "minimum": 0, "maximum": 1}
        properties["probabilities"] = _object({str(label): share for label in description.classes})
    return _object(properties)


def _value(endpoint: Endpoint) -> dict[str, Any]:
    description = endpoint.candidate.description
    if description.type is PredictionType.REGRESSION:
        return {"type": ["number", "null"]}
    return {"enum": list(description.classes)} if description.classes else {}


def _invocations() -> dict[str, Any]:
    rows = {"type": "array", "items": {"type": "object"}}
    matrix = {"type": "array", "items": {"type": "array"}}
    columns = {"type": "object", "additionalProperties": {"type": "array"}}
    return {
        "oneOf": [
            _object(
                {
                    "dataframe_split": _object(
                        {"columns": {"type": "array", "items": {"type": "string"}}, "data": matrix}
                    )
                }
            ),
            _object({"dataframe_records": rows}),
            _object({"instances": {"anyOf": [rows, matrix, columns]}}),
            _object({"inputs": {"anyOf": [rows, matrix, columns]}}),
        ]
    }


def _problem_schema() -> dict[str, Any]:
    text, number = {"type": "string"}, {"type": "integer"}
    fault = {
        "type": "object",
        "properties": {
            "code": text,
            "message": text,
            "row": number,
            "column": text,
            "pointer": text,
        },
        "required": ["code", "message"],
    }
    return {
        "type": "object",
        "properties": {
            "type": text,
            "title": text,
            "status": number,
            "code": text,
            "detail": text,
            "hint": text,
            "errors": {"type": "array", "items": fault},
        },
        "required": ["type", "title", "status", "code", "detail"],
    }


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}
