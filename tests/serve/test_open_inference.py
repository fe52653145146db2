"""The Open Inference Protocol, version 2: predictions, metadata, health, and refusals."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression, LogisticRegression
from tests.conftest import Bank
from tests.serve.conftest import Api, endpoint_of, make_signature, running
from tests.serve.rsgi import FakeHeaders

from brinery.records.signature import Column, ColumnType
from brinery.serve import tensors
from brinery.serve.arrays import ArraysReader
from brinery.serve.asked import Asked
from brinery.serve.columns import Rules
from brinery.serve.endpoint import Endpoint
from brinery.serve.open_inference import InferenceForms
from brinery.serve.problems import Problem

INFER = "/v2/models/small/infer"
X = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0], "b": [1.0, 0.0, 1.0, 0.0]})
LENGTH = "inference-header-content-length"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Endpoint:
    """A classifier of whole numbers, with two columns of numbers."""
    model = LogisticRegression().fit(X, [0, 0, 1, 1])
    return endpoint_of(model, X, tmp_path_factory.mktemp("small") / "model.pkl")


@pytest.fixture(scope="module")
def v2(small: Endpoint) -> Iterator[Api]:
    """A client of it."""
    with running(small) as client:
        yield client


def tensor(name: str, data: Any, datatype: str = "FP64", **changes: Any) -> dict[str, Any]:
    return {"name": name, "shape": [len(data)], "datatype": datatype, "data": data, **changes}


def inputs(**changes: Any) -> list[dict[str, Any]]:
    columns = {name: X[name].tolist() for name in X.columns}
    return [tensor(str(name), **{"data": data, **changes}) for name, data in columns.items()]


MATRIX = X.to_numpy()


def outputs(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return {one["name"]: one for one in answer.json()["outputs"]}


def test_an_answer_is_of_the_protocol(v2: Api) -> None:
    """The model, its version, the client's id, and each output with its shape."""
    body = {"id": "ü-1", "inputs": inputs(), "parameters": {"priority": 1, "content_type": "pd"}}
    answer = v2.post(INFER, json=body)
    assert answer.headers["content-type"] == "application/json"
    found = answer.json()
    assert (found["model_name"], found["model_version"], found["id"]) == ("small", "1", "ü-1")
    predict, chances = found["outputs"]
    expected = {"name": "predict", "datatype": "INT64", "shape": [4], "data": [0, 0, 1, 1]}
    assert predict == expected
    assert (chances["name"], chances["datatype"], chances["shape"]) == (
        *("predict_proba", "FP64"),
        [4, 2],
    )
    assert np.sum(np.reshape(chances["data"], (4, 2)), axis=1) == pytest.approx(1)


@pytest.mark.parametrize(
    "given_inputs",
    [
        inputs(),
        [{**one, "shape": [4, 1]} for one in inputs()],
        [{**one, "shape": [4, 1], "data": [[v] for v in one["data"]]} for one in inputs()],
        inputs()[::-1],
        [{**one, "parameters": {"content_type": "np"}} for one in inputs()],
        [tensor("a", [0, 1, 2, 3], "INT8"), tensor("b", [1, 0, 1, 0], "UINT64")],
        inputs(datatype="FP16"),
        inputs(datatype="FP32"),
        [tensor("input-0", MATRIX.tolist(), shape=[4, 2])],
        [tensor("input-0", MATRIX.ravel().tolist(), shape=[4, 2])],
        [tensor("predict", MATRIX.astype(int).tolist(), "INT32", shape=[4, 2])],
    ],
    ids=[
        *("columns", "of one", "nested", "reordered", "parameters", "integers", "fp16", "fp32"),
        *("matrix", "flat matrix", "integer matrix"),
    ],
)
def test_inputs_have_many_forms(v2: Api, given_inputs: list[dict[str, Any]]) -> None:
    """A tensor per column, or one of all of them, of any width, flat or nested."""
    answer = v2.post(INFER, json={"inputs": given_inputs})
    assert outputs(answer)["predict"]["data"] == [0, 0, 1, 1]


