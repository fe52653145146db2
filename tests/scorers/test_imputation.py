"""`SimpleImputer`: every strategy, for numbers and text, with indicators and empty columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from tests.conftest import stable
from tests.scorers.agreement import agrees, columns_of, compiled

from brinery.scorers.data import Declined
from brinery.scorers.imputation import Impute


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(200, 3)).round(1)
    values[rng.random(values.shape) < 0.3] = np.nan
    values[:60, 2] = 7.0
    return pd.DataFrame(values, columns=list("abc"))


@pytest.fixture(scope="module")
def target() -> Any:
    return np.random.default_rng(1).integers(0, 2, 200)


@pytest.mark.parametrize(
    "imputer",
    [
        SimpleImputer(),
        SimpleImputer(strategy="median"),
        SimpleImputer(strategy="most_frequent"),
        SimpleImputer(strategy="constant", fill_value=-5),
        SimpleImputer(add_indicator=True),
        SimpleImputer(strategy="median", add_indicator=True),
    ],
    ids=stable,
)
def test_numbers_are_filled_in(frame: pd.DataFrame, target: Any, imputer: Any) -> None:
    """Each strategy, with and without indicators."""
    agrees(make_pipeline(imputer, LogisticRegression()).fit(frame, target), frame)


def test_another_number_may_mean_missing(frame: pd.DataFrame, target: Any) -> None:
    """A value such as 7 is filled in; a true missing value is for the library, which refuses it."""
    full = frame.fillna(1.0)
    model = make_pipeline(SimpleImputer(missing_values=7.0), LogisticRegression()).fit(full, target)
    scorer = agrees(model, full)
    with pytest.raises(Declined):
        scorer.score(columns_of(frame))


@pytest.mark.filterwarnings("ignore:Skipping features without any observed values")
@pytest.mark.parametrize("kept", [False, True])
def test_a_column_that_was_always_missing(frame: pd.DataFrame, target: Any, kept: bool) -> None:  # noqa: FBT001
    """It is left out, or kept as zeros, as the imputer was told."""
    empty = frame.assign(b=np.nan)
    imputer = SimpleImputer(keep_empty_features=kept, add_indicator=True)
    agrees(make_pipeline(imputer, LogisticRegression()).fit(empty, target), empty)


@pytest.mark.parametrize("strategy", ["most_frequent", "constant"])
@pytest.mark.parametrize("indicator", [False, True])
def test_text_is_filled_in(target: Any, strategy: str, indicator: bool) -> None:  # noqa: FBT001
    """Columns of text, of which some values are missing, go on to an encoder."""
    rng = np.random.default_rng(2)
    words = rng.choice(["x", "y", "z"], size=(200, 2)).astype(object)
    words[rng.random(words.shape) < 0.3] = np.nan
    frame = pd.DataFrame(words, columns=list("ab"))
    imputer = SimpleImputer(strategy=strategy, add_indicator=indicator)
    encoder = OneHotEncoder(handle_unknown="ignore")
    model = make_pipeline(imputer, encoder, LogisticRegression()).fit(frame, target)
    agrees(model, frame)


def test_an_infinite_value_is_for_the_library(frame: pd.DataFrame, target: Any) -> None:
    """It refuses one, so the scorer has no answer."""
    model = make_pipeline(
        make_column_transformer((SimpleImputer(), ["a", "b"])), LogisticRegression()
    ).fit(frame, target)
    with pytest.raises(Declined):
        compiled(model, frame).score(columns_of(frame.assign(a=np.inf)))


def test_fills_that_are_no_row_are_refused() -> None:
    """They would make rows of a row."""
    none = np.zeros(0, np.int64)
    with pytest.raises(ValueError, match="strange columns"):
        Impute(fills=np.ones((2, 1)), indicators=none, kept=none)
