"""Thresholds: fixed and tuned, of probabilities and of decisions, for either class."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.svm import LinearSVC
from tests.conftest import stable
from tests.scorers.agreement import agrees, compiled
from tests.scorers.samples import Fixed, classes, columns, fitted, node_of, numbers

from brinery.scorers.data import Declined
from brinery.scorers.interface import Answer, Unsupported
from brinery.scorers.responses import Response
from brinery.scorers.thresholds import Thresholded

DATA = np.zeros((3, 1))
ESTIMATORS = (
    LogisticRegression(),
    LinearSVC(random_state=0),
    RandomForestClassifier(10, random_state=0),
)


@pytest.mark.parametrize("label", [None, "so", "yes"])
@pytest.mark.parametrize("threshold", ["auto", 0.3, 0.5, -0.2, 2.0])
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=stable)
def test_a_threshold_tells_the_classes_apart(estimator: Any, threshold: Any, label: Any) -> None:
    """A score that lies at it is above."""
    model = FixedThresholdClassifier(estimator, threshold=threshold, pos_label=label)
    agrees(fitted(model, classes(2)), numbers())


@pytest.mark.parametrize("method", ["auto", "predict_proba", "decision_function"])
@pytest.mark.parametrize("label", ["so", "yes"])
def test_the_score_is_of_the_method_that_was_chosen(method: str, label: str) -> None:
    """Of a decision, the sign is turned for the first class."""
    for threshold in ("auto", 0.4):
        model = FixedThresholdClassifier(
            LogisticRegression(), threshold=threshold, pos_label=label, response_method=method
        )
        agrees(fitted(model, classes(2)), numbers())


@pytest.mark.parametrize("label", ["so", "yes"])
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=stable)
def test_a_tuned_threshold_tells_the_classes_apart(estimator: Any, label: str) -> None:
    """With the positive class of what it was tuned for."""
    scoring = make_scorer(f1_score, pos_label=label)
    model = fitted(TunedThresholdClassifierCV(estimator, scoring=scoring, cv=2), classes(2))
    agrees(model, numbers())
    agrees(fitted(TunedThresholdClassifierCV(estimator, cv=2), classes(2)), numbers())


def test_a_score_at_the_threshold_is_above_it() -> None:
    """For the second class as for the first."""
    told = np.array([[0.75, 0.25], [0.5, 0.5], [0.25, 0.75]])
    for positive, threshold, expected in ((1, 0.5, [0, 1, 1]), (0, 0.5, [0, 0, 1])):
        labels = _node(told, positive=positive, threshold=threshold).answer(DATA).labels
        assert labels is not None
        assert labels.tolist() == expected


def _node(told: Any, **fields: Any) -> Thresholded:
    usual: dict[str, Any] = {
        "model": Fixed(Answer(probabilities=told)),
        "response": Response.PROBABILITIES,
        "threshold": 0.5,
        "positive": 1,
        "likely": True,
    }
    return Thresholded(**{**usual, **fields})


def test_the_decision_function_and_the_trees_are_those_within() -> None:
    """The threshold changes neither."""
    rows = numbers()
    model = fitted(FixedThresholdClassifier(LogisticRegression(), threshold=0.9), classes(2))
    decision = compiled(model, rows).plan.model.decision(columns(rows))
    np.testing.assert_allclose(decision, model.decision_function(rows), rtol=1e-12)
    assert len(compiled(fitted(FixedThresholdClassifier(ESTIMATORS[2]), classes(2)), rows).splits())


def test_scores_that_might_be_compared_otherwise_are_declined() -> None:
    """Those of float32, and those that are not there."""
    with pytest.raises(Declined, match="less precision"):
        _node(np.ones((3, 2), np.float32)).answer(DATA)
    with pytest.raises(Declined, match="no probabilities"):
        _node(None).answer(DATA)


def test_a_threshold_between_more_classes_is_not_read() -> None:
    """There are two."""
    model = fitted(FixedThresholdClassifier(LogisticRegression()), classes(2))
    fitted(model.estimator_, classes(3))
    with pytest.raises(Unsupported, match="two classes"):
        node_of(model)


def test_a_forged_positive_class_is_refused() -> None:
    """There are two classes."""
    for positive in (-1, 2):
        with pytest.raises(ValueError, match="not there"):
            _node(None, positive=positive)
