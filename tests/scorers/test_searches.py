"""Searches, and what was frozen: the estimator within answers."""

from __future__ import annotations

from typing import Any

import pytest
from sklearn.experimental import enable_halving_search_cv  # noqa: F401 - it makes them importable
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    HalvingRandomSearchCV,
    RandomizedSearchCV,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tests.scorers.agreement import agrees
from tests.scorers.samples import classes, fitted, node_of, numbers, values

from brinery.scorers.interface import Unsupported

SEARCHES = (GridSearchCV, RandomizedSearchCV, HalvingGridSearchCV, HalvingRandomSearchCV)


def _settings(search: Any) -> dict[str, Any]:
    if search is RandomizedSearchCV:
        return {"n_iter": 2, "random_state": 0, "cv": 2}
    halves = "Halving" in search.__name__
    return {"cv": 2, "random_state": 0} if halves else {"cv": 2}


@pytest.mark.parametrize("search", SEARCHES)
def test_the_best_estimator_answers(search: Any) -> None:
    """A classifier, in a pipeline, and a regressor."""
    line = make_pipeline(StandardScaler(), LogisticRegression())
    grid = {"logisticregression__C": [0.01, 1.0]}
    agrees(fitted(search(line, grid, **_settings(search)), classes(3)), numbers())
    model = search(Ridge(), {"alpha": [0.1, 10.0]}, **_settings(search))
    agrees(fitted(model, values()), numbers())


def test_a_search_may_stand_in_a_pipeline() -> None:
    """As its last step."""
    search = GridSearchCV(Ridge(), {"alpha": [0.1, 10.0]}, cv=2)
    agrees(fitted(make_pipeline(StandardScaler(), search), values()), numbers())


def test_a_search_that_did_not_refit_is_not_read() -> None:
    """It has no best estimator."""
    model = fitted(GridSearchCV(Ridge(), {"alpha": [0.1]}, refit=False, cv=2), values())
    with pytest.raises(Unsupported, match="without refit"):
        node_of(model)


def test_a_frozen_estimator_answers_as_itself() -> None:
    """A transformer too."""
    frozen = FrozenEstimator(fitted(LogisticRegression(), classes(2)))
    agrees(frozen, numbers())
    scaler = FrozenEstimator(StandardScaler().fit(numbers()))
    agrees(fitted(make_pipeline(scaler, LogisticRegression()), classes(3)), numbers())
