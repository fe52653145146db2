"""Who answers: the scorer, as the model would; the model, where it declines or is gone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from msgspec.structs import replace
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from tests.conftest import Bank
from tests.serve.conftest import Api, running

from brinery.records.fast_path import FastPath
from brinery.records.signature import ColumnType
from brinery.scorers.compiler import compile_model
from brinery.scorers.plan import Input
from brinery.serve.endpoint import Endpoint
from brinery.specs.categories import UnknownCategories

PREDICT = "/v1/models/bank/predict"


@pytest.fixture(scope="module")
def rows(bank: Bank) -> list[dict[str, Any]]:
    """Rows as a client sends them."""
    frame = bank.frame.drop(columns="y").iloc[:200]
    found: list[dict[str, Any]] = json.loads(frame.to_json(orient="records"))
    return found


def answer(endpoint: Endpoint, body: Any) -> Any:
    with running(endpoint) as api:
        return api.post(PREDICT, json=body).json()


def test_scorer_and_library_answer_alike(
    api: Api, bank_endpoint: Endpoint, rows: list[dict[str, Any]]
) -> None:
    """To the last digit, for one row and for many."""
    by_library = replace(bank_endpoint, scorer_file=None)
    assert answer(by_library, {"rows": rows}) == api.post(PREDICT, json={"rows": rows}).json()
    assert answer(by_library, rows[0]) == api.post(PREDICT, json=rows[0]).json()


def test_no_process_is_started_while_the_scorer_answers(
    bank_endpoint: Endpoint, rows: list[dict[str, Any]]
) -> None:
    """A model file that is gone is not missed."""
    alone = replace(bank_endpoint, model_file="gone.pkl")
    with running(alone) as api:
        assert api.get("/ready").status_code == 200
        assert api.post(PREDICT, json=rows[0]).status_code == 200


def test_what_the_scorer_declines_the_library_answers(
    bank_endpoint: Endpoint, rows: list[dict[str, Any]]
) -> None:
    """A whole number that float64 cannot tell from its neighbours, say."""
    large = {**rows[0], "balance": 2**53 + 1}
    found = answer(bank_endpoint, large)
    assert (
        found["predictions"]
        == answer(replace(bank_endpoint, scorer_file=None), large)["predictions"]
    )
    gone = replace(bank_endpoint, model_file="gone.pkl")
    assert answer(gone, large)["code"] == "model-not-loaded"


@pytest.mark.parametrize("what", ["changed", "cut", "gone"])
def test_a_scorer_that_is_not_the_one_compared_is_not_used(
    bank_endpoint: Endpoint, rows: list[dict[str, Any]], tmp_path: Path, what: str
) -> None:
    """Its file is checked against the record; the library answers instead."""
    assert bank_endpoint.scorer_file is not None
    content = Path(bank_endpoint.scorer_file).read_bytes()
    path = tmp_path / "scorer.safetensors"
    if what != "gone":
        path.write_bytes(content[:-9] if what == "cut" else content[:-1] + b"\0")
    found = answer(replace(bank_endpoint, scorer_file=str(path)), rows[0])
    assert found["predictions"] == answer(bank_endpoint, rows[0])["predictions"]


def test_a_version_whose_scorer_failed_is_scored_by_its_library(
    bank_endpoint: Endpoint, rows: list[dict[str, Any]]
) -> None:
    """A file beside it is no matter: the record says who answers."""
    version = replace(bank_endpoint.version, fast_path=FastPath(reason="it differs"))
    refused = replace(bank_endpoint, version=version)
    assert answer(refused, rows[0])["predictions"] == answer(bank_endpoint, rows[0])["predictions"]


@pytest.mark.parametrize(("steps", "sees"), [(None, 1.0), (("another",), 0.0)])
def test_a_scorer_that_needs_the_library_answers_in_the_process_of_the_model(
    make_endpoint: Any, steps: tuple[str, ...] | None, sees: float
) -> None:
    """There its steps are asked for as they were when it was compared, or it is not used.

    This model tells who asks: of a scorer every number is a float64.
    """

    def asked(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.assign(a=float(frame["a"].dtype.kind == "f"))

    frame = pd.DataFrame({"a": range(4)})
    model = make_pipeline(FunctionTransformer(asked), LinearRegression())
    model.fit(frame, [0.0] * 4)
    model[-1].coef_ = np.array([1.0])
    model[-1].intercept_ = 0.0
    scorer = compile_model(model, [Input("a", ColumnType.INTEGER)])
    endpoint = make_endpoint(model, frame)
    fast = FastPath(library=scorer.fallbacks if steps is None else steps)
    partial = replace(endpoint, version=replace(endpoint.version, fast_path=fast))
    with running(partial) as api:
        answered = api.post("/v1/models/small/predict", json={"a": 3})
        while answered.status_code == 503:
            answered = api.post("/v1/models/small/predict", json={"a": 3})
    assert answered.json()["predictions"] == [{"value": sees}]


def test_a_model_without_a_scorer_is_asked_itself(make_endpoint: Any) -> None:
    """As models were before there were scorers."""
    frame = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0]})
    model = LogisticRegression().fit(frame, [0, 0, 1, 1])
    endpoint = make_endpoint(model, frame, unknown_categories=UnknownCategories.ALLOW)
    with running(endpoint) as api:
        found = api.post("/v1/models/small/predict", json={"a": 3.0}).json()
    assert found["predictions"][0]["label"] == 1
