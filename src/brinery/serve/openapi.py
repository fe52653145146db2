"""The OpenAPI 3.1 document of an endpoint, generated from its signature."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from brinery.records.evaluation import PredictionType
from brinery.records.signature import Column, ColumnType, Output, Scalar
from brinery.serve import arrow_stream, csv_text, parquet
from brinery.serve.endpoint import Endpoint
from brinery.serve.negotiation import JSON
from brinery.serve.open_inference import OCTETS, outputs_of
from brinery.serve.problems import MEDIA_TYPE
from brinery.serve.single import key
from brinery.serve.tensors import DATATYPES, OF_COLUMN
from brinery.specs.categories import UnknownCategories

_MAX_ENUM = 200

_JSON_TYPES: dict[ColumnType, dict[str, Any]] = {
    ColumnType.INTEGER: {"type": "integer"},
    ColumnType.NUMBER: {"type": "number"},
    ColumnType.STRING: {"type": "string"},
    ColumnType.BOOLEAN: {"type": "boolean"},
    ColumnType.DATETIME: {"type": "string", "format": "date-time"},
}


def document(endpoint: Endpoint, *, alone: bool = True) -> dict[str, Any]:
    """Return the document.

    Args:
        endpoint: of a model.
        alone: whether the server has no other: then it answers under paths without its name, too.
    """
    version, candidate = endpoint.version, endpoint.candidate
    return {
        "openapi": "3.1.0",
        "info": {
            "title": version.name,
            "version": str(version.number),
            "summary": candidate.description.outline,
        },
        "paths": _paths(endpoint) if alone else _named(_paths(endpoint), endpoint),
        "components": {"schemas": _schemas(endpoint)},
    }


def _paths(endpoint: Endpoint) -> dict[str, Any]:
    name = endpoint.version.name
    example = endpoint.candidate.signature.example
    own = {"oneOf": [_ref("PredictRequest"), _ref("PredictColumns"), _ref("Row")]}
    v2 = f"/v2/models/{name}"
    return {
        endpoint.predict_path: {
            "post": _scoring(
                "predict",
                f"Predict with {name}",
                schema=own,
                example={"rows": [example]},
                answer="PredictResponse",
                read=_TABLES,
                written=_TABLES,
            )
        },
        f"/{key(endpoint)}": {
            "post": _scoring(
                key(endpoint),
                "Predict for one row, and answer that alone",
                schema=_ref("Row"),
                example=example,
                answer="SingleResponse",
            )
        },
        "/invocations": {
            "post": _scoring(
                "invocations",
                "Predict, as a client of mlflow models serve asks",
                schema=_ref("InvocationsRequest"),
                example={"dataframe_records": [example]},
                answer="InvocationsResponse",
                read=_CSV,
            )
        },
        f"{v2}/infer": {
            "post": _scoring(
                "infer",
                "Predict, as a client of KServe, Triton or MLServer asks",
                schema=_ref("InferenceRequest"),
                example={"inputs": _tensors(endpoint)},
                answer="InferenceResponse",
                read=_BYTES,
                written=_BYTES,
                refusal={JSON: {"schema": _ref("InferenceError")}},
            )
        },
        "/v2": {"get": _reading("server", "What the server is", answer="InferenceServer")},
        "/v2/health/live": {"get": _reading("live", "Whether the server runs", answer="Live")},
        "/v2/health/ready": {
            "get": _reading("v2Ready", "Whether every model can answer", answer="InferenceReady")
        },
        v2: {"get": _reading("metadata", "Its inputs and outputs", answer="InferenceModel")},
        f"{v2}/ready": {
            "get": _reading("modelReady", "Whether it can answer", answer="InferenceReady")
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


def _named(paths: dict[str, Any], endpoint: Endpoint) -> dict[str, Any]:
    """Return the paths of a model that is not alone: each has its name."""
    bare, single = "/invocations", f"/{key(endpoint)}"
    own = f"{bare}/{endpoint.version.name}"
    return {own if path == bare else path: v for path, v in paths.items() if path != single}


# What a body may be beside JSON, or an answer where it is asked for by `accept`.
_CSV: dict[str, Any] = {csv_text.MEDIA_TYPE: {"schema": {"type": "string"}}}
_BYTES: dict[str, Any] = {OCTETS: {}}
_TABLES: dict[str, Any] = {arrow_stream.MEDIA_TYPE: {}, parquet.MEDIA_TYPE: {}, **_CSV}


def _scoring(
    operation: str,
    summary: str,
    *,
    schema: dict[str, Any],
    example: Any,
    answer: str,
    read: dict[str, Any] | None = None,
    written: dict[str, Any] | None = None,
    refusal: dict[str, Any] | None = None,
) -> dict[str, Any]:
    refused = refusal or {MEDIA_TYPE: {"schema": _ref("Problem")}}
    refusals = {
        "400": "The body is empty, or not what it is sent as",
        "405": "Another method than POST",
        "406": "The answer is asked for in a form that it does not have",
        "413": "The body is too large, or becomes it when it is read",
        "415": "The body is sent in a form that is not read",
        "422": "The values are not what the model takes; each fault names its row and column",
        "503": "The model is not there now",
        "504": "The model did not answer in time",
    }
    return {
        "operationId": operation,
        "summary": summary,
        "requestBody": {
            "required": True,
            "content": {JSON: {"schema": schema, "example": example}, **(read or {})},
        },
        "responses": {
            "200": _answer("The predictions", answer, written),
            **{
                status: {"description": meaning, "content": refused}
                for status, meaning in refusals.items()
            },
        },
    }


def _reading(
    operation: str, summary: str, *, answer: str, may_wait: bool = False
) -> dict[str, Any]:
    responses = {"200": _answer("The answer", answer)}
    if may_wait:
        responses["503"] = _problem("Not yet")
    return {"operationId": operation, "summary": summary, "responses": responses}


def _answer(meaning: str, schema: str, others: dict[str, Any] | None = None) -> dict[str, Any]:
    content = {JSON: {"schema": _ref(schema)}, **(others or {})}
    return {"description": meaning, "content": content}


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
        "PredictColumns": _object({"columns": {"type": "object"}}),
        "SingleResponse": _object({key(endpoint): _value(endpoint)}),
        "PredictResponse": _object(
            {
                "predictions": {"type": "array", "items": _prediction(endpoint)},
                "model": {"type": "string", "const": endpoint.version.name},
                "version": {"type": "integer", "minimum": 1},
            }
        ),
        "InvocationsRequest": _invocations(),
        "InvocationsResponse": _object(
            {"predictions": {"type": "array", "items": _returned(endpoint)}}
        ),
        "Health": _object({"status": {"type": "string"}}),
        "Ready": _object(
            {
                "status": {"type": "string"},
                "model": {"type": "string"},
                "version": {"type": "integer"},
            }
        ),
        **_inference(endpoint),
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
    if outputs := endpoint.candidate.signature.outputs:
        return _object({"values": _values(outputs)})
    description = endpoint.candidate.description
    classifies = description.type in (PredictionType.BINARY, PredictionType.MULTICLASS)
    properties = {"label" if classifies else "value": _value(endpoint)}
    if description.gives_probabilities:
        share = {"type": "number", "minimum": 0, "maximum": 1}
        properties["probabilities"] = _object({str(label): share for label in description.classes})
    return _object(properties)


def _returned(endpoint: Endpoint) -> dict[str, Any]:
    """Return the schema of a row's answer on MLflow's route."""
    outputs = endpoint.candidate.signature.outputs
    if not outputs:
        return _value(endpoint)
    if outputs[0].framed:
        return _values(outputs)
    return {"type": "array", "minItems": len(outputs), "maxItems": len(outputs)}


def _values(outputs: Sequence[Output]) -> dict[str, Any]:
    """Return the schema of several values by name; of very many the names are left out."""
    if len(outputs) > _MAX_ENUM:
        return {"type": "object", "minProperties": len(outputs), "maxProperties": len(outputs)}
    return _object({output.name: _nullable(_JSON_TYPES[output.type]) for output in outputs})


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "type": [schema["type"], "null"]}


def _value(endpoint: Endpoint) -> dict[str, Any]:
    description = endpoint.candidate.description
    if description.type is PredictionType.REGRESSION:
        return {"type": ["number", "null"]}
    return {"enum": list(description.classes)} if description.classes else {}


def _tensors(endpoint: Endpoint) -> list[dict[str, Any]]:
    """Return the example as tensors, one per column."""
    signature = endpoint.candidate.signature
    return [
        {
            "name": column.name,
            "shape": [1],
            "datatype": OF_COLUMN[column.type],
            "data": [signature.example.get(column.name)],
        }
        for column in signature.columns
    ]


def _inference(endpoint: Endpoint) -> dict[str, Any]:
    """Return the schemas of the Open Inference Protocol."""
    text = {"type": "string"}
    shape = {"type": "array", "items": {"type": "integer"}}
    datatype = {"enum": list(DATATYPES)}
    described = _object({"name": text, "datatype": datatype, "shape": shape})
    tensor = {**described, "properties": {**described["properties"], "data": {"type": "array"}}}
    request = _object({"inputs": {"type": "array", "minItems": 1, "items": tensor}})
    output = _object({"name": {"enum": list(outputs_of(endpoint))}})
    outputs = {"type": ["array", "null"], "items": output}
    request["properties"] |= {"id": _nullable(text), "outputs": outputs}
    return {
        "InferenceRequest": request,
        "InferenceResponse": _object(
            {
                "model_name": {"type": "string", "const": endpoint.version.name},
                "model_version": text,
                "outputs": {"type": "array", "items": tensor},
            }
        ),
        "InferenceError": _object({"error": text}),
        "InferenceServer": _object(
            {"name": text, "version": text, "extensions": {"type": "array", "items": text}}
        ),
        "InferenceModel": _object(
            {
                "name": text,
                "versions": {"type": "array", "items": text},
                "platform": text,
                "inputs": {"type": "array", "items": described},
                "outputs": {"type": "array", "items": described},
            }
        ),
        "InferenceReady": _object({"ready": {"type": "boolean"}}),
        "Live": _object({"live": {"type": "boolean"}}),
    }


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
