"""Many classes by models of two: decisions, probabilities and values; votes and ties."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier, OutputCodeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier
from tests.conftest import stable
from tests.scorers.agreement import agrees, columns_of, inputs_of
from tests.scorers.samples import Fixed, classes, columns, fitted, node_of, numbers, untied

from brinery.scorers.compiler import compile_model
from brinery.scorers.data import Declined
from brinery.scorers.interface import Answer, Unsupported
from brinery.scorers.multiclass import OneAgainstOne, OneAgainstRest
from brinery.scorers.responses import Response

DATA = np.zeros((2, 1))


def _estimators() -> list[Any]:
    return [
        LinearSVC(random_state=0),
        make_pipeline(StandardScaler(), SVC()),
        LogisticRegression(),
        GaussianNB(),
        DecisionTreeClassifier(random_state=0),
        DecisionTreeClassifier(max_depth=1),
    ]


@pytest.mark.parametrize("kind", [OneVsRestClassifier, OneVsOneClassifier])
@pytest.mark.parametrize("estimator", _estimators(), ids=stable)
@pytest.mark.parametrize("count", [2, 3, 4])
def test_models_of_two_classes_tell_many_apart(count: int, estimator: Any, kind: Any) -> None:
    """Answers and decisions are the library's, those of trees where classes are tied, too."""
    model = fitted(kind(estimator), classes(count))
    ties = isinstance(estimator, DecisionTreeClassifier)
    rows = numbers() if ties else untied(model, numbers())
    node = agrees(model, rows).plan.model
    if hasattr(model, "decision_function"):
        np.testing.assert_allclose(
            node.decision(columns(rows)), model.decision_function(rows), rtol=1e-9, atol=1e-9
        )


@pytest.mark.parametrize("count", [2, 3])
def test_regressors_tell_classes_apart(count: int) -> None:
    """By their values, without probabilities."""
    agrees(fitted(OneVsRestClassifier(Ridge()), classes(count)), numbers())


@pytest.mark.parametrize("kind", [OneVsRestClassifier, OneVsOneClassifier])
def test_a_sparse_table_is_taken(kind: Any) -> None:
    """As the models within take it."""
    bins = KBinsDiscretizer(4, quantile_method="averaged_inverted_cdf")
    model = make_pipeline(bins, kind(LogisticRegression()))
    agrees(fitted(model, classes(3)), numbers())


@pytest.mark.parametrize("kind", [OneVsRestClassifier, OneVsOneClassifier])
def test_a_missing_value_is_for_the_library_to_refuse(kind: Any) -> None:
    """As the models within refuse it."""
    model = fitted(kind(LogisticRegression()), classes(3))
    rows = numbers()[:2].copy()
    rows.iloc[0, 1] = np.nan
    scorer = compile_model(model, inputs_of(rows))
    with pytest.raises(Declined):
        scorer.score(columns_of(rows))


def _rest(*decisions: Any, first: bool = True) -> OneAgainstRest:
    return OneAgainstRest(
        members=tuple(Fixed(decision=one) for one in decisions),
        response=Response.DECISION,
        threshold=0.0,
        first=first,
        likely=False,
        empty=True,
    )


def test_of_equal_scores_versions_choose_another() -> None:
    """The first, or before scikit-learn 1.8 the last."""
    scores = ([1.0, 0.0], [1.0, 2.0], [0.0, 2.0])
    for first, expected in ((True, [0, 1]), (False, [1, 2])):
        labels = _rest(*scores, first=first).answer(DATA).labels
        assert labels is not None
        assert labels.tolist() == expected


def test_where_no_class_is_likely_versions_differ() -> None:
    """The probabilities are 0; before scikit-learn 1.7 they are missing, with a warning."""
    unlikely = Fixed(Answer(probabilities=np.array([[1.0, 0.0], [0.5, 0.5]])), [1.0, 2.0])
    for empty in (True, False):
        node = OneAgainstRest(
            members=(unlikely,) * 3,
            response=Response.DECISION,
            threshold=0.0,
            first=True,
            likely=True,
            empty=empty,
        )
        if not empty:
            with pytest.raises(Declined, match="no class is likely"):
                node.answer(DATA)
            continue
        told = node.answer(DATA).probabilities
        assert told is not None
        np.testing.assert_array_equal(told, [[0.0] * 3, [1 / 3] * 3])


def test_a_score_that_is_no_number_is_declined() -> None:
    """By one against rest, and by one against one."""
    with pytest.raises(Declined, match="no number"):
        _rest([np.nan, 0.0], [0.0, 0.0]).answer(DATA)
    member = Fixed(Answer(labels=np.array([0, 1])), [np.nan, 0.0])
    with pytest.raises(Declined, match="no number"):
        _one(members=(member,)).answer(DATA)


def test_what_is_not_of_two_classes_each_is_not_read() -> None:
    """Several labels, distances, other classes, regressors of pairs."""
    several = np.column_stack([classes(2) == "so", classes(3) == "so"]).astype(int)
    with pytest.raises(Unsupported, match="several labels"):
        node_of(fitted(OneVsRestClassifier(GaussianNB()), several))
    with pytest.raises(Unsupported, match="other classes"):
        node_of(fitted(OneVsOneClassifier(Ridge()), classes(3)))
    for kind in (OneVsOneClassifier, OneVsRestClassifier):
        model = fitted(kind(GaussianNB()), classes(3))
        model.estimators_[0].classes_ = np.array([1, 2])
        with pytest.raises(Unsupported, match="other classes"):
            node_of(model)
        model.estimators_ = [Ridge(), *model.estimators_[1:]]
        with pytest.raises(Unsupported, match="different kinds"):
            node_of(model)
    model = fitted(OneVsOneClassifier(GaussianNB()), classes(3))
    model.pairwise_indices_ = (0, 1, 2)
    with pytest.raises(Unsupported, match="distances"):
        node_of(model)
    model = fitted(OneVsRestClassifier(GaussianNB()), classes(3))
    model.estimators_.pop()
    with pytest.raises(Unsupported, match="for each class"):
        node_of(model)
    with pytest.raises(Unsupported, match="not known"):
        node_of(fitted(OutputCodeClassifier(GaussianNB()), classes(3)))


def _one(**fields: Any) -> OneAgainstOne:
    usual: dict[str, Any] = {
        "members": (Fixed(),),
        "response": Response.DECISION,
        "threshold": 0.0,
        "n_classes": 2,
        "n_features": 1,
    }
    return OneAgainstOne(**{**usual, **fields})


def test_forged_choices_are_refused() -> None:
    """There is a model for each class, or for each pair, and all columns are there."""
    with pytest.raises(ValueError, match="no class"):
        _rest()
    for fields in ({"n_classes": 1}, {"n_classes": 3}, {"members": ()}):
        with pytest.raises(ValueError, match="without models"):
            _one(**fields)
    with pytest.raises(ValueError, match="other columns"):
        _one(n_features=2).answer(DATA)
