"""The body of MLflow's own route, beside MLflow's own reading of it."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.conftest import Bank
from tests.serve.conftest import Api, make_signature

from brinery.records.signature import Column, ColumnType, Signature
from brinery.serve.endpoint import Endpoint
from brinery.serve.invocations import InvocationsReader
from brinery.serve.problems import Problem

N_ROWS = 40
SIGNATURE = make_signature(
    Column(name="age", type=ColumnType.INTEGER),
    Column(name="job", type=ColumnType.STRING, categories=("a", "b")),
    Column(name="size", type=ColumnType.NUMBER, nullable=True, required=False),
)
ONE = make_signature(Column(name="x", type=ColumnType.NUMBER, nullable=True))

Body = Callable[[pd.DataFrame], dict[str, Any]]


def split(frame: pd.DataFrame) -> dict[str, Any]:
    content: dict[str, Any] = frame.to_dict(orient="split", index=False)
    return content


FORMS: dict[str, Body] = {
    "dataframe_split": lambda f: {"dataframe_split": split(f)},
    "dataframe_split with index": lambda f: {"dataframe_split": f.to_dict(orient="split")},
    "dataframe_split reordered": lambda f: {"dataframe_split": split(f[f.columns[::-1]])},
    "dataframe_split with more": lambda f: {"dataframe_split": split(f.assign(extra=1))},
    "dataframe_records": lambda f: {"dataframe_records": f.to_dict(orient="records")},
    "dataframe_records with params": lambda f: {
        "dataframe_records": f.to_dict(orient="records"),
        "params": {},
    },
    "dataframe_records of text": lambda f: {
        "dataframe_records": f.astype({"age": str}).to_dict(orient="records")
    },
    "instances of objects": lambda f: {"instances": f.to_dict(orient="records")},
    "instances as columns": lambda f: {"instances": f.to_dict(orient="list")},
    "inputs as columns": lambda f: {"inputs": f.to_dict(orient="list")},
    "inputs of objects": lambda f: {"inputs": f.to_dict(orient="records")},
    "inputs of one row": lambda f: {"inputs": f.to_dict(orient="records")[0]},
}


class Peer:
    """The served version as MLflow loads it, and MLflow's own scoring server around it."""

    def __init__(self, folder: Path) -> None:
        # It warns of itself when it is imported.
        from mlflow.pyfunc import load_model, scoring_server

        self._model: Any = load_model(str(folder))
        self._server: Any = scoring_server

    def predict(self, frame: pd.DataFrame) -> list[Any]:
        """Return the predictions for a frame."""
        predictions: list[Any] = self._model.predict(frame).tolist()
        return predictions

    def answer(self, body: str, media: str = "application/json") -> list[Any]:
        """Return the predictions that the scoring server answers to a body."""
        schema = self._model.metadata.get_input_schema()
        answer = self._server.invocations(body, media, self._model, schema)
        assert answer.status == 200
        predictions: list[Any] = json.loads(answer.response)["predictions"]
        return predictions


@pytest.fixture(scope="session")
def peer(bank_endpoint: Endpoint) -> Peer:
    """What we are compared with."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Peer(Path(bank_endpoint.model_file).parent)


@pytest.mark.parametrize("form", FORMS)
def test_it_answers_as_mlflow_serves(api: Api, peer: Peer, bank: Bank, form: str) -> None:
    """The same body gives the same predictions as MLflow's scoring server and the model itself."""
    frame = bank.frame.drop(columns="y").head(N_ROWS)
    body = json.dumps(FORMS[form](frame))
    ours = api.post("/invocations", content=body)
    assert ours.status_code == 200, ours.text
    predictions = ours.json()["predictions"]
    assert predictions == peer.answer(body)
    assert predictions == peer.predict(frame)[: len(predictions)]


def test_a_matrix_has_the_columns_in_their_order(api: Api, peer: Peer, bank: Bank) -> None:
    """A matrix, which MLflow refuses for a model with names, is read in the signature's order."""
    frame = bank.frame.drop(columns="y").head(N_ROWS)
    for form in ("instances", "inputs"):
        answer = api.post("/invocations", json={form: frame.to_numpy().tolist()})
        assert answer.json()["predictions"] == peer.predict(frame)