def test_only_the_outputs_that_are_wanted_are_given(v2: Api) -> None:
    """In the order in which they are asked for."""
    for names in (["predict"], ["predict_proba"], ["predict_proba", "predict"]):
        body = {"inputs": inputs(), "outputs": [{"name": name} for name in names]}
        assert list(outputs(v2.post(INFER, json=body))) == names


def test_each_output_may_be_bytes(v2: Api) -> None:
    """Those that are wanted so lie behind the document, in their order."""
    wanted = [
        {"name": "predict_proba", "parameters": {"binary_data": True}},
        {"name": "predict"},
    ]
    answer = v2.post(INFER, json={"inputs": inputs(), "outputs": wanted})
    length = int(answer.headers[LENGTH])
    chances, predict = json.loads(answer.content[:length])["outputs"]
    assert chances["parameters"] == {"binary_data_size": 64}
    assert "data" not in chances
    assert (
        np.frombuffer(answer.content[length:]).reshape(4, 2).argmax(axis=1).tolist()
        == (predict["data"])
    )


REFUSED: list[tuple[dict[str, Any], int, str]] = [
    ({}, 400, "inputs"),
    ({"inputs": []}, 400, "empty"),
    ({"inputs": [1]}, 400, "no name"),
    ({"inputs": inputs(), "id": 7}, 400, "id"),
    ({"inputs": inputs(), "outputs": [{"name": "y"}]}, 400, "predict and predict_proba"),
    ({"inputs": inputs(shape=[5])}, 400, "has 4 values"),
    ({"inputs": inputs(shape=[-4])}, 400, "shape"),
    ({"inputs": inputs(shape=[True])}, 400, "shape"),
    ({"inputs": inputs(shape=[2, 2])}, 400, "[n, 1]"),
    ({"inputs": inputs(shape=[4, 1, 1])}, 400, "[n, k]"),
    ({"inputs": inputs(shape=[2**62, 2**62])}, 400, "has 4 values"),
    ({"inputs": inputs(datatype="FP8")}, 400, "datatypes"),
    ({"inputs": inputs(data="x")}, 400, "no data"),
    ({"inputs": inputs(data=[[1], 2, 3, 4])}, 400, "of lists and of values"),
    ({"inputs": inputs(data=[], shape=[4])}, 400, "has 0 values"),
    ({"inputs": [tensor("a", []), tensor("b", [])]}, 422, "no rows"),
    ({"inputs": [tensor("a", [1]), tensor("b", [1, 2])]}, 400, "lengths"),
    ({"inputs": [tensor("a", [1]), tensor("a", [1])]}, 400, "same name"),
    ({"inputs": [tensor("a", [1])]}, 422, "'b'"),
    ({"inputs": [*inputs(), tensor("c", [1] * 4)]}, 422, "'c'"),
    ({"inputs": inputs(data=[1, None, 3, 4])}, 422, "row 1: 'a'"),
    ({"inputs": inputs(data=[1, "2", 3, 4])}, 422, "row 1: 'a' is not FP64"),
    ({"inputs": inputs(data=[1, True, 3, 4])}, 422, "row 1: 'a' is not FP64"),
    ({"inputs": inputs(data=[1, 10**400, 3, 4])}, 422, "row 1: 'a'"),
    ({"inputs": inputs(data=[1, 1e200, 3, 4], datatype="FP32")}, 422, "finite"),
    ({"inputs": inputs(data=[1, 300, 3, 4], datatype="INT8")}, 422, "row 1: 'a' is not INT8"),
    ({"inputs": inputs(data=[1, -1, 3, 4], datatype="UINT8")}, 422, "is not UINT8"),
    ({"inputs": inputs(data=[1, 1.5, 3, 4], datatype="INT64")}, 422, "is not INT64"),
    ({"inputs": inputs(data=["1"] * 4, datatype="BYTES")}, 422, "text"),
    ({"inputs": inputs(data=[True] * 4, datatype="BOOL")}, 422, "'a' takes a number"),
]


