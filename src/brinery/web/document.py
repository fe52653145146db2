"""The OpenAPI document of the REST API."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

_JSON = "application/json"
_PROBLEM = "application/problem+json"

# Path, method, what it does, the name of what it answers, and of what it is told.
_OPERATIONS = (
    ("/api/v1", "get", "What there is", "Root", ""),
    ("/api/v1/openapi.json", "get", "This document", "Any", ""),
    ("/api/v1/models", "get", "Every model", "Models", ""),
    ("/api/v1/models/{name}", "get", "A model", "Model", ""),
    ("/api/v1/models/{name}/versions", "get", "Its versions, newest first", "Versions", ""),
    ("/api/v1/models/{name}/versions/{number}", "get", "A version", "Version", ""),
    ("/api/v1/models/{name}/versions/{number}/report", "get", "Its report, a page", "", ""),
    ("/api/v1/models/{name}/champion", "get", "The champion", "Version", ""),
    ("/api/v1/models/{name}/history", "get", "What was done to it, oldest first", "History", ""),
    ("/api/v1/models/{name}/decisions", "get", "What gates decided on it", "Decisions", ""),
    (
        "/api/v1/models/{name}/promote",
        "post",
        "Give an alias to a version, the champion's if the gate passes it",
        "Promotion",
        "Promote",
    ),
    (
        "/api/v1/models/{name}/rollback",
        "post",
        "Give the champion's place back to a version that had it",
        "Promotion",
        "Rollback",
    ),
)
_PARAMETERS: dict[str, dict[str, Any]] = {
    "name": {"type": "string", "description": "of the model"},
    "number": {"type": "integer", "minimum": 1, "description": "of the version"},
}
_TEXT = {"type": "string"}
_NUMBER = {"type": ["integer", "null"], "minimum": 1}
_LINKS = {"type": "object", "additionalProperties": _TEXT}


def document() -> dict[str, Any]:
    """Return it."""
    paths: dict[str, dict[str, Any]] = {}
    for path, method, summary, answer, told in _OPERATIONS:
        paths.setdefault(path, {})[method] = _operation(path, summary, answer=answer, told=told)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Brinery",
            "version": version("brinery"),
            "description": "Registered models, and what moves a champion. What changes something "
            "is asked from the server's own machine or page.",
        },
        "paths": paths,
        "components": {"schemas": _schemas()},
    }


def _operation(path: str, summary: str, *, answer: str, told: str) -> dict[str, Any]:
    content = (
        {_JSON: {"schema": {"$ref": f"#/components/schemas/{answer}"}}}
        if answer
        else {"text/html": {"schema": _TEXT}}
    )
    problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
    made: dict[str, Any] = {
        "summary": summary,
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": schema}
            for name, schema in _PARAMETERS.items()
            if f"{{{name}}}" in path
        ],
        "responses": {
            "200": {"description": summary, "content": content},
            "default": {"description": "Why not", "content": {_PROBLEM: problem}},
        },
    }
    if told:
        schema = {"$ref": f"#/components/schemas/{told}"}
        made["requestBody"] = {"required": True, "content": {_JSON: {"schema": schema}}}
    return made


def _schemas() -> dict[str, Any]:
    return {
        "Any": {"type": "object"},
        "Root": _object(models=_TEXT, openapi=_TEXT),
        "Models": _object(models=_list("Model")),
        "Versions": _object(versions=_list("Version")),
        "Model": _object(
            name=_TEXT,
            champion={"oneOf": [{"$ref": "#/components/schemas/Version"}, {"type": "null"}]},
            newest={"$ref": "#/components/schemas/Version"},
            versions={"type": "array", "items": {"type": "integer"}},
            links=_LINKS,
        ),
        "Version": {
            **_object(
                name=_TEXT,
                version={"type": "integer"},
                reference=_TEXT,
                aliases={"type": "array", "items": _TEXT},
                stage=_TEXT,
                created={"type": "string", "format": "date-time"},
                run={"type": ["string", "null"]},
                checked={"type": "boolean"},
                links=_LINKS,
            ),
            "description": "Where `checked` is true also type, model, metrics, sha256 and verdict; "
            "where it is false, why, and the next command to type.",
        },
        "History": _object(history={"type": "array", "items": {"type": "object"}}),
        "Decisions": _object(decisions={"type": "array", "items": {"type": "object"}}),
        "Promotion": _object(
            reference=_TEXT,
            alias=_TEXT,
            previous=_NUMBER,
            changed={"type": "boolean"},
            forced={"type": "boolean"},
            decision={"type": ["object", "null"]},
        ),
        "Promote": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "version": {**_NUMBER, "description": "the newest where it is not said"},
                "alias": {"enum": ["champion", "challenger"], "default": "champion"},
                "gate": {"type": ["string", "null"], "description": "of brinery.toml, by name"},
                "force": {"type": "boolean", "default": False},
                "why": {"type": "string", "default": "", "description": "`force` needs it"},
            },
        },
        "Rollback": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "to": {**_NUMBER, "description": "the champion before where it is not said"},
                "why": {"type": "string", "default": ""},
            },
        },
        "Problem": {
            **_object(
                type=_TEXT, title=_TEXT, status={"type": "integer"}, code=_TEXT, detail=_TEXT
            ),
            "description": "RFC 9457; `hint` is what to do about it.",
        },
    }


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}


def _list(name: str) -> dict[str, Any]:
    return {"type": "array", "items": {"$ref": f"#/components/schemas/{name}"}}
