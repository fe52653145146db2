"""Selectors: every one, dense and sparse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_selection import (
    RFE,
    RFECV,
    GenericUnivariateSelect,
    SelectFdr,
    SelectFpr,
    SelectFromModel,
    SelectFwe,
    SelectKBest,
    SelectPercentile,
    SequentialFeatureSelector,
    VarianceThreshold,
    chi2,
)
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier
from tests.conftest import stable
from tests.scorers.steps import declines, fitted, numbers, step_of, transforms, zeros

from brinery.scorers.origin import Origin
from brinery.scorers.selection import Keep


def _ones(model: Any) -> Any:
    return np.ones(model.n_features_in_)


@pytest.mark.parametrize(
    "selector",
    [
        SelectKBest(k=2),
        SelectKBest(k="all"),
        SelectPercentile(percentile=40),
        SelectFpr(alpha=0.5),
        SelectFdr(alpha=0.9),
        SelectFwe(alpha=0.9),
        GenericUnivariateSelect(mode="k_best", param=3),
        VarianceThreshold(),
        VarianceThreshold(0.1),
        SelectFromModel(DecisionTreeClassifier(random_state=0)),
        SelectFromModel(RandomForestClassifier(5, random_state=0), max_features=2),
        RFE(DecisionTreeClassifier(random_state=0), n_features_to_select=2),
        RFECV(DecisionTreeClassifier(random_state=0), cv=2),
        SequentialFeatureSelector(
            DecisionTreeClassifier(random_state=0), n_features_to_select=2, cv=2
        ),
    ],
    ids=stable,
)
def test_a_selector_keeps_the_same_columns(selector: Any) -> None:
    """None of their values is changed."""
    frame = numbers()
    transforms(fitted(selector, frame), frame, tolerance=0)


@pytest.mark.parametrize(
    "selector",
    [SelectKBest(chi2, k=2), VarianceThreshold(0.05), SelectFromModel(LogisticRegression())],
    ids=stable,
)
def test_a_selector_keeps_the_columns_of_a_sparse_table(selector: Any) -> None:
    """In their order."""
    transforms(fitted(selector, zeros()), zeros(), tolerance=0)


def test_no_column_at_all_may_be_kept() -> None:
    """The library warns of it; what comes behind decides."""
    transforms(fitted(SelectFpr(alpha=1e-12), numbers()), numbers())


@pytest.mark.parametrize(
    "selector",
    [
        VarianceThreshold(),
        SelectFromModel(HistGradientBoostingClassifier(max_iter=2), importance_getter=_ones),
    ],
    ids=["variance", "model"],
)
def test_missing_values_are_taken_where_the_library_takes_them(selector: Any) -> None:
    """They stay missing."""
    frame = numbers()
    transforms(fitted(selector, frame), frame.mask(frame < 0), tolerance=0)


def test_missing_values_are_declined_where_the_library_refuses_them() -> None:
    """In a column that is not kept, too."""
    frame = numbers()
    selector = fitted(SelectKBest(k=1), frame)
    for place in range(frame.shape[1]):
        declines(selector, frame.assign(**{frame.columns[place]: np.nan}))


def test_kept_columns_are_traced() -> None:
    """To where they come from."""
    step = step_of(fitted(VarianceThreshold(0.5), numbers()))
    assert isinstance(step, Keep)
    origins = [Origin(place) for place in range(5)]
    assert step.trace([*origins]) == origins[:3]


@pytest.mark.parametrize("places", [np.array([5]), np.array([-1]), np.array([[0]])])
def test_forged_places_are_refused(places: np.ndarray) -> None:
    """None lies outside of the columns."""
    with pytest.raises(ValueError, match="not there"):
        Keep(places=places, of=5, missing=False)
