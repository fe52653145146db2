"""The OpenAPI document, against the server that it describes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from tests.serve.conftest import Api, MakeEndpoint, running
from tests.serve.rsgi import FakeHeaders

from brinery.serve import openapi
from brinery.serve.endpoint import Endpoint
from brinery.serve.served import Protocol, Served
from brinery.specs.categories import UnknownCategories

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def mismatches(schema: dict[str, Any], value: Any, document: dict[str, Any]) -> list[str]:
    """Return why a value is not what a schema says, for the keywords that ours uses."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/components/schemas/")
        return mismatches(document["components"]["schemas"][name], value, document)
    found = _scalar_mismatches(schema, value)
    for key, most in (("oneOf", 1), ("anyOf", 9)):
        if key in schema:
            fitting = [s for s in schema[key] if not mismatches(s, value, document)]
            if not 1 <= len(fitting) <= most:
                found.append(f"{len(fitting)} of {key} fit {value!r}")
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        closed = schema.get("additionalProperties", True) is False
        found += [f"{name} is missing" for name in schema.get("required", []) if name not in value]
        found += [f"{name} is one too many" for name in value if closed and name not in properties]
        for name in properties.keys() & value.keys():
            found += mismatches(properties[name], value[name], document)
    if isinstance(value, list) and "items" in schema:
        found += [fault for item in value for fault in mismatches(schema["items"], item, document)]
    return found


