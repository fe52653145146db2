"""Functions of numpy: every one that is known, where it has a value and where it has none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.preprocessing import FunctionTransformer
from tests.scorers.steps import declines, fitted, numbers, step_of, transforms, zeros

from brinery.scorers.data import Columns, Declined
from brinery.scorers.functions import _FUNCTIONS, _INVERSES, _SPARSE, Apply
from brinery.scorers.interface import Unsupported
from brinery.scorers.origin import Origin

NAMES = sorted(set(_FUNCTIONS) - {"identity"})


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("validate", [True, False])
def test_a_function_of_numpy_is_applied(*, name: str, validate: bool) -> None:
    """To values that it has none for, too."""
    frame = numbers()
    frame.iloc[0] = [0.0, -0.0, -1.0, 1.0, 1e300]
    frame.iloc[1] = [0.5, -0.5, 1e-300, 2.5, 710.0]
    if not validate:
        frame.iloc[2:40] = np.nan
    made = FunctionTransformer(getattr(np, name), validate=validate)
    transforms(fitted(made, frame), frame, tolerance=0)


@pytest.mark.parametrize("name", sorted(_SPARSE - {"identity"}))
def test_a_function_keeps_the_zeros_of_a_sparse_table(name: str) -> None:
    """Where 0 of 0 is 0."""
    transforms(fitted(FunctionTransformer(getattr(np, name)), zeros()), zeros(), tolerance=0)


@pytest.mark.parametrize("name", ["cos", "exp", "log", "floor"])
def test_a_function_that_takes_no_sparse_table_declines_one(name: str) -> None:
    """As the library refuses it."""
    declines(fitted(FunctionTransformer(getattr(np, name)), zeros()), zeros())


def test_whole_numbers_are_squared_as_integers_are() -> None:
    """Up to where these would overflow; from there the library is asked."""
    frame = pd.DataFrame({"a": [3, -94_906_265, 12]})
    step = transforms(fitted(FunctionTransformer(np.square), frame), frame, tolerance=0)
    with pytest.raises(Declined):
        step.transform(np.array([[2.0**40]]))


def test_no_function_leaves_anything_as_it_is() -> None:
    """Text too."""
    frame = pd.DataFrame({"a": ["x", None], "b": [1.0, np.nan]})
    step = step_of(fitted(FunctionTransformer(), frame))
    given = Columns(("a",), (np.array(["x", np.nan], dtype=object),), 2)
    assert step.transform(given) is given


def test_no_function_refuses_what_is_missing_where_it_validates() -> None:
    """As the library does."""
    transformer = fitted(FunctionTransformer(validate=True), numbers())
    transforms(transformer, numbers(), tolerance=0)
    frame = numbers()
    frame.iloc[0, 0] = np.nan
    declines(transformer, frame)


@pytest.mark.parametrize(
    "transformer",
    [
        FunctionTransformer(expit),
        FunctionTransformer(np.isnan),
        FunctionTransformer(np.reciprocal),
        FunctionTransformer(np.log1p, kw_args={"where": True}),
        FunctionTransformer(lambda rows: rows),
    ],
    ids=["scipy", "truth", "whole", "arguments", "lambda"],
)
def test_other_functions_are_left_to_the_library(transformer: Any) -> None:
    """No node stands for them."""
    with pytest.raises(Unsupported, match="FunctionTransformer with"):
        step_of(fitted(transformer, numbers()))


def test_a_function_of_the_same_name_is_another() -> None:
    """It is known by itself."""

    def log1p(rows: Any) -> Any:
        return rows

    with pytest.raises(Unsupported, match="log1p"):
        step_of(fitted(FunctionTransformer(log1p), numbers()))


@pytest.mark.parametrize("name", sorted(_INVERSES))
def test_the_way_back_leads_to_the_inputs(name: str) -> None:
    """Of every function that rises or falls all along."""
    step = Apply(function=name, checked=False, takes_sparse=False)
    rows = np.array([[1.25], [1.5]]) if name == "arccosh" else np.array([[0.25], [0.5]])
    origins = step.trace([Origin(0)])
    assert origins is not None
    assert origins[0] is not None
    back = origins[0].inputs(np.asarray(step.transform(rows))[:, 0])
    np.testing.assert_allclose(back, rows[:, 0], rtol=1e-12)


def test_a_forged_name_is_refused() -> None:
    """No other function of numpy can be called."""
    with pytest.raises(ValueError, match="not known"):
        Apply(function="fromfile", checked=False, takes_sparse=False)