@pytest.mark.parametrize(("body", "status", "said"), REFUSED, ids=range(len(REFUSED)))
def test_a_refusal_is_of_the_protocol(
    v2: Api, body: dict[str, Any], status: int, said: str
) -> None:
    """An object with `error`, which says what is wrong, and where."""
    answer = v2.post(INFER, content=json.dumps(body))
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json")
    assert said in answer.json()["error"]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 50_000, b'{"a":1,"a":2}'])
def test_what_is_not_json_is_refused_so_too(v2: Api, content: bytes) -> None:
    """Nothing, half of it, another encoding, nested deeply, and a key twice."""
    answer = v2.post(INFER, content=content)
    assert answer.status_code == 400
    assert answer.json().keys() >= {"error", "code"}


def test_nan_and_infinity(v2: Api) -> None:
    """NaN is a missing value, and is refused as one; infinity is refused."""
    for value, said in (("NaN", "may not be missing"), ("Infinity", "finite")):
        content = json.dumps({"inputs": inputs()}).replace("3.0", value)
        answer = v2.post(INFER, content=content)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["row"] == 3
        assert said in answer.json()["error"]


@pytest.mark.parametrize("length", ["x", "-1", "9999999", "1", "²"])
def test_a_length_that_is_none_is_refused(v2: Api, length: str) -> None:
    """The header tells how long the document is."""
    content = json.dumps({"inputs": inputs()})
    headers = [(LENGTH.encode(), length.encode())]
    assert v2.post(INFER, content=content, headers=headers).status_code == 400


def test_other_ways_are_refused_in_its_words(v2: Api) -> None:
    """Another method, another kind of body, another model."""
    for answer, status in (
        (v2.get(INFER), 405),
        (v2.post(INFER, content=b"x", headers={"content-type": "text/xml"}), 415),
        (v2.post(INFER, content=b"0" * 2_000_000), 413),
        (v2.post("/v2/models/other/infer", json={}), 404),
        (v2.get("/v2/models/other"), 404),
        (v2.get("/v2/models/other/ready"), 404),
        (v2.get("/v2/models/small/versions/9"), 404),
        (v2.get("/v2/other"), 404),
    ):
        assert answer.status_code == status
        assert isinstance(answer.json()["error"], str)


def test_health_and_metadata(v2: Api) -> None:
    """The server, a model and a version say what they are, and that they are ready."""
    assert v2.get("/v2").json()["extensions"] == ["binary_tensor_data"]
    assert v2.get("/v2/health/live").json() == {"live": True}
    for path in ("/v2/models/small", "/v2/models/small/versions/1"):
        assert outputs(v2.post(f"{path}/infer", json={"inputs": inputs()}))
        assert v2.get(f"{path}/ready").json() == {"name": "small", "ready": True}
        found = v2.get(path).json()
        assert found.pop("platform") == "scikit-learn"
        assert found == {
            "name": "small",
            "versions": ["1"],
            "inputs": [
                {"name": "a", "datatype": "FP64", "shape": [-1]},
                {"name": "b", "datatype": "FP64", "shape": [-1]},
            ],
            "outputs": [
                {"name": "predict", "datatype": "INT64", "shape": [-1]},
                {
                    "name": "predict_proba",
                    "datatype": "FP64",
                    "shape": [-1, 2],
                    "parameters": {"labels": [0, 1]},
                },
            ],
        }
    assert v2.get("/v2/health/ready").json() == {"ready": True}


def test_what_is_not_ready_says_so(small: Endpoint) -> None:
    """With 503, for those who look at the status only."""
    fields = {name: getattr(small, name) for name in small.__struct_fields__}
    with running(Endpoint(**{**fields, "model_file": "/nowhere/model.pkl"})) as api:
        for path in ("/v2/health/ready", "/v2/models/small/ready"):
            answer = api.get(path)
            assert (answer.status_code, answer.json()["ready"]) == (503, False)
        answer = api.post(INFER, json={"inputs": inputs()})
        assert answer.status_code == 503
        assert "error" in answer.json()
        assert api.get("/v2/health/live").status_code == 200


