"""Splines: every extrapolation, degree and kind of knots, values at and far beyond them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from msgspec.structs import replace
from sklearn.preprocessing import SplineTransformer
from tests.scorers.steps import declines, fitted, numbers, step_of, transforms

from brinery.scorers.interface import Unsupported
from brinery.scorers.splines import Extrapolation, Splines


def _inside(frame: pd.DataFrame, transformer: Any) -> pd.DataFrame:
    """Return rows within the knots of a transformer."""
    for place, spline in enumerate(transformer.bsplines_):
        low, high = spline.t[spline.k], spline.t[-spline.k - 1]
        frame.iloc[:, place] = frame.iloc[:, place].clip(low, high)
    return frame


@pytest.mark.parametrize("extrapolation", list(Extrapolation))
@pytest.mark.parametrize("degree", [0, 1, 2, 3, 5])
@pytest.mark.parametrize("knots", ["uniform", "quantile"])
@pytest.mark.parametrize(("include_bias", "sparse_output"), [(True, False), (False, True)])
def test_splines_are_those_of_the_library(
    *, extrapolation: str, degree: int, knots: str, include_bias: bool, sparse_output: bool
) -> None:
    """To the last bit: within the knots, at each of them, and up to a thousand times as far."""
    if not degree and (sparse_output or extrapolation == Extrapolation.CONSTANT):
        pytest.skip("scikit-learn fails at values beyond the knots")
    frame = numbers()[["a", "b", "c"]]
    made = SplineTransformer(
        n_knots=7,
        degree=degree,
        knots=knots,
        extrapolation=str(extrapolation),
        include_bias=include_bias,
        sparse_output=sparse_output,
    )
    frame["c"] += np.arange(len(frame)) * 1e-3
    transformer = fitted(made, frame[:50])
    n_knots = len(transformer.bsplines_[0].t)
    frame.iloc[60 : 60 + n_knots] = np.column_stack([one.t for one in transformer.bsplines_])
    frame.iloc[100:150] *= 1000
    if extrapolation == Extrapolation.ERROR:
        frame = _inside(frame, transformer)
    transforms(transformer, frame, tolerance=0)


@pytest.mark.parametrize("extrapolation", list(Extrapolation))
def test_splines_between_given_knots_are_those_of_the_library(extrapolation: str) -> None:
    """Of as few as there may be."""
    rows = np.random.default_rng(0).random((200, 2))
    knots = np.array([[0.0, -1.0], [0.2, 0.1], [0.7, 0.2], [1.0, 2.0]])
    made = SplineTransformer(knots=knots, degree=3, extrapolation=str(extrapolation))
    transforms(fitted(made, rows), rows, tolerance=0)


def test_knots_that_coincide_are_taken_as_the_library_takes_them() -> None:
    """As quantiles do among ties."""
    rows = np.repeat([[0.0], [1.0], [2.0]], [50, 5, 3], axis=0)
    transforms(fitted(SplineTransformer(knots="quantile", n_knots=4), rows), rows, tolerance=0)


def test_many_rows_are_as_few_are() -> None:
    """Another way is taken for them."""
    rows = np.random.default_rng(0).normal(size=(5000, 2))
    transforms(fitted(SplineTransformer(n_knots=9), rows[:100]), rows, tolerance=0)


@pytest.mark.parametrize("extrapolation", list(Extrapolation))
def test_missing_values_have_no_spline_where_the_library_takes_them(extrapolation: str) -> None:
    """In one column or in all of a row."""
    rows = np.random.default_rng(0).random((50, 2))
    made = SplineTransformer(handle_missing="zeros", extrapolation=str(extrapolation))
    transformer = fitted(made, rows)
    rows[::3, 0] = np.nan
    rows[::6] = np.nan
    transforms(transformer, rows, tolerance=0)


def test_what_the_library_refuses_is_declined() -> None:
    """A missing value, or one outside of the knots."""
    rows = np.random.default_rng(0).random((50, 1))
    declines(fitted(SplineTransformer(), rows), np.array([[np.nan]]))
    declines(fitted(SplineTransformer(extrapolation="error"), rows), np.array([[2.0]]))


def test_a_column_with_one_value_is_left_to_the_library() -> None:
    """Its knots span nothing."""
    with pytest.raises(Unsupported, match="one value"):
        step_of(fitted(SplineTransformer(), np.ones((5, 1))))


def test_forged_splines_are_refused() -> None:
    """Knots, limits and ends that do not fit together."""
    step = step_of(fitted(SplineTransformer(), np.random.default_rng(0).random((50, 2))))
    assert isinstance(step, Splines)
    forged: list[dict[str, Any]] = [
        {"degree": 9},
        {"degree": -1},
        {"degree": 65, "knots": np.zeros((2, 200))},
        {"knots": step.knots[:1]},
        {"knots": step.knots * np.nan},
        {"ends": step.ends[:1]},
        {"slopes": step.slopes[:, :, 1:]},
        {"limits": step.limits[:1]},
        {"extrapolation": Extrapolation.PERIODIC},
    ]
    for figures in forged:
        with pytest.raises(ValueError, match=r"splines|knots"):
            replace(step, **figures)
