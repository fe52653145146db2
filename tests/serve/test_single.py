"""One bare object in, one bare object out."""

from __future__ import annotations

import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LinearRegression
from tests.conftest import Bank
from tests.serve.conftest import Api, MakeEndpoint, running


def test_a_hand_written_service_is_replaced(make_endpoint: MakeEndpoint) -> None:
    """The client of a service that has `POST /label` for one flower needs no change."""
    frame = load_iris(as_frame=True)["data"]
    frame.columns = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
    model = DummyClassifier(strategy="constant", constant=0).fit(frame, load_iris()["target"])
    flower = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}
    with running(make_endpoint(model, frame)) as api:
        answer = api.post("/label", json=flower)
        assert (answer.status_code, answer.content) == (200, b'{"label":0}')
        assert api.post("/value", json=flower).status_code == 404
        del flower["petal_width"]
        refused = api.post("/label", json=flower)
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["column"] == "petal_width"


def test_a_regression_answers_a_value(make_endpoint: MakeEndpoint) -> None:
    """Under a path of its own."""
    frame = pd.DataFrame({"x": [0.0, 1.0]})
    with running(make_endpoint(LinearRegression().fit(frame, [1.0, 3.0]), frame)) as api:
        assert api.post("/value", json={"x": 2}).json() == {"value": pytest.approx(5.0)}
        assert api.post("/label", json={"x": 2}).status_code == 404


def test_the_label_is_that_of_the_other_routes(api: Api, bank: Bank) -> None:
    """One row, as a bare object or as a list of one; several are refused."""
    wide = api.post("/v1/models/bank/predict", json=bank.row).json()["predictions"][0]
    for body in (bank.row, {"rows": [bank.row]}):
        assert api.post("/label", json=body).json() == {"label": wide["label"]}
    refused = api.post("/label", json={"rows": [bank.row] * 2})
    assert (refused.status_code, refused.json()["code"]) == (422, "wrong-shape")