def test_a_regression_has_one_output(tmp_path_factory: pytest.TempPathFactory) -> None:
    """And no probabilities to ask for."""
    model = LinearRegression().fit(X, [0.0, 0.5, 1.0, 1.5])
    file = tmp_path_factory.mktemp("regression") / "model.pkl"
    with running(endpoint_of(model, X, file)) as api:
        found = outputs(api.post(INFER, json={"inputs": inputs()}))
        assert found["predict"]["data"] == pytest.approx([0.0, 0.5, 1.0, 1.5])
        (only,) = api.get("/v2/models/small").json()["outputs"]
        assert only == {"name": "predict", "datatype": "FP64", "shape": [-1]}
        body = {"inputs": inputs(), "outputs": [{"name": "predict_proba"}]}
        assert api.post(INFER, json=body).status_code == 400


def test_every_type_of_column_has_a_datatype() -> None:
    """And every datatype is read."""
    assert tensors.OF_COLUMN.keys() == set(ColumnType)
    assert set(tensors.OF_COLUMN.values()) <= tensors.DATATYPES.keys()


def test_the_demo_is_described(api: Api, bank: Bank) -> None:
    """Text is of the datatype BYTES, and its columns are all there, in their order."""
    found = api.get("/v2/models/bank").json()
    assert [one["name"] for one in found["inputs"]] == list(bank.row)
    assert {one["datatype"] for one in found["inputs"]} == {"BYTES", "INT64"}
    assert found["outputs"][0]["datatype"] == "BYTES"


def read(small: Endpoint, body: bytes, headers: dict[str, str]) -> Asked:
    signature = make_signature(
        Column(name="a", type=ColumnType.NUMBER), Column(name="b", type=ColumnType.STRING)
    )
    arrays = ArraysReader(signature, Rules(), max_body_bytes=10_000)
    forms = InferenceForms(small, arrays, headers=[])
    return forms.terms(FakeHeaders(headers)).read(body)


def packed(**changes: Any) -> tuple[bytes, int]:
    """Return a request of bytes, and the length of its document."""
    data = {"FP64": np.arange(3.0).tobytes(), "BYTES": tensors.packed_texts(["x", "", "ü"])}
    told = [
        {
            "name": name,
            "shape": [3],
            "datatype": kind,
            "parameters": {"binary_data_size": len(part)},
        }
        for name, (kind, part) in zip("ab", data.items(), strict=True)
    ]
    head = json.dumps({"inputs": told, **changes}).encode()
    return head + b"".join(data.values()), len(head)


def test_bytes_are_read(small: Endpoint) -> None:
    """Numbers as they lie, text with its length before it."""
    body, length = packed()
    asked = read(small, body, {LENGTH: str(length)})
    assert asked.batch.rows == [(0.0, "x"), (1.0, ""), (2.0, "ü")]
    for content in (body[:-1], body + b"x"):
        with pytest.raises(Problem) as refused:
            read(small, content, {LENGTH: str(length)})
        assert refused.value.status == 400


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damaged_requests_are_read_or_refused(small: Endpoint, data: st.DataObject) -> None:
    """Never a fault of ours."""
    body, length = packed(outputs=[{"name": "predict"}], id="1")
    content = bytearray(body)
    for _ in range(data.draw(st.integers(0, 5))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(
            st.one_of(st.integers(0, 255), st.sampled_from(b'[]{}",:0-'))
        )
    cut = data.draw(st.integers(0, len(content)))
    said = data.draw(st.sampled_from([length, length, length - 1, cut]))
    try:
        asked = read(
            small, bytes(content[: data.draw(st.sampled_from([None, cut]))]), {LENGTH: str(said)}
        )
    except Problem as problem:
        assert problem.status in (400, 413, 422)  # noqa: PT017 - it may be read as well
    else:
        assert len(asked.batch.rows) == asked.batch.n_rows
