"""Quadratic discriminant analysis: every setting, rows far from all classes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from tests.conftest import stable
from tests.scorers.agreement import agrees, columns_of, compiled

from brinery.scorers.data import Declined, Sparse
from brinery.scorers.discriminants import Quadratic


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(rng.normal(size=(150, 4)) * [1, 10, 0.1, 1], columns=list("abcd"))


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"reg_param": 0.3},
        {"priors": "given"},
        {"store_covariance": True},
        {"solver": "eigen", "shrinkage": 0.2},
        {"solver": "eigen", "shrinkage": "auto"},
    ],
    ids=stable,
)
def test_the_likeliest_class_is_the_librarys(
    frame: pd.DataFrame, settings: dict[str, Any], count: int
) -> None:
    """Its decision function too, of two classes and of three."""
    given = (
        {**settings, "priors": np.arange(1, count + 1) / sum(range(count + 1))}
        if "priors" in settings
        else settings
    )
    target = frame["a"].rank().astype(int) * count // (len(frame) + 1)
    model = QuadraticDiscriminantAnalysis(**given).fit(frame + target.to_numpy()[:, None], target)
    scorer = agrees(model, frame)
    agrees(model, frame * 1e3, scorer=scorer)
    found = scorer.plan.model.decision(frame.to_numpy())
    np.testing.assert_allclose(found, model.decision_function(frame), rtol=1e-9)


def test_a_missing_value_and_a_sparse_table_are_declined(frame: pd.DataFrame) -> None:
    """As the library refuses them."""
    model = QuadraticDiscriminantAnalysis().fit(frame, frame["a"] > 0)
    rows = frame.iloc[:3].copy()
    rows.iloc[1, 1] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        model.predict(rows)
    with pytest.raises(Declined):
        compiled(model, frame).score(columns_of(rows))
    nothing = Sparse(np.zeros(2, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0), width=4)
    with pytest.raises(Declined):
        compiled(model, frame).plan.model.answer(nothing)


@pytest.mark.parametrize("n_rows", [1, 20, 3000])
def test_classes_as_good_as_tied_are_declined(n_rows: int) -> None:
    """The last bits of a product hang on how the table lies; a label may not.

    Each class is the other one mirrored, so that a row of equal numbers is as far from both.
    """
    rng = np.random.default_rng(2)
    half = rng.integers(-3, 4, (300, 4)) + np.array([1.0, 0.0, 0.0, 0.0])
    given = np.vstack([half, half[:, ::-1]])
    frame = pd.DataFrame(given).rename(columns="c{}".format)
    model = QuadraticDiscriminantAnalysis().fit(frame, np.repeat([0, 1], 300))
    scorer = compiled(model, frame)
    rows = pd.DataFrame(rng.normal(size=(n_rows, 4)), columns=frame.columns)
    scorer.score(columns_of(rows))
    rows.iloc[n_rows // 2] = 3.0
    with pytest.raises(Declined, match="tied"):
        scorer.score(columns_of(rows))


def test_axes_of_other_columns_are_refused() -> None:
    """A forged file tells nothing that is not there."""
    figures = {"volumes": np.zeros(2), "priors": np.zeros(2)}
    with pytest.raises(ValueError, match="other columns"):
        Quadratic(means=np.zeros((2, 3)), axes=(np.zeros((3, 3)), np.zeros((2, 3))), **figures)
    with pytest.raises(ValueError, match="without means"):
        Quadratic(means=np.zeros((1, 3)), axes=(np.zeros((3, 3)),) * 2, **figures)
    with pytest.raises(ValueError, match="without figures"):
        Quadratic(means=np.zeros((3, 3)), axes=(np.zeros((3, 3)),) * 3, **figures)
