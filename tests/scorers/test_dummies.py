"""The same answer for every row: every strategy that has one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.sparse import csc_matrix
from sklearn.dummy import DummyClassifier, DummyRegressor
from tests.conftest import stable
from tests.scorers.agreement import agrees
from tests.scorers.samples import classes, fitted, frame, node_of, numbers, values

from brinery.scorers.dummies import SameClass, SameValues
from brinery.scorers.interface import Unsupported


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_class_is_answered_for_every_row(count: int) -> None:
    """Whatever the row holds: text and missing values, too."""
    settings: list[dict[str, Any]] = [{"strategy": "prior"}, {"strategy": "most_frequent"}]
    settings += [{"strategy": "constant", "constant": label} for label in set(classes(count))]
    for setting in settings:
        model = fitted(DummyClassifier(**setting), classes(count), columns="abcd")
        agrees(model, frame().assign(a=np.nan))


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize(
    "setting",
    [{"strategy": "mean"}, {"strategy": "median"}, {"strategy": "quantile", "quantile": 0.3}],
    ids=stable,
)
def test_values_are_answered_for_every_row(count: int, setting: Any) -> None:
    """One for each row, or several."""
    agrees(fitted(DummyRegressor(**setting), values(count)), numbers())


@pytest.mark.parametrize("constant", [3, 2.5, [1, 2, 3], [0.5, 2.0, 3.0]], ids=stable)
def test_a_constant_keeps_its_type(constant: Any) -> None:
    """Whole numbers stay whole."""
    model = fitted(
        DummyRegressor(strategy="constant", constant=constant), values(np.size(constant))
    )
    scores = agrees(model, numbers())
    node = scores.plan.model
    assert isinstance(node, SameValues)
    assert node.values.dtype == model.predict(numbers()).dtype


@pytest.mark.parametrize("strategy", ["uniform", "stratified"])
def test_random_answers_are_not_read(strategy: str) -> None:
    """Nor are those of several outputs."""
    with pytest.raises(Unsupported, match=strategy):
        node_of(fitted(DummyClassifier(strategy=strategy), classes(2)))
    several = np.column_stack([classes(2), classes(3)])
    with pytest.raises(Unsupported, match="several outputs"):
        node_of(fitted(DummyClassifier(), several))
    thin = csc_matrix((classes(2) == "so").astype(int).reshape(-1, 1))
    with pytest.raises(Unsupported, match="several outputs"):
        node_of(fitted(DummyClassifier(), thin))


def test_a_constant_of_another_kind_is_not_read() -> None:
    """Of float32, say."""
    model = fitted(DummyRegressor(), values())
    model.constant_ = model.constant_.astype(np.float32)
    with pytest.raises(Unsupported, match="another kind"):
        node_of(model)


def test_forged_answers_are_refused() -> None:
    """The class is there, and so are the values."""
    for place in (-1, 2):
        with pytest.raises(ValueError, match="not there"):
            SameClass(place=place, chances=np.ones(2))
    with pytest.raises(ValueError, match="no row"):
        SameClass(place=0, chances=np.ones((1, 1)))
    for given in (np.zeros(0), np.zeros((1, 1))):
        with pytest.raises(ValueError, match="no row"):
            SameValues(values=given)
