"""What models within are asked for: nothing that they do not have."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier
from tests.scorers.samples import Fixed, classes, columns, fitted, node_of, numbers

from brinery.scorers import responses
from brinery.scorers.data import Declined
from brinery.scorers.interface import Answer
from brinery.scorers.responses import Response

DATA = np.zeros((2, 1))


def test_the_library_asks_for_the_decision_first() -> None:
    """Then for probabilities; of a regressor for its prediction."""
    assert responses.binary_response(LogisticRegression()) is Response.DECISION
    assert responses.binary_response(GaussianNB()) is Response.PROBABILITIES
    assert responses.binary_response(Ridge()) is Response.PREDICTION


def test_a_score_is_one_number_for_each_row() -> None:
    """Of each response."""
    told = np.array([[0.75, 0.25], [0.5, 0.5]])
    model = Fixed(Answer(values=np.array([3.0, 4.0]), probabilities=told), [[1.0], [2.0]])
    for response, expected in (
        (Response.DECISION, [1.0, 2.0]),
        (Response.PROBABILITIES, [0.25, 0.5]),
        (Response.PREDICTION, [3.0, 4.0]),
    ):
        assert responses.scores(model, DATA, response=response).tolist() == expected


def test_classes_are_numbered_where_they_are_whole_numbers_from_0() -> None:
    """Not where they are text, floats, others, or not there."""
    labels = np.searchsorted(np.unique(classes(3)), classes(3))
    model = fitted(DecisionTreeClassifier(max_depth=1), labels)
    assert responses.is_numbered(model, 3)
    assert not responses.is_numbered(model, 2)
    for other in (labels + 1, labels.astype(float), classes(3)):
        assert not responses.is_numbered(fitted(model, other), 3)
    assert not responses.is_numbered(Ridge(), 3)


def test_the_first_of_the_largest_shares_is_taken_unless_it_may_be_rounded() -> None:
    """One class is always the largest."""
    model = [Fixed()]
    assert responses.first_of(np.array([[1.0], [1.0]]), model).tolist() == [0, 0]
    assert responses.first_of(np.zeros((0, 2)), model).tolist() == []
    assert responses.first_of(np.array([[0.2, 0.8], [0.6, 0.4]]), model).tolist() == [1, 0]
    assert responses.first_of(np.array([[0.4, 0.4, 0.2]]), []).tolist() == [0]
    for tied in ([[0.5, 0.5]], [[0.4, 0.4, 0.2]], [[0.2, 0.4, 0.4 - 1e-15]]):
        with pytest.raises(Declined, match="tied"):
            responses.first_of(np.array(tied), model)


def test_columns_become_a_table_once_where_all_models_take_numbers() -> None:
    """Others are given the columns as they came."""
    rows = columns(numbers())
    line = node_of(fitted(LogisticRegression(), classes(2)))
    np.testing.assert_array_equal(np.asarray(responses.shared(rows, [line, line])), numbers())
    assert responses.shared(rows, [line, Fixed()]) is rows
    assert responses.shared(DATA, [line]) is DATA