def _scalar_mismatches(schema: dict[str, Any], value: Any) -> list[str]:
    if "type" in schema:
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        types = tuple(kind for name in kinds for kind in _TYPES[name])
        if not isinstance(value, types) or (isinstance(value, bool) and "boolean" not in kinds):
            return [f"{value!r} is no {kinds}"]
    found = []
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{value!r} is none of {schema['enum']}")
    if "const" in schema and value != schema["const"]:
        found.append(f"{value!r} is not {schema['const']!r}")
    if "minimum" in schema and not schema["minimum"] <= value <= schema.get("maximum", value):
        found.append(f"{value!r} is out of range")
    return found


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every object in a document."""
    if isinstance(value, dict):
        yield value
    children = value.values() if isinstance(value, dict) else value
    for child in children if isinstance(value, dict | list) else ():
        yield from nodes(child)


@pytest.fixture(scope="module")
def document(api: Api) -> dict[str, Any]:
    """The document as the server answers it."""
    answer: dict[str, Any] = api.get("/openapi.json").json()
    return answer


def response_schema(document: dict[str, Any], path: str, status: int) -> dict[str, Any]:
    (operation,) = document["paths"][path].values()
    contents = operation["responses"][str(status)]["content"]
    content = contents.get("application/json") or contents["application/problem+json"]
    schema: dict[str, Any] = content["schema"]
    return schema


def test_it_is_an_openapi_document(document: dict[str, Any]) -> None:
    """It has what OpenAPI 3.1 requires of a document, a path, an operation and a response."""
    assert re.fullmatch(r"3\.1\.\d+", document["openapi"])
    assert isinstance(document["info"]["title"], str)
    assert isinstance(document["info"]["version"], str)
    assert all(path.startswith("/") for path in document["paths"])
    for item in document["paths"].values():
        for method, operation in item.items():
            assert method in ("get", "post")
            assert operation["responses"]
            assert all(response["description"] for response in operation["responses"].values())


def test_every_operation_has_its_own_id(document: dict[str, Any]) -> None:
    """The ids differ, and the one of our prediction route is `predict`."""
    ids = [op["operationId"] for item in document["paths"].values() for op in item.values()]
    assert len(set(ids)) == len(ids)
    assert document["paths"]["/v1/models/bank/predict"]["post"]["operationId"] == "predict"


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    """Whatever is referred to is there."""
    names = document["components"]["schemas"]
    for node in nodes(document):
        if "$ref" in node:
            assert node["$ref"].removeprefix("#/components/schemas/") in names


def test_it_has_the_columns_of_the_model(document: dict[str, Any], bank_endpoint: Endpoint) -> None:
    """Every column stands under its name, with its type and categories."""
    row = document["components"]["schemas"]["Row"]
    columns = bank_endpoint.candidate.signature.columns
    assert list(row["properties"]) == [column.name for column in columns]
    assert row["required"] == [column.name for column in columns if column.required]
    assert row["properties"]["age"]["type"] == ["integer", "null"]
    assert row["properties"]["marital"] == {
        "type": "string",
        "enum": ["divorced", "married", "single"],
    }


def test_its_examples_predict(api: Api, document: dict[str, Any]) -> None:
    """Each example body fits its own schema, and the server answers it."""
    for path, item in document["paths"].items():
        if "post" in item:
            content = item["post"]["requestBody"]["content"]["application/json"]
            assert mismatches(content["schema"], content["example"], document) == []
            assert api.post(path, json=content["example"]).status_code == 200


def test_every_answer_is_as_it_says(api: Api, document: dict[str, Any]) -> None:
    """The answers of all its routes are of the type that is said, and JSON fits its schema."""
    for path, item in document["paths"].items():
        (method,) = item
        example = None
        if method == "post":
            example = item["post"]["requestBody"]["content"]["application/json"]["example"]
        answer = api.request(method.upper(), path, json=example)
        assert answer.status_code == 200
        media = answer.headers["content-type"].partition(";")[0]
        assert media in item[method]["responses"]["200"]["content"]
        if media == "application/json":
            assert mismatches(response_schema(document, path, 200), answer.json(), document) == []


@pytest.mark.parametrize(
    ("status", "request_"),
    [
        (400, {"method": "POST", "content": "{"}),
        (400, {"method": "POST", "content": ""}),
        (405, {"method": "GET"}),
        (413, {"method": "POST", "content": b" " * 9_000_000}),
        (406, {"method": "POST", "content": "{}", "headers": {"accept": "text/html"}}),
        (415, {"method": "POST", "headers": {"content-type": "text/xml"}}),
        (422, {"method": "POST", "content": "{}"}),
        (422, {"method": "POST", "content": '{"rows": [{"agee": 1}, 1]}'}),
    ],
    ids=["malformed", "empty", "get", "large", "accept", "xml", "no columns", "no object"],
)
def test_every_problem_is_as_it_says(
    api: Api, document: dict[str, Any], status: int, request_: dict[str, Any]
) -> None:
    """What is refused is refused with a status that is described, and a document that fits."""
    path = "/v1/models/bank/predict"
    answer = api.request(path=path, **request_)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert mismatches(response_schema(document, path, status), answer.json(), document) == []


def test_it_names_every_form(document: dict[str, Any], bank_endpoint: Endpoint) -> None:
    """What is read and what is written, for each of those who speak."""
    served = Served(bank_endpoint)
    paths = {
        Protocol.OWN: "/v1/models/bank/predict",
        Protocol.MLFLOW: "/invocations",
        Protocol.SINGLE: "/label",
        Protocol.OPEN: "/v2/models/bank/infer",
    }
    assert paths.keys() == set(Protocol)
    for protocol, path in paths.items():
        operation = document["paths"][path]["post"]
        read = operation["requestBody"]["content"].keys()
        written = operation["responses"]["200"]["content"].keys()
        for media in read:
            headers = FakeHeaders({"content-type": media})
            assert served.families[protocol].terms(headers)
        for media in written:
            headers = FakeHeaders({"accept": media})
            assert served.families[protocol].terms(headers)
    assert len(document["paths"][paths[Protocol.OWN]]["post"]["requestBody"]["content"]) == 4


def test_a_row_that_it_refuses_the_server_refuses(
    api: Api, document: dict[str, Any], example: dict[str, Any]
) -> None:
    """What does not fit the schema of a row is refused, and what fits is taken."""
    row = document["components"]["schemas"]["Row"]
    for change in (
        {"age": None},
        {"age": "x"},
        {"age": 1.5},
        {"job": None},
        {"job": "admin"},
        {"agee": 1},
        {"day": None},
        {"balance": 2},
    ):
        fits = not mismatches(row, {**example, **change}, document)
        answer = api.post("/v1/models/bank/predict", json={**example, **change})
        assert answer.status_code == (200 if fits else 422), change


X = pd.DataFrame({"x": [0.0, 1.0, 2.0, 3.0], "wenn": pd.to_datetime(["2026-01-31"] * 4)})


@pytest.mark.parametrize(
    "model",
    [
        LinearRegression().fit(X[["x"]], X["x"]),
        LogisticRegression().fit(X[["x"]], [0, 1, 2, 2]),
        LogisticRegression().fit(X[["x"]], [True, False] * 2),
        IsolationForest(n_estimators=5, random_state=0).fit(X[["x"]]),
    ],
    ids=["regression", "multiclass", "boolean", "other"],
)
def test_it_fits_every_kind_of_model(make_endpoint: MakeEndpoint, model: Any) -> None:
    """Whatever a model predicts, its answers fit its document; unread columns are in it too."""
    endpoint = make_endpoint(model, X)
    document = json.loads(json.dumps(openapi.document(endpoint)))
    with running(endpoint) as api:
        for path in (endpoint.predict_path, "/invocations"):
            content = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]
            answer = api.post(path, json=content["example"])
            assert answer.status_code == 200, answer.text
            assert mismatches(response_schema(document, path, 200), answer.json(), document) == []


def test_unknown_categories_are_described_where_they_are_let_through(
    make_endpoint: MakeEndpoint,
) -> None:
    """Known categories are then examples and no enumeration, and a missing value is one more."""
    frame = pd.DataFrame({"job": ["a", "b"] * 2})
    encoder = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["job"]))
    model = make_pipeline(encoder, LogisticRegression()).fit(frame, [0, 1] * 2)
    endpoint = make_endpoint(model, frame, unknown_categories=UnknownCategories.ALLOW)
    schema = openapi.document(endpoint)["components"]["schemas"]["Row"]["properties"]["job"]
    assert schema == {"type": ["string", "null"], "examples": ["a", "b"]}
    with running(endpoint) as api:
        rows = {"rows": [{"job": "a"}, {"job": "never seen"}, {"job": None}]}
        assert api.post(endpoint.predict_path, json=rows).status_code == 200
