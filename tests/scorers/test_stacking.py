"""Stacks: every response, with the data behind it and without, dense and sparse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier, StackingClassifier, StackingRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, RidgeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from tests.conftest import stable
from tests.scorers.agreement import agrees, columns_of, compiled
from tests.scorers.samples import Fixed, classes, columns, fitted, frame, node_of, numbers, values

from brinery.scorers.data import Declined
from brinery.scorers.interface import Answer, Unsupported
from brinery.scorers.responses import Response
from brinery.scorers.stacking import Stack, Stacked

DATA = np.zeros((2, 1))


def _tree() -> Any:
    return DecisionTreeClassifier(max_depth=4, random_state=0)


def _classifiers() -> list[tuple[str, Any]]:
    return [("tree", _tree()), ("margin", LinearSVC(random_state=0)), ("bayes", GaussianNB())]


@pytest.mark.parametrize("passthrough", [False, True])
@pytest.mark.parametrize("final", [None, RandomForestClassifier(7, random_state=0)], ids=stable)
@pytest.mark.parametrize("method", ["auto", "predict"])
@pytest.mark.parametrize("count", [2, 3])
def test_a_classifier_is_given_the_answers_of_others(
    count: int, method: str, final: Any, passthrough: Any
) -> None:
    """Probabilities, of two classes the second's only, or decisions, or predictions."""
    model = StackingClassifier(
        _classifiers(), final, stack_method=method, passthrough=passthrough, cv=2
    )
    agrees(fitted(model, classes(count)), numbers())


@pytest.mark.parametrize("count", [2, 3])
def test_a_final_classifier_may_only_decide(count: int) -> None:
    """Without probabilities, and with its decision function."""
    members = [*_classifiers(), ("none", "drop"), ("value", Ridge())]
    model = fitted(StackingClassifier(members, RidgeClassifier(), cv=2), classes(count))
    rows = numbers()
    node = agrees(model, rows).plan.model
    np.testing.assert_allclose(
        node.decision(columns(rows)), model.decision_function(rows), rtol=1e-9, atol=1e-9
    )


@pytest.mark.parametrize("passthrough", [False, True])
@pytest.mark.parametrize("final", [None, DecisionTreeRegressor(max_depth=4)], ids=stable)
def test_a_regressor_is_given_the_values_of_others(final: Any, passthrough: Any) -> None:
    """And the data, too, where it was at the fit."""
    members = [
        ("tree", DecisionTreeRegressor(max_depth=4)),
        ("none", "drop"),
        ("line", LinearRegression()),
    ]
    model = StackingRegressor(members, final, passthrough=passthrough, cv=2)
    agrees(fitted(model, values()), numbers())


@pytest.mark.parametrize("method", ["auto", "predict"])
def test_models_that_were_fitted_before_predict_their_own_labels(method: str) -> None:
    """Numbers stay numbers; text is for the library."""
    labels = np.searchsorted(np.unique(classes(3)), classes(3)) * 10 - 7
    members = [("tree", fitted(_tree(), labels)), ("bayes", fitted(GaussianNB(), labels))]
    model = StackingClassifier(members, cv="prefit", stack_method=method)
    agrees(fitted(model, labels), numbers())


def test_labels_of_text_are_not_stacked() -> None:
    """A model that was fitted before would predict them, and no model takes them."""
    members = [("tree", fitted(_tree(), classes(3)))]
    model = fitted(StackingClassifier(members, cv="prefit"), classes(3))
    model.stack_method_ = ["predict"]
    with pytest.raises(Unsupported, match="no numbers"):
        node_of(model)


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("count", [2, 3])
def test_a_table_behind_the_answers_stays_sparse(count: int, sparse: Any) -> None:
    """Where it came sparse, and only there."""
    encode = make_column_transformer(
        (OneHotEncoder(sparse_output=sparse), ["d", "e"]),
        remainder="passthrough",
        sparse_threshold=1.0,
    )
    rows = frame().assign(e=lambda it: (it["a"] * 5).round().astype(int).astype(str))
    stack = StackingClassifier(
        [("tree", _tree()), ("margin", LinearSVC(random_state=0))],
        LogisticRegression(max_iter=1000),
        passthrough=True,
        cv=2,
    )
    model = make_pipeline(encode, stack).fit(rows, classes(count))
    agrees(model, rows)


def test_the_trees_of_every_model_are_told() -> None:
    """Those of the final one with the columns of the data behind the answers."""
    forest = RandomForestClassifier(3, random_state=0)
    for passthrough, expected in ((True, 2), (False, 1)):
        stack = StackingClassifier(
            [("tree", _tree()), ("bayes", GaussianNB())], forest, passthrough=passthrough, cv=2
        )
        scorer = compiled(fitted(stack, classes(3)), numbers())
        found = scorer.splits()
        assert len(found) == expected
        final = found[-1]
        assert final.origins is not None
        prepared = final.prepare(scorer.read(columns_of(numbers())))
        assert prepared.shape == (len(numbers()), final.trees.n_features)
        assert len(final.origins) == final.trees.n_features
        for place, origin in enumerate(final.origins):
            if origin is not None:
                column = numbers().iloc[:, origin.column]
                np.testing.assert_array_equal(prepared[:, place], column.astype(np.float32))


def test_text_behind_the_answers_is_for_the_library() -> None:
    """No final model of numbers takes it."""
    encode = make_column_transformer((OneHotEncoder(), ["d"]), remainder="passthrough")
    stack = StackingClassifier([("pipe", make_pipeline(encode, LogisticRegression()))], cv=2)
    model = fitted(stack, classes(2), columns="abcd")
    scorer = agrees(model, frame())
    node = scorer.plan.model
    assert isinstance(node, Stack)
    passing = Stack(layer=node.layer, final=node.final, passthrough=True, n_made=node.n_made)
    with pytest.raises(Declined, match="text"):
        passing.answer(scorer.read(columns_of(frame())))


def test_a_final_model_of_other_classes_is_not_read() -> None:
    """Its classes are numbered."""
    model = fitted(StackingClassifier(_classifiers(), cv=2), classes(3))
    model.final_estimator_.classes_ = np.array(["a", "b", "c"])
    with pytest.raises(Unsupported, match="other classes"):
        node_of(model)


def _stacked(answer: Answer, response: Response = Response.PREDICTION, labels: int = 0) -> Stacked:
    return Stacked(model=Fixed(answer), response=response, labels=np.zeros(labels), skips=False)


def test_a_model_without_its_response_is_declined() -> None:
    """It would answer something else."""
    with pytest.raises(Declined, match="no answer"):
        _stacked(Answer()).of(DATA)
    with pytest.raises(Declined, match="no probabilities"):
        _stacked(Answer(), Response.PROBABILITIES).of(DATA)


def test_forged_stacks_are_refused() -> None:
    """There are models, and a label for each class that they predict."""
    with pytest.raises(ValueError, match="nothing"):
        Stack(layer=(), final=Fixed(), passthrough=False, n_made=0)
    with pytest.raises(ValueError, match="nothing"):
        Stack(layer=(_stacked(Answer()),), final=Fixed(), passthrough=False, n_made=-1)
    with pytest.raises(ValueError, match="too many"):
        Stack(layer=(_stacked(Answer()),), final=Fixed(), passthrough=True, n_made=1 << 33)
    with pytest.raises(ValueError, match="no row"):
        Stacked(model=Fixed(), response=Response.PREDICTION, labels=np.zeros((1, 1)), skips=False)
    with pytest.raises(ValueError, match="without labels"):
        _stacked(Answer(labels=np.zeros(2, np.int64))).of(DATA)