def test_csv_is_answered_as_mlflow_answers_it(api: Api, peer: Peer, bank: Bank) -> None:
    """In JSON; columns in any order, others left out, and what pandas takes for a missing value."""
    frame = bank.frame.drop(columns="y").head(N_ROWS)
    holes = frame.astype(object).assign(extra=1)[["extra", *frame.columns[::-1]]]
    holes["job"] = (["NA", 'unseen, "quoted"', "services"] * N_ROWS)[:N_ROWS]
    for asked in (frame, holes):
        body = asked.to_csv(index=False)
        ours = api.post("/invocations", content=body, headers={"content-type": "text/csv"})
        assert ours.status_code == 200, ours.text
        assert ours.headers["content-type"] == "application/json"
        assert ours.json()["predictions"] == peer.answer(body, "text/csv")


def test_nan_in_a_category_goes_to_the_model(api: Api, peer: Peer, bank: Bank) -> None:
    """NaN, which `json.dumps` writes for a missing text, is answered as MLflow answers it."""
    frame = bank.frame.drop(columns="y").head(N_ROWS)
    body = json.dumps({"dataframe_split": split(frame.assign(job=float("nan")))})
    assert "NaN" in body
    ours = api.post("/invocations", content=body).json()["predictions"]
    assert ours == peer.answer(body)


def rows(body: Any, signature: Signature = SIGNATURE) -> list[dict[str, Any]]:
    table = InvocationsReader(signature).asked(json.dumps(body).encode()).batch.table()
    found: list[dict[str, Any]] = table.to_pylist()
    return found


def problem(body: Any, signature: Signature = SIGNATURE) -> Problem:
    with pytest.raises(Problem) as caught:
        rows(body, signature)
    return caught.value


@pytest.mark.parametrize("form", ["instances", "inputs"])
def test_one_column_may_be_a_flat_list(form: str) -> None:
    """For a model of one column a list of values is a column, as MLflow reads it."""
    assert rows({form: [1, None, 2.5]}, ONE) == rows({form: [[1], [None], [2.5]]}, ONE)


def test_an_optional_column_may_be_absent() -> None:
    """A column that the model does not read may be left out in every form."""
    assert rows({"inputs": {"age": [1], "job": ["a"]}})[0]["size"] is None
    assert rows({"dataframe_records": [{"age": 1, "job": "a"}]})[0]["size"] is None


@pytest.mark.parametrize("body", [None, [], 1, {}, {"rows": []}, {"inputs": {}, "instances": []}])
def test_a_body_has_one_of_the_forms(body: Any) -> None:
    """None of the four, or two at once, is 400 and says so."""
    found = problem(body)
    assert (found.status, found.code) == (400, "wrong-shape")


@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_split": None},
        {"dataframe_split": []},
        {"dataframe_split": {"data": [[1, "a", 1]]}},
        {"dataframe_split": {"columns": ["age", "job"]}},
        {"dataframe_split": {"columns": ["age", "job"], "data": [[1]]}},
        {"dataframe_split": {"columns": ["age", "age", "job"], "data": [[1, 2, "a"]]}},
        {"dataframe_split": {"columns": [{}, "job"], "data": [[1, "a"]]}},
        {"dataframe_records": {"age": 1}},
        {"dataframe_records": [{"age": 1, "job": "a"}, None]},
        {"dataframe_records": []},
        {"instances": None},
        {"instances": "x"},
        {"instances": []},
        {"instances": [{"age": 1, "job": "a"}, [1, "a", 1]]},
        {"instances": [[1, "a", 1], {"age": 1}]},
        {"inputs": {"age": [1, 2], "job": ["a"]}},
        {"inputs": {}},
        {"inputs": [[1, "a"]]},
    ],
)
def test_a_form_with_the_wrong_content_is_refused(body: Any) -> None:
    """A form whose content is not what it says is 422, in one sentence."""
    found = problem(body)
    assert found.status == 422
    assert len(found.detail) < 150


def test_a_fault_names_the_row_and_the_column() -> None:
    """A value that cannot be read is named by row and column in every form."""
    for body in (
        {"dataframe_split": {"columns": ["age", "job"], "data": [[1, "a"], ["x", "a"]]}},
        {"dataframe_records": [{"age": 1, "job": "a"}, {"age": "x", "job": "a"}]},
        {"instances": [[1, "a", 1], ["x", "a", 1]]},
        {"inputs": {"age": [1, "x"], "job": ["a", "a"]}},
    ):
        (fault,) = problem(body).errors
        assert (fault.row, fault.column, fault.code) == (1, "age", "wrong-type")


def test_a_missing_column_is_named() -> None:
    """A required column that is not there is named once, not once per row."""
    (fault,) = problem({"dataframe_records": [{"age": 1}] * 50}).errors
    assert (fault.code, fault.column, fault.row) == ("missing-column", "job", None)
