"""Scores become JSON."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from tests.serve.conftest import MakeEndpoint

from brinery.flavors import outputs
from brinery.flavors.scikit_learn import ScikitLearn
from brinery.records.scores import Scores
from brinery.serve import answers, openapi
from brinery.serve.asked import Asked
from brinery.serve.batch import Batch
from brinery.serve.endpoint import Endpoint
from brinery.serve.share import whole

ASKED = Asked(Batch({}, 0, in_columns={}))
X = pd.DataFrame({"x": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]})


def answer(make_endpoint: MakeEndpoint, model: BaseEstimator) -> list[dict[str, Any]]:
    """Return the predictions for the first row, as our own route answers them."""
    endpoint = make_endpoint(model, X)
    scored = ScikitLearn().score(model, X)
    scores = Scores(
        predictions=scored.predictions,
        probabilities=scored.probabilities,
        classes=endpoint.candidate.description.classes,
    )
    document = json.loads(answers.OwnWriter(endpoint)(ASKED, whole(scores)))
    assert document["model"] == "small"
    assert document["version"] == 1
    predictions: list[dict[str, Any]] = document["predictions"]
    assert len(predictions) == len(X)
    return predictions


@pytest.mark.parametrize(
    "labels",
    [
        ["no", "yes"] * 3,
        [0, 1] * 3,
        [False, True] * 3,
        ["a", "b", "c"] * 2,
    ],
)
def test_a_classifier_answers_labels_and_probabilities(
    make_endpoint: MakeEndpoint, labels: list[Any]
) -> None:
    """A label keeps its type, and each class has its probability, two classes or more."""
    model = LogisticRegression().fit(X, labels)
    predictions = answer(make_endpoint, model)
    first = predictions[0]
    assert first["label"] in set(labels)
    assert type(first["label"]) is type(labels[0])
    expected = dict(zip(map(str, model.classes_), model.predict_proba(X)[0], strict=True))
    assert first["probabilities"] == expected


def test_a_classifier_without_probabilities_answers_labels(make_endpoint: MakeEndpoint) -> None:
    """Where the model gives no probabilities there are none."""
    model = LinearSVC().fit(X, ["no", "yes"] * 3)
    assert answer(make_endpoint, model)[0].keys() == {"label"}


def test_a_regression_answers_values(make_endpoint: MakeEndpoint) -> None:
    """A regression answers a value per row."""
    model = LinearRegression().fit(X, X["x"])
    assert answer(make_endpoint, model)[3] == {"value": pytest.approx(3.0)}


def test_another_model_answers_values(make_endpoint: MakeEndpoint) -> None:
    """What is neither a classifier nor a regression answers what it predicts as a value."""
    model = IsolationForest(n_estimators=5, random_state=0).fit(X)
    assert all(row["value"] in (-1, 1) for row in answer(make_endpoint, model))


def test_components_are_no_classes(make_endpoint: MakeEndpoint) -> None:
    """A mixture, whose probabilities are of nothing that has a name, answers values alone."""
    model = GaussianMixture(2, random_state=0).fit(X)
    assert answer(make_endpoint, model)[0].keys() == {"value"}


def test_what_is_not_finite_is_null(make_endpoint: MakeEndpoint) -> None:
    """NaN and infinity, which JSON has not, are null."""
    endpoint = make_endpoint(LinearRegression().fit(X, X["x"]), X)
    scores = Scores(predictions=np.array([1.0, np.nan, np.inf]))
    assert [
        row["value"]
        for row in json.loads(answers.OwnWriter(endpoint)(ASKED, whole(scores)))["predictions"]
    ] == [
        1.0,
        None,
        None,
    ]


def test_mlflow_answers_predictions_alone() -> None:
    """MLflow's route answers what `predict` returned, and nothing else."""
    scores = Scores(predictions=np.array(["no", "yes"], dtype=object))
    assert json.loads(answers.mlflow(ASKED, scores)) == {"predictions": ["no", "yes"]}


def test_what_the_client_calls_its_request_is_given_back(make_endpoint: MakeEndpoint) -> None:
    """An `id` comes with the answer, and none where none was given."""
    endpoint = make_endpoint(LinearRegression().fit(X, X["x"]), X)
    scores = Scores(predictions=np.array([1.0]))
    asked = Asked(Batch({}, 1, in_columns={}), id="7f")
    assert json.loads(answers.OwnWriter(endpoint)(asked, whole(scores)))["id"] == "7f"
    assert "id" not in json.loads(answers.OwnWriter(endpoint)(ASKED, whole(scores)))


TWO = pd.DataFrame({"x": [0.0, 1.0], "y": [2.0, 4.0]})


def several_endpoint(make_endpoint: MakeEndpoint, scores: Scores) -> Endpoint:
    """Return an endpoint whose signature has the outputs of some answers."""
    endpoint = make_endpoint(StandardScaler().fit(TWO), TWO)
    takes = msgspec.structs.replace(endpoint.candidate.signature, outputs=outputs.described(scores))
    candidate = msgspec.structs.replace(endpoint.candidate, signature=takes)
    return msgspec.structs.replace(endpoint, candidate=candidate)


def test_several_values_by_name(make_endpoint: MakeEndpoint) -> None:
    """Several values of a row are an object by name, in which what is not finite is null."""
    scores = Scores(predictions=np.array([[1.0, np.nan], [2.0, 3.0]]), outputs=("low", "high"))
    document = json.loads(
        answers.OwnWriter(several_endpoint(make_endpoint, scores))(ASKED, whole(scores))
    )
    assert document["predictions"] == [
        {"values": {"low": 1.0, "high": None}},
        {"values": {"low": 2.0, "high": 3.0}},
    ]


def test_several_values_of_a_scorer(make_endpoint: MakeEndpoint) -> None:
    """A scorer names nothing: the names are those that were recorded at import."""
    named = Scores(predictions=np.array([[1.0, 2.0]]), outputs=("low", "high"))
    endpoint = several_endpoint(make_endpoint, named)
    bare = Scores(predictions=named.predictions)
    assert json.loads(answers.OwnWriter(endpoint)(ASKED, whole(bare))) == json.loads(
        answers.OwnWriter(endpoint)(ASKED, whole(named))
    )


def test_mlflow_answers_rows_of_a_table() -> None:
    """MLflow's route answers an array as lists, and a frame as objects by column."""
    values = np.array([[1, "a"], [2, "b"]], dtype=object)
    array = Scores(predictions=values, outputs=("n", "t"))
    assert json.loads(answers.mlflow(ASKED, array)) == {"predictions": [[1, "a"], [2, "b"]]}
    frame = msgspec.structs.replace(array, framed=True)
    assert json.loads(answers.mlflow(ASKED, frame)) == {
        "predictions": [{"n": 1, "t": "a"}, {"n": 2, "t": "b"}]
    }


@pytest.mark.parametrize("framed", [False, True])
def test_many_values_in_the_document(make_endpoint: MakeEndpoint, *, framed: bool) -> None:
    """Of very many values the document says how many there are, and does not list them."""
    names = tuple(map(str, range(300)))
    scores = Scores(predictions=np.ones((2, 300)), outputs=names, framed=framed)
    schemas = openapi.document(several_endpoint(make_endpoint, scores))["components"]["schemas"]
    items = schemas["PredictResponse"]["properties"]["predictions"]["items"]
    counted = {"type": "object", "minProperties": 300, "maxProperties": 300}
    assert items["properties"]["values"] == counted
    returned = schemas["InvocationsResponse"]["properties"]["predictions"]["items"]
    assert returned == (counted if framed else {"type": "array", "minItems": 300, "maxItems": 300})
